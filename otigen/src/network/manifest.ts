/**
 * What otigen.toml says about networks and the wallet (OTIGEN_BINARY_SPEC §4.8, §4.9). The other
 * tables belong to building and are left alone here. A fault names file, line and column.
 */
import { readFile } from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { Failure, isSystemError } from '../output/index.ts';

export interface Network {
  readonly name: string;
  readonly rpcUrl: string;
  readonly chainId: bigint;
}

export interface Manifest {
  /** Undefined when there is no file and the built-in devnet stands in for it. */
  readonly path: string | undefined;
  readonly networks: ReadonlyMap<string, Network>;
  /** `[network.default] name`. */
  readonly defaultNetwork: string | undefined;
  readonly defaultKeystore: string | undefined;
  readonly defaultAccount: string | undefined;
}

const DEFAULT_PATH = './otigen.toml';
const MAX_BYTES = 1024 * 1024;

/** What `otigen devnet` offers without flags. */
export const DEVNET: Network = { name: 'devnet', rpcUrl: 'http://127.0.0.1:9933', chainId: 31337n };

const BUILT_IN: Manifest = {
  path: undefined,
  networks: new Map([[DEVNET.name, DEVNET]]),
  defaultNetwork: DEVNET.name,
  defaultKeystore: undefined,
  defaultAccount: undefined,
};

const Selector = v.looseObject({ name: v.string() });
const NetworkTable = v.looseObject({
  rpc_url: v.pipe(v.string(), v.url('must be an address such as "http://127.0.0.1:9933"')),
  chain_id: v.union(
    [v.pipe(v.number(), v.safeInteger(), v.minValue(1)), v.pipe(v.bigint(), v.minValue(1n))],
    'must be a whole number from 1',
  ),
});
const Tables = v.looseObject({
  network: v.optional(v.record(v.string(), v.unknown())),
  wallet: v.optional(
    v.looseObject({
      default_keystore: v.optional(v.string()),
      default_account: v.optional(v.string()),
    }),
  ),
});

/**
 * Reads the manifest at `path`, or `./otigen.toml` if it is there.
 * @throws Failure `ConfigNotFound`, `ConfigInvalid`
 */
export async function readManifest(path: string | undefined): Promise<Manifest> {
  const file = path ?? DEFAULT_PATH;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    if (path === undefined) return BUILT_IN;
    throw new Failure('resource', 'ConfigNotFound', `there is no manifest at ${path}`, {
      next: 'check --config, or leave it out to use ./otigen.toml',
    });
  }
  return readManifestText(text, file);
}

/** @throws Failure `ConfigInvalid` with file:line:column */
export function readManifestText(text: string, path: string): Manifest {
  if (text.length > MAX_BYTES) {
    throw invalid(path, 1, 1, `the file has ${text.length} bytes, at most ${MAX_BYTES} are read`);
  }
  let toml: unknown;
  try {
    toml = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [firstLine = ''] = error.message.split('\n');
    throw invalid(
      path,
      error.line,
      error.column,
      firstLine.replace(/^Invalid TOML document: /, ''),
    );
  }
  const check = <T extends v.GenericSchema>(schema: T, value: unknown, at: readonly string[]) => {
    const result = v.safeParse(schema, value);
    if (result.success) return result.output;
    const issue = result.issues[0];
    const keys = [...at, ...(v.getDotPath(issue)?.split('.') ?? [])];
    const { line, column } = locate(text, keys);
    throw invalid(path, line, column, `${keys.join('.')}: ${issue.message}`);
  };
  const tables = check(Tables, toml, []);
  const networks = new Map<string, Network>();
  let defaultNetwork: string | undefined;
  for (const [name, table] of Object.entries(tables.network ?? {})) {
    if (name === 'default') {
      defaultNetwork = check(Selector, table, ['network', name]).name;
      continue;
    }
    const { rpc_url, chain_id } = check(NetworkTable, table, ['network', name]);
    networks.set(name, { name, rpcUrl: rpc_url, chainId: BigInt(chain_id) });
  }
  if (defaultNetwork !== undefined && !networks.has(defaultNetwork)) {
    const { line, column } = locate(text, ['network', 'default', 'name']);
    throw invalid(path, line, column, `network.default.name: no table [network.${defaultNetwork}]`);
  }
  return {
    path,
    // A manifest without networks leaves the choice to the built-in one.
    ...(networks.size === 0 ? BUILT_IN_NETWORKS : { networks, defaultNetwork }),
    defaultKeystore: tables.wallet?.default_keystore,
    defaultAccount: tables.wallet?.default_account,
  };
}

const BUILT_IN_NETWORKS = {
  networks: BUILT_IN.networks,
  defaultNetwork: BUILT_IN.defaultNetwork,
};

/** Where a key stands, or its table when the key is missing; the parser keeps no positions. */
function locate(text: string, keys: readonly string[]): { line: number; column: number } {
  const lines = text.split('\n');
  const find = (from: number, pattern: RegExp) =>
    lines.findIndex((line, i) => i >= from && pattern.test(line));
  const literal = (key: string) => key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  for (let depth = keys.length; depth > 0; depth--) {
    const table = keys.slice(0, depth).map((key) => `"?${literal(key)}"?`);
    const header = find(0, new RegExp(`^\\s*\\[\\s*${table.join('\\s*\\.\\s*')}\\s*\\]`));
    if (header < 0) continue;
    const key = keys[depth];
    const entry =
      key === undefined ? -1 : find(header + 1, new RegExp(`^\\s*"?${literal(key)}"?\\s*=`));
    const line = entry < 0 ? header : entry;
    return { line: line + 1, column: (lines[line] ?? '').search(/\S/) + 1 };
  }
  return { line: 1, column: 1 };
}

function invalid(path: string, line: number, column: number, what: string): Failure {
  return new Failure('validation', 'ConfigInvalid', `${path}:${line}:${column}: ${what}`, {
    next: 'correct the line, or point --config at another manifest',
  });
}
