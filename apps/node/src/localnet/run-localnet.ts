/**
 * A localnet in processes: all are started, watched and stopped together. One that ends is told, and
 * the others go on, as a network does.
 */
import { createServer } from 'node:net';
import { PydeError } from '@pyde/core/bytes';
import { RpcClient } from '@pyde/platform-node/client';
import { livePid } from '../process/index.ts';
import { ChildNode, type Ended, lastWords } from './child-node.ts';
import {
  type LocalnetErrorCode,
  type LocalnetJson,
  type NodeJson,
  tcpPortsOf,
  writeLocalnet,
} from './layout.ts';

const UP_AT_MOST_MS = 120_000;
/** The first wave of a network that is up. */
const WAVE_AT_MOST_MS = 30_000;
const POLL_MS = 100;
/** Of a run that was ended right before. */
const ENDING_AT_MOST_MS = 4_000;
/** Processes that somebody else started in the folders, after their order to stop. */
const OTHERS_AT_MOST_MS = 10_000;

export interface RunningLocalnet {
  readonly localnet: LocalnetJson;
  /** Executes waves; false when none came in half a minute. */
  readonly isMoving: boolean;
  /** Resolves when the last process has ended. */
  readonly allEnded: Promise<void>;
  /** Stops every node of the folders, also those that were started again by hand. */
  stop(): Promise<void>;
  /** At once. */
  kill(): void;
}

export interface LocalnetWatch {
  progress(what: string): void;
  /** A node ended that nobody had stopped. */
  died(node: { name: string; json: NodeJson; command: string }, how: Ended, words: string): void;
}

/** @throws PydeError `localnet.running`, `localnet.port`, `localnet.node`; then nothing runs */
export async function runLocalnet(
  folder: string,
  localnet: LocalnetJson,
  watch: LocalnetWatch,
  signal: AbortSignal,
): Promise<RunningLocalnet> {
  const nodes = [...localnet.validators, ...localnet.full_nodes];
  await patiently(signal, () => requireNoneRunning(nodes));
  for (const port of nodes.flatMap(tcpPortsOf)) await patiently(signal, () => requireFree(port));
  const children = nodes.map((json) => new ChildNode(json, localnet.validators.includes(json)));
  const keep = (): void => writeLocalnet(folder, withPids(localnet, children));
  keep();
  let isStopping = false;
  const kill = (): void => {
    isStopping = true;
    for (const child of children) child.kill();
  };
  const stop = async (): Promise<void> => {
    isStopping = true;
    await Promise.all([...children.map((child) => child.stop()), ...nodes.map(stopOther)]);
    keep();
  };
  try {
    await allUp(children, watch, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  for (const child of children) {
    void child.ended.then((how) => {
      if (isStopping) return;
      keep();
      watch.died(child, how, lastWords(child.json));
    });
  }
  const allEnded = Promise.all(children.map(({ ended }) => ended)).then(() => {});
  watch.progress('all are up; waiting for a wave');
  const { promise: aborted, resolve: onAbort } = Promise.withResolvers<false>();
  signal.addEventListener('abort', () => onAbort(false), { once: true });
  if (signal.aborted) onAbort(false);
  const isMoving = await Promise.race([moves(nodes), allEnded.then(() => false), aborted]);
  watch.progress('');
  return { localnet: withPids(localnet, children), isMoving, allEnded, stop, kill };
}

async function allUp(
  children: readonly ChildNode[],
  watch: LocalnetWatch,
  signal: AbortSignal,
): Promise<void> {
  let count = 0;
  const tell = (): void => watch.progress(`starting: ${count} of ${children.length} nodes are up`);
  tell();
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const slow = children[0];
    reject(notUp(slow?.name ?? 'a node', slow?.json, 'it takes more than two minutes'));
  }, UP_AT_MOST_MS);
  const cancel = (): void => reject(new PydeError('pyde.cancelled', 'stopped before all were up'));
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  const each = children.map(async (child) => {
    const how = await child.up();
    if (how !== undefined) throw notUp(child.name, child.json, lastWords(child.json));
    count++;
    tell();
  });
  try {
    await Promise.race([Promise.all(each), tooLate]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
    // Nobody waits for the rest of them any more.
    for (const one of each) one.catch(() => {});
    watch.progress('');
  }
}

const notUp = (name: string, json: NodeJson | undefined, why: string) =>
  new PydeError<LocalnetErrorCode>(
    'localnet.node',
    `${name} did not come up: ${why}; its log is ${json?.folder}/node.log`,
  );

/** Whether the first node executes a wave that it had not before. */
async function moves([first]: readonly NodeJson[]): Promise<boolean> {
  if (first === undefined) return false;
  const client = new RpcClient(first.rpc_url, { timeoutMs: 2_000 });
  const wave = async (): Promise<number> => Number(await client.call('pyde_waveId'));
  const untilMs = performance.now() + WAVE_AT_MOST_MS;
  const before = await wave().catch(() => 0);
  while (performance.now() < untilMs) {
    if ((await wave().catch(() => 0)) > before) return true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}

function withPids(localnet: LocalnetJson, children: readonly ChildNode[]): LocalnetJson {
  const pid = (node: NodeJson): NodeJson => ({
    ...node,
    pid: children.find(({ json }) => json.folder === node.folder)?.pid ?? null,
  });
  return {
    ...localnet,
    validators: localnet.validators.map(pid),
    full_nodes: localnet.full_nodes.map(pid),
  };
}

/** Those of a run that was just ended may need a moment. @throws what `check` throws in the end */
async function patiently(signal: AbortSignal, check: () => Promise<void> | void): Promise<void> {
  const untilMs = performance.now() + ENDING_AT_MOST_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (signal.aborted || performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

function requireNoneRunning(nodes: readonly NodeJson[]): void {
  const pids = nodes.map(({ folder }) => livePid(folder)).filter((pid) => pid !== undefined);
  if (pids.length === 0) return;
  throw new PydeError<LocalnetErrorCode>(
    'localnet.running',
    `nodes of this localnet run already; stop them with: kill ${pids.join(' ')}`,
  );
}

/** @throws PydeError `localnet.port` */
async function requireFree(port: number): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  } catch {
    throw new PydeError<LocalnetErrorCode>(
      'localnet.port',
      `port ${port} is taken by another program; stop that program, or choose other ports with ` +
        '--rpc-base',
      { port },
    );
  } finally {
    server.close();
  }
}

async function stopOther({ folder }: NodeJson): Promise<void> {
  const pid = livePid(folder);
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGTERM');
    const untilMs = performance.now() + OTHERS_AT_MOST_MS;
    while (livePid(folder) === pid && performance.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } catch {
    // It has ended meanwhile.
  }
}
