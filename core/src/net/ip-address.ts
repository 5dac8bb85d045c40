/**
 * IPv4 and IPv6 addresses as text, read strictly: what is not the one usual form is refused, so
 * that nobody counts as two. An IPv4 address inside IPv6 is that IPv4 address. A host is one IPv4
 * address or one /64 of IPv6, since a customer of any provider has a whole /64.
 */
import { netError } from './error.ts';

export interface IpAddress {
  readonly family: 4 | 6;
  /** 4 or 16. */
  readonly bytes: Uint8Array;
}

const MAX_TEXT = 45;
const DECIMAL = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9a-fA-F]{1,4}$/;
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** No zone, no brackets, no leading zeros in IPv4. @throws PydeError `net.address` */
export function parseIp(text: string): IpAddress {
  const bytes = text.length > MAX_TEXT ? undefined : text.includes(':') ? v6(text) : v4(text);
  if (bytes === undefined) {
    throw netError('net.address', 'an address is IPv4 like 192.0.2.1 or IPv6 like 2001:db8::1', {
      length: text.length,
    });
  }
  if (bytes.length === 4) return { family: 4, bytes };
  const mapped = MAPPED.every((byte, i) => bytes[i] === byte);
  return mapped ? { family: 4, bytes: bytes.slice(12) } : { family: 6, bytes };
}

/** The host that is counted: IPv4 address, or /64 of IPv6. */
export const hostKey = ({ family, bytes }: IpAddress): string =>
  family === 4 ? v4Text(bytes) : `${groups(bytes, 4)}::/64`;

/** Its neighbourhood: /24 of IPv4, /48 of IPv6. */
export const subnetKey = ({ family, bytes }: IpAddress): string =>
  family === 4 ? `${v4Text(bytes.subarray(0, 3))}.0/24` : `${groups(bytes, 3)}::/48`;

export const isLoopback = ({ family, bytes }: IpAddress): boolean =>
  family === 4 ? bytes[0] === 127 : bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));

/** RFC 1918, 6598, 3927 and 4193, and link-local IPv6. */
export function isPrivate({ family, bytes }: IpAddress): boolean {
  const [a = 0, b = 0] = bytes;
  if (family === 6) return (a & 0xfe) === 0xfc || (a === 0xfe && (b & 0xc0) === 0x80);
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254)
  );
}

/** That a multiaddr begins with; undefined where it begins with a name or something else. */
export function ipOfMultiaddr(multiaddr: string): IpAddress | undefined {
  const [empty, protocol, text] = multiaddr.split('/', 3);
  if (empty !== '' || text === undefined || (protocol !== 'ip4' && protocol !== 'ip6')) {
    return undefined;
  }
  if ((protocol === 'ip6') !== text.includes(':')) return undefined;
  try {
    return parseIp(text);
  } catch {
    return undefined;
  }
}

function v4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  const numbers = parts.map((part) => (DECIMAL.test(part) ? Number(part) : 256));
  return parts.length === 4 && numbers.every((n) => n < 256) ? Uint8Array.from(numbers) : undefined;
}

/** RFC 4291, section 2.2: eight groups, one run of zeros left out, the end perhaps as IPv4. */
function v6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, i) => v6Part(half, i === halves.length - 1));
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 16 ? Uint8Array.from(head) : undefined;
  // "::" stands for one group at least.
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  const zeros = new Array<number>(16 - head.length - tail.length).fill(0);
  return Uint8Array.from([...head, ...zeros, ...tail]);
}

function v6Part(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (GROUP.test(part)) {
      const value = Number.parseInt(part, 16);
      out.push(value >> 8, value & 0xff);
      continue;
    }
    const embedded = isLast && i === parts.length - 1 ? v4(part) : undefined;
    if (embedded === undefined) return undefined;
    out.push(...embedded);
  }
  return out;
}

const v4Text = (bytes: Uint8Array): string => bytes.join('.');

/** The first `count` groups. */
const groups = (bytes: Uint8Array, count: number): string =>
  Array.from({ length: count }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  ).join(':');
