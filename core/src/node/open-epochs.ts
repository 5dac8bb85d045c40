/**
 * The epoch that a restart goes on in (design/consensus.md, "Epochs"). What the store holds says it:
 * the epoch of the newest wave, and the one after it if that wave closed its epoch and is certified.
 */
import { invariant, isPydeError } from '../bytes/index.ts';
import {
  ConsensusRecords,
  dropRecordsBefore,
  isJoining,
  restoreConsensus,
  unjoinedEpoch,
} from '../consensus/index.ts';
import { readWaveRecord } from '../execution/index.ts';
import { type Hash, toEpoch, type WaveCommitRecord } from '../types/index.ts';
import { type EpochRecord, genesisEpoch, readEpochState } from '../validators/index.ts';
import { describeEpoch } from './epoch-description.ts';
import { Epochs, type EpochsSetup, type RunningEpoch, runEpoch } from './epochs.ts';

/**
 * @param head the newest executed wave
 * @throws PydeError `consensus.store`, `state.*`, `borsh.*` for a damaged store
 */
export async function openEpochs(
  setup: EpochsSetup,
  head: { readonly record: WaveCommitRecord; readonly digest: Hash },
): Promise<Epochs> {
  const { store } = setup;
  const { record: newest } = head;
  const state = epochStateOf(setup, newest);
  if (isJoining(store)) return openUnjoined(setup, state.current);
  const isBetween = newest.epoch < state.current.epoch;
  const isCertified = new ConsensusRecords(store, newest.epoch).hasCert(newest.waveId);
  if (isBetween && !isCertified) {
    // Closed, and not known to be: the machine of the old epoch goes on until it is.
    invariant(state.previous !== undefined, 'the state keeps the epoch that its wave closed');
    const current = await restoreEpoch(setup, state.previous, newest);
    return new Epochs(setup, { current, previous: undefined, closing: undefined, closed: head });
  }
  const current = await restoreEpoch(setup, state.current, newest);
  const { epoch, closingWave } = state.current;
  const previous = await servedEpoch(setup, state.previous, state.current);
  await dropRecordsBefore(store, toEpoch(Math.max(0, epoch - 1)));
  const closing = epoch === 0 ? undefined : new ConsensusRecords(store, epoch).cert(closingWave);
  return new Epochs(setup, { current, previous, closing, closed: undefined });
}

/** The last run was following the waves of others; the machine waits until that is done. */
async function openUnjoined(setup: EpochsSetup, record: EpochRecord): Promise<Epochs> {
  const { store, genesis } = setup;
  const description = describeEpoch(store, genesis, record);
  const beginning = readWaveRecord(store, record.closingWave);
  invariant(
    description !== undefined && beginning !== undefined,
    'the store holds the records of its waves',
  );
  const restored = await unjoinedEpoch(store, beginning, record.epoch);
  const current = runEpoch(setup, description, restored);
  return new Epochs(setup, { current, previous: undefined, closing: undefined, closed: undefined });
}

/** Before wave 1 the state says nothing of the epoch, or something of another chain. */
function epochStateOf(
  { genesis, state }: EpochsSetup,
  { waveId }: WaveCommitRecord,
): { readonly current: EpochRecord; readonly previous: EpochRecord | undefined } {
  if (waveId === 0n) return { current: genesisEpoch(genesis), previous: undefined };
  const epochs = readEpochState(state);
  invariant(epochs !== undefined, 'wave 1 wrote the epoch');
  return epochs;
}

async function restoreEpoch(
  setup: EpochsSetup,
  record: EpochRecord,
  head: WaveCommitRecord,
): Promise<RunningEpoch> {
  const description = describeEpoch(setup.store, setup.genesis, record);
  invariant(description !== undefined, 'the store holds the records of its waves');
  return runEpoch(setup, description, await restoreConsensus(setup.store, head, record.epoch));
}

/**
 * The epoch before, for those who still need its DAG. A node that came to the current one without
 * the DAG has nothing to serve, and is none the worse for it.
 */
async function servedEpoch(
  setup: EpochsSetup,
  record: EpochRecord | undefined,
  current: EpochRecord,
): Promise<RunningEpoch | undefined> {
  const closing = readWaveRecord(setup.store, current.closingWave);
  if (record === undefined || closing === undefined) return undefined;
  try {
    return await restoreEpoch(setup, record, closing);
  } catch (error) {
    if (isPydeError(error) && error.code === 'consensus.store') return undefined;
    throw error;
  }
}
