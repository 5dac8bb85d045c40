/**
 * Peers by name (docs/protocol/network.md, "Finding peers"). A DNS seed is `name` or `name:port`.
 * TXT records `dnsaddr=<multiaddr>` of the name, and of `_dnsaddr.` before it, are addresses as they
 * stand; with a port the name's A and AAAA records are TCP addresses, too. What a server answers is
 * held against a bound and a shape, and believed no further: a peer is who its noise key says.
 */
import { Resolver } from 'node:dns/promises';
import { isIPv4, isIPv6 } from 'node:net';
import { PydeError } from '@pyde/core/bytes';
import { isMultiaddr } from '@pyde/core/net';

/** The part of node:dns that is asked. */
export interface DnsResolver {
  resolveTxt(name: string): Promise<string[][]>;
  resolve4(name: string): Promise<string[]>;
  resolve6(name: string): Promise<string[]>;
}

/** Addresses of one name. */
const MAX_ADDRESSES = 64;
const LOOKUP_TIMEOUT_MS = 5_000;
const LOOKUP_TRIES = 2;
const PREFIX = 'dnsaddr=';
const SEED = /^([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?)(?::([0-9]{1,5}))?$/;
const MAX_PORT = 65_535;

export interface DnsSeed {
  readonly name: string;
  readonly port: number | undefined;
}

/** The resolver that the system names. */
export function systemDns(): DnsResolver {
  return new Resolver({ timeout: LOOKUP_TIMEOUT_MS, tries: LOOKUP_TRIES });
}

/** @throws PydeError `network.address` */
export function parseDnsSeed(text: string): DnsSeed {
  const [, name, port] = SEED.exec(text) ?? [];
  const number = port === undefined ? undefined : Number(port);
  if (name !== undefined && (number === undefined || (number >= 1 && number <= MAX_PORT))) {
    return { name, port: number };
  }
  throw new PydeError(
    'network.address',
    `${text} is no DNS seed; write a name like seed.example.org, or seed.example.org:9000`,
    { seed: text.slice(0, 256) },
  );
}

/** Multiaddrs, each once; none when the name is unknown or nobody answers. */
export async function lookUp({ name, port }: DnsSeed, dns: DnsResolver): Promise<string[]> {
  const texts = async (of: string): Promise<string[]> =>
    (await dns.resolveTxt(of)).flatMap((parts) => {
      const text = parts.join('');
      return text.startsWith(PREFIX) ? [text.slice(PREFIX.length)] : [];
    });
  const found = await Promise.all([
    orNone(texts(name)),
    orNone(texts(`_dnsaddr.${name}`)),
    port === undefined ? [] : orNone(hosts(dns.resolve4(name), isIPv4, `/ip4/`, port)),
    port === undefined ? [] : orNone(hosts(dns.resolve6(name), isIPv6, `/ip6/`, port)),
  ]);
  return [...new Set(found.flat().filter(isMultiaddr))].slice(0, MAX_ADDRESSES);
}

async function hosts(
  lookup: Promise<string[]>,
  is: (text: string) => boolean,
  prefix: string,
  port: number,
): Promise<string[]> {
  return (await lookup).filter(is).map((ip) => `${prefix}${ip}/tcp/${port}`);
}

/** A name without such records is an error of node:dns, and so is a server that is away. */
async function orNone(lookup: Promise<string[]>): Promise<string[]> {
  try {
    return await lookup;
  } catch {
    return [];
  }
}
