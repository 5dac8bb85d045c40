/**
 * A localnet of real validator processes with funded senders, in a temporary folder, for the
 * benchmarks and the hostile suite: started, read from `/proc`, killed and started again.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GenesisAllocation, toAddress, toFalconPublicKey, toQuanta } from '@pyde/core/types';
import { RpcClient } from '@pyde/platform-node/client';
import {
  ChildNode,
  type Ended,
  LOCALNET_ACCOUNTS,
  type LocalnetJson,
  lastWords,
  makeLocalnet,
  type NodeJson,
  type RunningLocalnet,
  runLocalnet,
} from '../../apps/node/src/localnet/index.ts';
import { freeRpcBase } from '../../apps/node/src/testing.ts';
import { type TestKey, testKey } from '../../core/src/crypto/testing.ts';

const BALANCE = toQuanta(10n ** 16n);
const PAGE_BYTES = 4096;
/** `USER_HZ` of Linux, whatever the machine. */
const TICKS_PER_SECOND = 100;

/** The first accounts are the localnet's own. */
export const localnetKeys = (count: number): TestKey[] =>
  Array.from({ length: count }, (_, i) => testKey(LOCALNET_ACCOUNTS + i));

export const allocationsOf = (keys: readonly TestKey[]): GenesisAllocation[] =>
  keys.map((key) => ({
    address: toAddress(key.address),
    balance: BALANCE,
    authKeys: { kind: 'single', key: toFalconPublicKey(key.publicKey) },
  }));

export interface Usage {
  readonly residentBytes: number;
  /** Processor time since the process began, all threads. */
  readonly cpuMs: number;
}

/** Of a process, from `/proc`; Linux only. */
export function usageOf(pid: number): Usage {
  const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number)[1];
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // After the name, which may hold anything: state is field 3, utime 14, stime 15.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user, system] = [fields[11], fields[12]];
  if (pages === undefined || user === undefined || system === undefined) {
    throw new Error(`/proc tells nothing of process ${pid}`);
  }
  return {
    residentBytes: pages * PAGE_BYTES,
    cpuMs: ((user + system) * 1000) / TICKS_PER_SECOND,
  };
}

export class BenchLocalnet {
  readonly folder: string;
  readonly nodes: readonly NodeJson[];
  readonly clients: readonly RpcClient[];
  readonly #net: RunningLocalnet;
  readonly #pids: Map<number, number>;
  readonly #restarted: ChildNode[] = [];

  private constructor(folder: string, net: RunningLocalnet) {
    this.folder = folder;
    this.#net = net;
    const { localnet }: { localnet: LocalnetJson } = net;
    this.nodes = localnet.validators;
    this.clients = this.nodes.map(({ rpc_url }) => new RpcClient(rpc_url));
    this.#pids = new Map(this.nodes.map(({ index, pid }) => [index, pid ?? 0]));
  }

  /** Resolves when it executes waves. */
  static async start(validators: number, keys: readonly TestKey[]): Promise<BenchLocalnet> {
    const folder = mkdtempSync(join(tmpdir(), 'pyde-bench-localnet-'));
    const { localnet } = await makeLocalnet(
      {
        folder,
        validators,
        fullNodes: 0,
        rpcBase: await freeRpcBase(validators),
        moreAllocations: allocationsOf(keys),
      },
      () => {},
    );
    const watch = {
      progress: () => {},
      died: ({ name }: { name: string }, { code, signal }: Ended, words: string) =>
        console.error(`  ${name} ended, ${signal ?? `with code ${code}`}: ${words}`),
    };
    const net = await runLocalnet(folder, localnet, watch, new AbortController().signal);
    const made = new BenchLocalnet(folder, net);
    if (net.isMoving) return made;
    await made.stop();
    throw new Error('the localnet executed no wave');
  }

  usage(index: number): Usage {
    return usageOf(this.#pids.get(index) ?? 0);
  }

  kill(index: number): void {
    process.kill(this.#pids.get(index) ?? 0, 'SIGKILL');
  }

  /** Starts a process for a validator whose own has ended. */
  restart(index: number): void {
    const json = this.nodes[index];
    if (json === undefined) throw new Error(`there is no validator ${index}`);
    const child = new ChildNode(json, true);
    this.#restarted.push(child);
    this.#pids.set(index, child.pid ?? 0);
  }

  /** @throws Error when a process that was started again has ended */
  requireUp(index: number): void {
    const child = this.#restarted.findLast(({ json }) => json.index === index);
    if (child === undefined || child.pid !== undefined) return;
    throw new Error(`validator ${index} ended: ${lastWords(child.json)}`);
  }

  /** @param keeps leaves the folder, for its logs */
  async stop(keeps = false): Promise<void> {
    for (const client of this.clients) client.close();
    await Promise.all(this.#restarted.map((child) => child.stop()));
    await this.#net.stop();
    if (keeps) console.error(`  logs are in ${this.folder}`);
    else rmSync(this.folder, { recursive: true, force: true });
  }
}
