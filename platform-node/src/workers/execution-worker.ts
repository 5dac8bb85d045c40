/**
 * The execution thread: state and, later, the virtual machine; one wave at a time. It owns all
 * writes of state. A wave's writes reach the store in one atomic batch, with those of small waves of
 * the same request, before its result is told: whoever reads after the result sees the whole wave.
 * It may compute waves before their order is on disk, and waits for a permit before it writes them.
 */
import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { isPydeError } from '@pyde/core/bytes';
import { falconVerifyBatch } from '@pyde/core/crypto';
import {
  ARCHIVE,
  DEFAULT_RETENTION,
  VerifiedTransactions,
  WaveExecutor,
} from '@pyde/core/execution';
import type { ExecutedWave } from '@pyde/core/node';
import { GroupedStore } from '../store/grouped-store.ts';
import { LevelStore } from '../store/level-store.ts';
import type { ExecutionReply, ExecutionRequest, ThreadSetup } from './execution-thread.ts';
import { WritePermits } from './write-permits.ts';

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');
const setup = workerData as ThreadSetup;

const permits = new WritePermits(setup.permits);
let requests = 0n;
const store = new GroupedStore(await LevelStore.open(setup.folder), () =>
  permits.waitFor(requests),
);
const { parameters } = setup;
const retention = setup.isArchive === true ? ARCHIVE : DEFAULT_RETENTION;
const verified = new VerifiedTransactions();
const verify = falconVerifyBatch;
const executor = await WaveExecutor.open({ store, parameters, verify, verified, retention });

async function answer(request: ExecutionRequest): Promise<ExecutionReply> {
  if (request.kind === 'close') {
    await store.close();
    return done([]);
  }
  requests++;
  verified.add(request.verified);
  const waves: ExecutedWave[] = [];
  for (const wave of request.waves) {
    const executed = await executor.execute(wave);
    // Transactions that a peer sent for it make another record: it and what follows are not executed.
    if (executed === undefined) break;
    waves.push(executed);
  }
  await store.flush();
  return done(waves);
}

function done(waves: readonly ExecutedWave[]): ExecutionReply {
  return { ok: true, waves, heapBytes: getHeapStatistics().used_heap_size };
}

/** What a failing disk says of itself; of a defect, where it is. */
function failure(error: unknown): ExecutionReply {
  if (isPydeError(error)) return { ok: false, code: error.code, message: error.message };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { ok: false, code: 'execution.failed', message };
}

/** Requests are answered one after the other, in their order. */
let turn = Promise.resolve();
port.on('message', (request: ExecutionRequest) => {
  turn = turn.then(async () => {
    try {
      port.postMessage(await answer(request));
    } catch (error) {
      port.postMessage(failure(error));
    }
    if (request.kind === 'close') port.close();
  });
});
port.postMessage(done([]));
