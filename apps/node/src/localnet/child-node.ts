/**
 * One node of a localnet as a process of its own. It is told apart from the terminal, so that Ctrl-C
 * reaches only the one who stops it in order; and it stops by itself when that one is gone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RpcClient } from '@pyde/platform-node/client';
import * as v from 'valibot';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../../../scripts/launch.js';
import type { NodeJson } from './layout.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/pyde.js', import.meta.url));
/**
 * Several nodes share the machine: what is not bounded grows with the load, and threads that collect
 * in parallel take the processor from another node.
 */
const HEAP_FLAGS = [
  ...NODE_FLAGS['pyde node'],
  '--no-parallel-scavenge',
  '--max-old-space-size=768',
];
/** After the order to stop. */
const STOP_AT_MOST_MS = 10_000;
const TAIL_BYTES = 16_384;
const POLL_MS = 50;
const ListeningInfo = v.object({ listen_addrs: v.pipe(v.array(v.string()), v.minLength(1)) });

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ChildNode {
  readonly json: NodeJson;
  readonly name: string;
  readonly #child: ChildProcess;
  readonly ended: Promise<Ended>;
  #hasEnded = false;

  constructor(json: NodeJson, isValidator: boolean) {
    this.json = json;
    this.name = `${isValidator ? 'validator' : 'full node'} ${json.index}`;
    const log = openSync(logPath(json), 'a');
    const words = ['node', '--end-with-input', '--config', join(json.folder, 'pyde.toml')];
    this.#child = spawn(
      process.execPath,
      [...HEAP_FLAGS, LAUNCHER, ...words, ...(isValidator ? ['--validator'] : [])],
      { stdio: ['pipe', log, log], detached: true, env: environment() },
    );
    closeSync(log);
    // Held open for as long as this process lives: its end is how the node learns of ours.
    this.#child.stdin?.on('error', () => {});
    this.ended = new Promise((settle) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#hasEnded = true;
        settle({ code, signal });
      };
      this.#child.once('exit', end);
      this.#child.once('error', () => end(null, null));
    });
  }

  /** Undefined once it has ended. */
  get pid(): number | undefined {
    return this.#hasEnded ? undefined : this.#child.pid;
  }

  /** Resolves when the node serves RPC and listens to others, or when it has ended. */
  async up(): Promise<Ended | undefined> {
    const client = new RpcClient(this.json.rpc_url, { timeoutMs: 2_000 });
    let how: Ended | undefined;
    void this.ended.then((end) => {
      how = end;
    });
    while (how === undefined) {
      const info = await client.call('pyde_getNodeInfo').catch(() => undefined);
      if (v.is(ListeningInfo, info)) return undefined;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return how;
  }

  /** In order; by force when that takes too long. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    this.#child.kill('SIGTERM');
    const impatient = setTimeout(() => this.kill(), STOP_AT_MOST_MS);
    await this.ended;
    clearTimeout(impatient);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** How a person starts it again. */
  get command(): string {
    const validator = this.name.startsWith('validator') ? ' --validator' : '';
    return `pyde node --config ${join(this.json.folder, 'pyde.toml')}${validator}`;
  }
}

const logPath = ({ folder }: NodeJson): string => join(folder, 'node.log');

/** What the node said of its end; empty when it was cut off in the middle of its work. */
export function lastWords(json: NodeJson): string {
  const lines = readFileSync(logPath(json)).subarray(-TAIL_BYTES).toString().trimEnd().split('\n');
  const refusal = lines.findLast((line) => line.startsWith('pyde [ERROR] '));
  if (refusal !== undefined) return refusal.replace('pyde [ERROR] ', '');
  const last = lines.at(-1) ?? '';
  return /"level":"(debug|info)"/.test(last) ? '' : last;
}

/** Without what npm and a test runner put in for their own child. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return { ...NODE_ENVIRONMENT, ...rest };
}
