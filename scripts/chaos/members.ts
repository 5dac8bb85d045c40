/**
 * The members of a committee as processes, each `pyde node --validator`, that reach each other only
 * through proxies: one for each ordered pair. Nobody tells where it listens itself, and a proxy shows
 * another host than the member behind it, so that no other way is ever learnt.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RpcClient } from '@pyde/platform-node/client';
import { lastWords, makeLocalnet, type NodeJson } from '../../apps/node/src/localnet/index.ts';
import { freeRpcBase } from '../../apps/node/src/testing.ts';
import type { TestKey } from '../../core/src/crypto/testing.ts';
import { allocationsOf } from '../bench/localnet-net.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../launch.js';
import type { ShiftOrder } from './clock-shift.ts';
import type { Link } from './schedule.ts';
import { TcpProxy } from './tcp-proxy.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const LAUNCHER = at('../../apps/node/bin/pyde.js');
const FAULTY = at('./faulty-node.ts');
const CLOCK_SHIFT = at('./clock-shift.ts');
/** The launcher would start the node again for what is missing, and lose the channel. */
const FLAGS = [...NODE_FLAGS['pyde node'], '--max-old-space-size=768', '--import', CLOCK_SHIFT];
const P2P_APART = 1_000;
const UP_AT_MOST_MS = 60_000;
const STOP_AT_MOST_MS = 15_000;
const POLL_MS = 50;
const DISK_BYTES = 2 ** 31;
/** Told instead of where it listens: nobody is there. */
const NOWHERE = '/ip4/127.9.9.9/tcp/9';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Member {
  readonly index: number;
  readonly json: NodeJson;
  readonly client: RpcClient;
  /** A script and its arguments instead of `pyde node`. */
  readonly #program: readonly string[] | undefined;
  #process: ChildProcess | undefined;
  #ended: Promise<Exit> = Promise.resolve({ code: 0, signal: null });
  #shiftMs = 0;

  constructor(json: NodeJson, program?: readonly string[]) {
    this.index = json.index;
    this.json = json;
    this.client = new RpcClient(json.rpc_url, { timeoutMs: 2_000 });
    this.#program = program;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get isRunning(): boolean {
    const child = this.#process;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  start(): void {
    const config = join(this.json.folder, 'pyde.toml');
    const log = openSync(join(this.json.folder, 'node.log'), 'a');
    const honest = [LAUNCHER, 'node', '--end-with-input', '--config', config, '--validator'];
    const words = this.#program ?? honest;
    const { NODE_OPTIONS: _, ...environment } = process.env;
    const child = spawn(process.execPath, [...FLAGS, ...words], {
      stdio: ['pipe', log, log, 'ipc'],
      env: { ...NODE_ENVIRONMENT, ...environment },
      detached: true,
    });
    closeSync(log);
    child.stdin?.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.#process = child;
    if (this.#shiftMs !== 0) this.shiftClock(this.#shiftMs);
  }

  /** Resolves when it answers. @throws Error when it ends instead, or takes a minute */
  async up(): Promise<void> {
    for (const untilMs = performance.now() + UP_AT_MOST_MS; performance.now() < untilMs; ) {
      if (!this.isRunning) throw new Error(`member ${this.index} ended: ${lastWords(this.json)}`);
      if ((await this.waveId()) !== undefined) return;
      await sleep(POLL_MS);
    }
    throw new Error(`member ${this.index} did not come up in ${UP_AT_MOST_MS} ms`);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#process?.kill(signal);
  }

  async kill(): Promise<Exit> {
    this.signal('SIGKILL');
    return this.#ended;
  }

  /** How it ended by itself; undefined when it has not within so long. */
  async ended(atMostMs: number): Promise<Exit | undefined> {
    return Promise.race([
      this.#ended,
      sleep(atMostMs, undefined, { ref: false }).then(() => undefined),
    ]);
  }

  /** In order; its exit tells whether it was. */
  async stop(): Promise<Exit> {
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    return (await this.ended(STOP_AT_MOST_MS)) ?? (await this.kill());
  }

  shiftClock(shiftMs: number): void {
    this.#shiftMs = shiftMs;
    const order: ShiftOrder = { shiftMs };
    if (this.isRunning) this.#process?.send(order, () => {});
  }

  /** The database, as if the disk had been changed. */
  wipe(): void {
    const folder = join(this.json.folder, 'db');
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  }

  /** The newest wave that it executed; undefined while it is away. */
  async waveId(): Promise<number | undefined> {
    return this.client.call('pyde_waveId').then(Number, () => undefined);
  }

  async certifiedWave(): Promise<number | undefined> {
    try {
      const metrics = (await this.client.call('pyde_getMetrics')) as Record<string, unknown>;
      return Number(metrics['certified_wave_id']);
    } catch {
      return undefined;
    }
  }
}

export interface CommitteeOptions {
  readonly folder: string;
  readonly validators: number;
  readonly keys: readonly TestKey[];
  readonly byzantine: number | undefined;
  readonly seed: number;
  readonly onSmallDisk: number | undefined;
}

export class Committee {
  readonly members: readonly Member[];
  readonly byzantine: number | undefined;
  /** By `from` and `to`. */
  readonly #proxies: ReadonlyMap<string, TcpProxy>;
  readonly #disk: SmallDisk | undefined;

  private constructor(
    members: readonly Member[],
    proxies: ReadonlyMap<string, TcpProxy>,
    byzantine: number | undefined,
    disk: SmallDisk | undefined,
  ) {
    this.members = members;
    this.#proxies = proxies;
    this.byzantine = byzantine;
    this.#disk = disk;
  }

  /** Makes the folder of a new chain and starts nothing. */
  static async make(options: CommitteeOptions): Promise<Committee> {
    const { folder, validators, keys, byzantine, seed } = options;
    const rpcBase = await freeRpcBase(validators);
    const { localnet } = await makeLocalnet(
      { folder, validators, fullNodes: 0, rpcBase, moreAllocations: allocationsOf(keys) },
      () => {},
    );
    const proxies = new Map<string, TcpProxy>();
    for (let from = 0; from < validators; from++) {
      for (let to = 0; to < validators; to++) {
        if (from === to) continue;
        proxies.set(`${from} ${to}`, await TcpProxy.to(rpcBase + P2P_APART + to));
      }
    }
    const members = localnet.validators.map((json) => {
      writeFileSync(join(json.folder, 'pyde.toml'), settings(json, rpcBase, proxies));
      mkdirSync(join(json.folder, 'db'), { recursive: true });
      if (json.index !== byzantine) return new Member(json);
      const config = join(json.folder, 'pyde.toml');
      return new Member(json, [FAULTY, config, String(json.index), String(seed)]);
    });
    const small = options.onSmallDisk;
    const disk =
      small === undefined ? undefined : new SmallDisk(join(folder, `validator-${small}`, 'db'));
    return new Committee(members, proxies, byzantine, disk);
  }

  get honest(): readonly Member[] {
    return this.members.filter(({ index }) => index !== this.byzantine);
  }

  member(index: number): Member {
    const found = this.members[index];
    if (found === undefined) throw new Error(`there is no member ${index}`);
    return found;
  }

  /** What `from` says is not heard by `to`. */
  hold({ from, to }: Link): void {
    this.#proxy(from, to).hold('there');
    this.#proxy(to, from).hold('back');
  }

  /** Every connection of the pair ends, and none is made. */
  reset({ from, to }: Link): void {
    this.#proxy(from, to).reset();
    this.#proxy(to, from).reset();
  }

  slow({ from, to }: Link, delayMs: number, bytesPerSecond: number): void {
    this.#proxy(from, to).slow('there', { delayMs, bytesPerSecond });
    this.#proxy(to, from).slow('back', { delayMs, bytesPerSecond });
  }

  heal(): void {
    for (const proxy of this.#proxies.values()) proxy.heal();
  }

  /** Leaves so many bytes free on the small file system. */
  fillDisk(leaveBytes: number): void {
    this.#disk?.fill(leaveBytes);
  }

  freeDisk(): void {
    this.#disk?.free();
  }

  /** @returns how every member that still ran ended */
  async stop(): Promise<readonly { readonly index: number; readonly exit: Exit }[]> {
    const running = this.members.filter(({ isRunning }) => isRunning);
    return Promise.all(
      running.map(async (member) => ({ index: member.index, exit: await member.stop() })),
    );
  }

  /** Safe at any time; nothing of it is left. */
  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    for (const proxy of this.#proxies.values()) proxy.close();
    this.#disk?.unmount();
  }

  #proxy(from: number, to: number): TcpProxy {
    const proxy = this.#proxies.get(`${from} ${to}`);
    if (proxy === undefined) throw new Error(`there is no link from ${from} to ${to}`);
    return proxy;
  }
}

function settings(json: NodeJson, rpcBase: number, proxies: ReadonlyMap<string, TcpProxy>): string {
  const seeds = [...proxies]
    .filter(([name]) => name.startsWith(`${json.index} `))
    .map(([, proxy]) => `  "/ip4/127.0.0.1/tcp/${proxy.port}",\n`);
  return `[chain]
genesis = "../genesis.bin"

[node]
folder = "."

[validator]
key = "validator.key"
password_file = "password"

[network]
listen = ["/ip4/127.0.0.1/tcp/${rpcBase + P2P_APART + json.index}"]
announce = ["${NOWHERE}"]
seeds = [
${seeds.join('')}]

[rpc]
listen = "127.0.0.1:${rpcBase + json.index}"
sender_rate = 0

[log]
level = "info"
format = "json"
file = "node.log"
`;
}

/** A file system in memory, which shrinks until it is full; needs root and Linux. */
export class SmallDisk {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mount('-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder);
  }

  /** Why there can be none here; undefined when there can. */
  static hindrance(scratch: string): string | undefined {
    try {
      mkdirSync(scratch, { recursive: true });
      new SmallDisk(scratch).unmount();
      return undefined;
    } catch (error) {
      return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    }
  }

  fill(leaveBytes: number): void {
    const { blocks, bfree, bsize } = statfsSync(this.#folder);
    this.#resize((blocks - bfree) * bsize + leaveBytes);
  }

  free(): void {
    this.#resize(DISK_BYTES);
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.#folder], { stdio: 'ignore' });
  }

  #resize(bytes: number): void {
    // The chain may have grown since it was looked at, and nothing in use can be cut off.
    for (let more = 0; ; more += 64 * 1024) {
      try {
        mount('-o', `remount,size=${bytes + more}`, this.#folder);
        return;
      } catch (error) {
        if (more > 16 * 1024 * 1024) throw error;
      }
    }
  }
}

const mount = (...argv: readonly string[]): void => {
  execFileSync('mount', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
};
