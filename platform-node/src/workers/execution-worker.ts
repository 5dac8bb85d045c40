/**
 * The execution thread: state and, later, the virtual machine; one wave at a time. It owns all
 * writes of state. A wave's writes reach the store as one atomic batch before its result is told,
 * so whoever reads after the result sees the whole wave.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isPydeError } from '@pyde/core/bytes';
import type { CommittedWave } from '@pyde/core/consensus';
import { falconVerifyBatch } from '@pyde/core/crypto';
import { executeWave, Retention, readHeadWave } from '@pyde/core/execution';
import type { ExecutedWave } from '@pyde/core/node';
import { StateStore } from '@pyde/core/state';
import type { GenesisParameters, Hash, WaveCommitRecord } from '@pyde/core/types';
import { LevelStore } from '../store/level-store.ts';
import type { ExecutionReply, ExecutionRequest, ExecutionSetup } from './execution-thread.ts';

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');
const setup = workerData as ExecutionSetup;
const parameters: GenesisParameters = setup.parameters;

const store = await LevelStore.open(setup.folder);
const state = StateStore.open(store);
const found = readHeadWave(store);
if (found === undefined) throw new Error('execution starts on a store that holds a chain');
const retention = await Retention.open(state, store);
let head: { readonly record: WaveCommitRecord; readonly digest: Hash } = found;

async function execute(wave: CommittedWave): Promise<ExecutedWave> {
  const input = { ...wave, prevDigest: head.digest, priorTimestampMs: head.record.timestampMs };
  const result = executeWave({ state, store, parameters, verify: falconVerifyBatch }, input);
  const deletions = retention.deletions(result.record, result.writes.length);
  await store.batch([...result.writes, ...deletions], { sync: false });
  state.adopt(result.prepared);
  const { record, digest, executed, passedOver } = result;
  head = { record, digest };
  return { record, digest, executed, passedOver };
}

async function answer(request: ExecutionRequest): Promise<ExecutionReply> {
  if (request.kind === 'close') {
    await store.close();
    return { ok: true, waves: [] };
  }
  const waves: ExecutedWave[] = [];
  for (const wave of request.waves) waves.push(await execute(wave));
  return { ok: true, waves };
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
port.postMessage({ ok: true, waves: [] } satisfies ExecutionReply);
