/**
 * Where the parts of a localnet lie: `genesis.bin`, `localnet.json`, and a folder for each node with
 * its settings, key, password, database, network identity and log. Every process takes four ports:
 * RPC, and 1,000 apart from it TCP and QUIC, WebSocket, and webrtc-direct.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PydeError } from '@pyde/core/bytes';
import * as v from 'valibot';
import { isSystemError } from '../output/index.ts';

export type LocalnetErrorCode =
  | 'localnet.folder'
  | 'localnet.options'
  | 'localnet.running'
  | 'localnet.port'
  | 'localnet.node';

const NodeJson = v.object({
  index: v.number(),
  rpc_url: v.string(),
  p2p_addrs: v.array(v.string()),
  folder: v.string(),
  pid: v.nullable(v.number()),
});
const LocalnetJson = v.object({
  version: v.literal(1),
  chain_id: v.number(),
  genesis_hash: v.string(),
  rpc_base: v.number(),
  validators: v.pipe(v.array(NodeJson), v.minLength(1)),
  full_nodes: v.array(NodeJson),
});
/** `localnet.json`, for scripts. */
export type LocalnetJson = v.InferOutput<typeof LocalnetJson>;
export type NodeJson = v.InferOutput<typeof NodeJson>;

/** Apart from the port of RPC. */
const P2P = 1_000;
const WS = 2_000;
const WEBRTC = 3_000;
/** The highest base that leaves room for as many nodes as there may be. */
export const MAX_RPC_BASE = 60_000;

export const genesisPath = (folder: string): string => join(folder, 'genesis.bin');

export function validatorJson(folder: string, index: number, rpcPort: number): NodeJson {
  return nodeJson(join(folder, `validator-${index}`), index, rpcPort);
}

export function fullNodeJson(folder: string, index: number, rpcPort: number): NodeJson {
  return nodeJson(join(folder, `full-${index}`), index, rpcPort);
}

function nodeJson(folder: string, index: number, rpcPort: number): NodeJson {
  return {
    index,
    rpc_url: `http://127.0.0.1:${rpcPort}`,
    p2p_addrs: listenAddresses(rpcPort),
    folder,
    pid: null,
  };
}

export const rpcPortOf = ({ rpc_url }: NodeJson): number => Number(new URL(rpc_url).port);

function listenAddresses(rpcPort: number): string[] {
  return [
    `/ip4/127.0.0.1/tcp/${rpcPort + P2P}`,
    `/ip4/127.0.0.1/udp/${rpcPort + P2P}/quic-v1`,
    `/ip4/127.0.0.1/tcp/${rpcPort + WS}/ws`,
    `/ip4/127.0.0.1/udp/${rpcPort + WEBRTC}/webrtc-direct`,
  ];
}

/** Ports on which something listens with TCP. */
export const tcpPortsOf = (node: NodeJson): number[] => {
  const rpc = rpcPortOf(node);
  return [rpc, rpc + P2P, rpc + WS];
};

/** Undefined where there is no localnet yet. @throws PydeError `localnet.folder` */
export function readLocalnet(folder: string): LocalnetJson | undefined {
  const path = join(folder, 'localnet.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const json = v.parse(LocalnetJson, JSON.parse(text));
    // The folder may have been moved.
    const placed = (node: NodeJson): NodeJson => ({
      ...node,
      folder: join(folder, node.folder.split('/').at(-1) ?? ''),
    });
    return {
      ...json,
      validators: json.validators.map(placed),
      full_nodes: json.full_nodes.map(placed),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PydeError<LocalnetErrorCode>(
      'localnet.folder',
      `${path} is not what pyde localnet wrote: ${why}; delete ${folder} to start over`,
    );
  }
}

/** Whole or not at all. */
export function writeLocalnet(folder: string, localnet: LocalnetJson): void {
  const path = join(folder, 'localnet.json');
  const unfinished = `${path}.${process.pid}.tmp`;
  writeFileSync(unfinished, `${JSON.stringify(localnet, undefined, 2)}\n`);
  renameSync(unfinished, path);
}
