/** A devnet and its client as processes, and how they ended, for the tests of this folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RpcClient } from '../../client/index.ts';

const OTIGEN = join(import.meta.dirname, '../../../../otigen/bin/otigen.js');
const START_AT_MOST_MS = 20_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

export class ChainProcess {
  readonly client: RpcClient;
  readonly #process: ChildProcess;
  readonly #ended: Promise<Ended>;
  #isReady = false;
  #stderr = '';
  readonly #ready: Promise<boolean>;

  /** `otigen devnet` on `folder`; it may be killed before it is ready. */
  constructor(folder: string, port: number) {
    this.client = new RpcClient(`http://127.0.0.1:${port}`);
    const argv = ['devnet', '--json', '--no-auto-import-wallets', '--tick-ms', '20'];
    this.#process = spawn(
      process.execPath,
      [OTIGEN, ...argv, '--rpc-listen', `127.0.0.1:${port}`, '--state', folder],
      {
        // Not the folder itself: it may be full or read-only.
        env: { ...process.env, OTIGEN_HOME: `${folder}-home`, NO_COLOR: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#process.stderr?.on('data', (part) => {
      this.#stderr += String(part);
    });
    this.#ended = once(this.#process, 'close').then(([code, signal]) => {
      return { code, signal, stderr: this.#stderr };
    });
    this.#ready = new Promise((resolve) => {
      let out = '';
      this.#process.stdout?.on('data', (part) => {
        out += String(part);
        if (!this.#isReady && out.includes('"devnet_ready"')) {
          this.#isReady = true;
          resolve(true);
        }
      });
      void this.#ended.then(() => resolve(false));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** True when it serves, false when it ended instead; neither within 20 s is a failure. */
  async ready(): Promise<boolean> {
    const late = sleep(START_AT_MOST_MS, undefined, { ref: false }).then(() => undefined);
    const ready = await Promise.race([this.#ready, late]);
    if (ready !== undefined) return ready;
    await this.kill();
    throw new Error(`neither up nor ended in ${START_AT_MOST_MS} ms: ${this.#stderr}`);
  }

  /** @throws Error when it ends instead */
  async mustBeReady(): Promise<void> {
    if (!(await this.ready())) throw new Error(`the devnet ended: ${(await this.#ended).stderr}`);
  }

  kill(): Promise<Ended> {
    return this.signal('SIGKILL');
  }

  signal(signal: NodeJS.Signals): Promise<Ended> {
    if (this.isRunning) this.#process.kill(signal);
    return this.#ended;
  }

  /** How it ended by itself. */
  ended(): Promise<Ended> {
    return this.#ended;
  }

  async waveId(): Promise<number> {
    return Number(await this.client.call('pyde_waveId'));
  }

  async reach(wave: number): Promise<void> {
    await until(`wave ${wave}`, async () => (await this.waveId()) >= wave);
  }
}

/** What the client was told, as its journal has it. */
export interface Told {
  readonly acknowledged: ReadonlySet<string>;
  readonly receipts: ReadonlyMap<string, unknown>;
}

export class LoadProcess {
  readonly #process: ChildProcess;
  readonly #journal: string;
  #stderr = '';

  constructor(port: number, journal: string, senders = 4) {
    this.#journal = journal;
    const program = join(import.meta.dirname, 'load-client.ts');
    const argv = [`http://127.0.0.1:${port}`, journal, '1', String(senders)];
    this.#process = spawn(process.execPath, [program, ...argv], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process.stderr?.on('data', (part) => {
      this.#stderr += String(part);
    });
  }

  told(): Told {
    const { exitCode } = this.#process;
    if (exitCode !== null) throw new Error(`the client ended with ${exitCode}: ${this.#stderr}`);
    return readJournal(this.#journal);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const closed = once(this.#process, 'close');
    this.#process.kill('SIGTERM');
    await closed;
  }
}

export function readJournal(path: string): Told {
  const acknowledged = new Set<string>();
  const receipts = new Map<string, unknown>();
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // The client has not written yet.
  }
  // The last line may still be under way.
  for (const line of text.split('\n').slice(0, -1)) {
    const { hash, receipt } = JSON.parse(line) as { hash: string; receipt?: unknown };
    if (receipt === undefined) acknowledged.add(hash);
    else receipts.set(hash, receipt);
  }
  return { acknowledged, receipts };
}

export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; ) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error(`never: ${what}`);
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
