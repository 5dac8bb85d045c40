/**
 * `pyde.toml`: everything that an operator sets of a node (docs/operators/configuration.md). Paths are
 * taken from the folder of the file. Each key has the default that its comment names; only
 * `[chain] genesis` has none.
 */
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { readTomlFile } from './toml-file.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_ADDRESSES = 64;
const MAX_ADDRESS_CHARS = 256;
const MAX_VALIDATORS = 128;

export const DEFAULT_RPC_LISTEN = '127.0.0.1:9933';
export const DEFAULT_P2P_PORT = 10_933;
export const DEFAULT_SENDER_RATE = 10;
export const DEFAULT_NETWORK_LISTEN: readonly string[] = [
  `/ip4/0.0.0.0/tcp/${DEFAULT_P2P_PORT}`,
  `/ip4/0.0.0.0/udp/${DEFAULT_P2P_PORT}/quic-v1`,
];

const text = v.pipe(
  v.string('it must be a text in quotes'),
  v.minLength(1, 'it must not be empty'),
  v.maxLength(4096, 'it is too long'),
);
const flag = v.boolean('it must be true or false');
const whole = (least: number, most: number) => {
  const what = `it must be a whole number from ${least} to ${most}`;
  return v.pipe(v.number(what), v.integer(what), v.minValue(least, what), v.maxValue(most, what));
};
const choice = <const T extends readonly string[]>(options: T) =>
  v.picklist(options, `it must be one of ${options.map((option) => `"${option}"`).join(', ')}`);

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:9933`, `[::1]:9933`, `localhost:0`; undefined when it is none. */
export function parseEndpoint(listen: string): Endpoint | undefined {
  const parts = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(listen);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

const endpoint = v.pipe(
  text,
  v.rawTransform<string, Endpoint>(({ dataset, addIssue, NEVER }) => {
    const found = parseEndpoint(dataset.value);
    if (found !== undefined) return found;
    addIssue({ message: 'it must be HOST:PORT, such as "127.0.0.1:9933"' });
    return NEVER;
  }),
);

/** Multiaddrs of the transports that there are. */
const ADDRESS =
  /^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/(tcp|udp)\/(\d{1,5})(\/(quic-v1|ws|wss|tls|webrtc-direct|certhash|p2p|p2p-circuit|sni)(\/[^/\s]+)?)*$/;

export function isAddress(address: string): boolean {
  const port = ADDRESS.exec(address)?.[3];
  return address.length <= MAX_ADDRESS_CHARS && port !== undefined && Number(port) <= 65_535;
}

const address = v.pipe(
  text,
  v.check(isAddress, 'it must be a multiaddr, such as "/ip4/203.0.113.7/tcp/10933"'),
);
const peerAddress = v.pipe(
  address,
  v.check(
    (value) => /\/p2p\/[A-Za-z0-9]+$/.test(value),
    'it must end with /p2p/ and the peer id, as `pyde status --json` of that node shows it',
  ),
);
const list = <S extends v.GenericSchema>(item: S) =>
  v.pipe(
    v.array(item, 'it must be a list in square brackets'),
    v.maxLength(MAX_ADDRESSES, `at most ${MAX_ADDRESSES} are taken`),
  );

const NodeToml = v.strictObject({
  chain: v.strictObject({
    genesis: text,
    upgrades: v.optional(
      list(v.strictObject({ version: whole(2, 65_535), epoch: whole(1, 1e12) })),
      [],
    ),
  }),
  node: v.optional(
    v.strictObject({ folder: v.optional(text, '.'), archive: v.optional(flag, false) }),
    {},
  ),
  validator: v.optional(
    v.strictObject({ key: v.optional(text, 'validator.key'), password_file: v.optional(text) }),
  ),
  network: v.optional(
    v.strictObject({
      listen: v.optional(list(address), [...DEFAULT_NETWORK_LISTEN]),
      announce: v.optional(list(address)),
      seeds: v.optional(list(address), []),
      dns_seeds: v.optional(list(text), []),
      sentries: v.optional(list(peerAddress)),
      sentry_for: v.optional(
        list(v.strictObject({ peer_id: text, validator: whole(0, MAX_VALIDATORS - 1) })),
      ),
      max_connections: v.optional(whole(1, 100_000)),
      max_connections_per_ip: v.optional(whole(1, 100_000)),
      inbound_per_second: v.optional(whole(1, 100_000)),
      bandwidth_bytes_per_second: v.optional(whole(10_000, 100_000_000_000)),
    }),
    {},
  ),
  rpc: v.optional(
    v.strictObject({
      listen: v.optional(endpoint, DEFAULT_RPC_LISTEN),
      sender_rate: v.optional(whole(0, 1_000_000), DEFAULT_SENDER_RATE),
    }),
    {},
  ),
  metrics: v.optional(v.strictObject({ listen: v.optional(endpoint) }), {}),
  log: v.optional(
    v.strictObject({
      level: v.optional(choice(['debug', 'info', 'warn', 'error']), 'info'),
      format: v.optional(choice(['json', 'pretty'])),
      file: v.optional(text),
    }),
    {},
  ),
});

type NodeToml = v.InferOutput<typeof NodeToml>;

/** With absolute paths. */
export interface NodeConfig extends Omit<NodeToml, 'validator'> {
  readonly path: string;
  readonly validator:
    | { readonly key: string; readonly passwordFile: string | undefined }
    | undefined;
}

/**
 * @throws PydeError `config.missing`, `config.size`, `config.syntax`, `config.value`; the last two
 * name file, line and key
 */
export async function readNodeConfig(path: string): Promise<NodeConfig> {
  const { value, fault } = readTomlFile(path, NodeToml, MAX_CONFIG_BYTES);
  const at = (file: string): string => resolve(dirname(path), file);
  const { chain, node, validator, network, rpc, metrics, log } = value;
  if (network.sentries !== undefined && validator === undefined) {
    throw fault(['network', 'sentries'], 'only a validator has sentries; add [validator]');
  }
  if (network.sentries !== undefined && network.sentry_for !== undefined) {
    throw fault(['network', 'sentry_for'], 'a node with sentries cannot be one; remove either');
  }
  return {
    path: resolve(path),
    chain: { ...chain, genesis: at(chain.genesis) },
    node: { ...node, folder: at(node.folder) },
    validator:
      validator === undefined
        ? undefined
        : {
            key: at(validator.key),
            passwordFile:
              validator.password_file === undefined ? undefined : at(validator.password_file),
          },
    network,
    rpc,
    metrics,
    log: { ...log, ...(log.file === undefined ? {} : { file: at(log.file) }) },
  };
}
