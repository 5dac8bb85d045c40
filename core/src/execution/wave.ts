/**
 * The execution of one wave (design/state-and-execution.md, "Accounts and transactions";
 * design/consensus.md, "Waves"): serial, deterministic, and a function of the state, the genesis
 * parameters and the input alone.
 *
 * Members order bytes, and some members may be faulty: nothing about the transactions is trusted,
 * and none of them can make a wave fail. One that breaks a rule is passed over and leaves no trace
 * in the state; one that breaks none runs, gets a receipt and pays, whether it succeeds or not.
 */
import {
  accountKey,
  REWARD_POOL_ADDRESS,
  readAccount,
  TREASURY_ADDRESS,
} from '../account/index.ts';
import { invariant, isPydeError, PydeError, toHex } from '../bytes/index.ts';
import type { KeyValueStore, StoreWrite, VerifySignatures } from '../platform/index.ts';
import {
  Overlay,
  type PreparedState,
  STATE_KIND,
  type StateKey,
  type StateStore,
} from '../state/index.ts';
import { checkTx, decodeTx, merkleListRoot, txHash } from '../tx/index.ts';
import {
  type Address,
  type Epoch,
  EVENTS_BLOOM_BYTES,
  type GenesisParameters,
  type Hash,
  type Nonce,
  type Quanta,
  type Receipt,
  type Round,
  type Tx,
  type TxHash,
  type VertexHash,
  type WaveCommitRecord,
  type WaveId,
  waveDigest,
  ZERO_HASH,
} from '../types/index.ts';
import { applyTx } from './apply-tx.ts';
import { archiveWrites, type ExecutedTx, readReceiptOf, txRootLeaf } from './archive.ts';
import { Authorizations } from './authorize.ts';
import { chargedBaseFee, nextScaledBaseFee, splitFee } from './base-fee.ts';
import { advanceEpoch, epochOf, type HandOver } from './epoch-change.ts';
import { readFeeState, writeFeeState } from './fee-state.ts';
import { credit } from './operation.ts';
import { gasBoundOf, requireBalance, requireRunnable, requireUsableNonce } from './standing.ts';
import type { VerifiedTransactions, VerifiedTx } from './verified-transactions.ts';

export interface ExecutionContext {
  /** At the wave before. */
  readonly state: StateStore;
  readonly store: KeyValueStore;
  readonly parameters: GenesisParameters;
  readonly verify: VerifySignatures;
  /** Saves work and changes no outcome. */
  readonly verified?: Pick<VerifiedTransactions, 'find'>;
}

export interface WaveInput {
  readonly chainId: bigint;
  readonly epoch: Epoch;
  readonly waveId: WaveId;
  readonly anchorRound: Round;
  readonly priorAnchorRound: Round;
  readonly anchorHash: VertexHash;
  readonly prevDigest: Hash;
  readonly timestampMs: bigint;
  readonly priorTimestampMs: bigint;
  /** Wire bytes in committed order; those of a wave after the epoch's last ones are ignored. */
  readonly transactions: readonly Uint8Array[];
}

export interface ExecutedSummary {
  readonly hash: TxHash;
  readonly from: Address;
  readonly nonce: Nonce;
  readonly receipt: Receipt;
}

export interface PassedOver {
  /** Undefined when the bytes are no transaction. */
  readonly hash: TxHash | undefined;
  /** Place in the wave's input. */
  readonly index: number;
  /** The code of the rule that it breaks; see {@link isRetryable}. */
  readonly reason: string;
}

export interface WaveResult {
  readonly record: WaveCommitRecord;
  readonly digest: Hash;
  readonly executed: readonly ExecutedSummary[];
  readonly passedOver: readonly PassedOver[];
  /** State and every table, for one atomic batch; then `state.adopt(prepared)`. */
  readonly writes: readonly StoreWrite[];
  readonly prepared: PreparedState;
}

/** A transaction that decodes and keeps every rule that does not ask the state. */
interface Candidate {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly tx: Tx;
  readonly hash: TxHash;
  readonly verified: VerifiedTx | undefined;
}

interface RunningWave {
  readonly overlay: Overlay;
  readonly waveId: WaveId;
  readonly baseFee: Quanta;
  readonly executed: ExecutedTx[];
  readonly executedHashes: Set<string>;
  readonly passedOver: PassedOver[];
  gasUsed: bigint;
  burned: bigint;
  rewardPool: bigint;
  treasury: bigint;
}

const RETRYABLE: ReadonlySet<string> = new Set(['wave.gas-ceiling', 'account.nonce-far']);

/** True when a transaction passed over for `reason` may run in a later wave as it is. */
export const isRetryable = (reason: string): boolean => RETRYABLE.has(reason);

/** Computes a wave and writes nothing. Never fails because of a transaction. */
export function executeWave(context: ExecutionContext, input: WaveInput): WaveResult {
  const { state, store, parameters } = context;
  invariant(input.timestampMs > input.priorTimestampMs, 'wave timestamps increase');
  const fees = readFeeState(state);
  const wave: RunningWave = {
    overlay: new Overlay(state),
    waveId: input.waveId,
    baseFee: chargedBaseFee(fees.baseFeeScaled),
    executed: [],
    executedHashes: new Set(),
    passedOver: [],
    gasUsed: 0n,
    burned: 0n,
    rewardPool: 0n,
    treasury: 0n,
  };
  const epoch = epochOf(context, wave.overlay, input);
  const ordered = epoch.takesTransactions ? input.transactions : [];
  const candidates = readCandidates(context, { ...input, transactions: ordered }, wave);
  state.prefetch(keysOf(candidates));
  const authorizations = judgeSignatures(context, candidates, wave);
  for (const candidate of candidates) {
    const refusal = refusalOf(candidate, authorizations, wave, context);
    if (refusal === undefined) execute(candidate, wave, parameters);
    else {
      const { hash, index } = candidate;
      wave.passedOver.push({ hash, index, reason: refusal.code });
    }
  }
  wave.passedOver.sort((a, b) => a.index - b.index);
  settleFees(wave);
  writeFeeState(wave.overlay, {
    ...fees,
    burned: fees.burned + wave.burned,
    baseFeeScaled: nextScaledBaseFee(fees.baseFeeScaled, {
      gasUsed: wave.gasUsed,
      elapsedMs: input.timestampMs - input.priorTimestampMs,
      gasTargetPerSecond: parameters.gasTargetPerSecond,
    }),
  });
  const handOver = advanceEpoch(context, wave.overlay, epoch, input);
  return sealWave(context, input, wave, { store, handOver });
}

function readCandidates(
  { parameters, verified }: ExecutionContext,
  input: WaveInput,
  wave: RunningWave,
): Candidate[] {
  const rules = { chainId: input.chainId, waveGasCeiling: parameters.waveGasCeiling };
  const known = verified?.find(input.transactions) ?? [];
  const candidates: Candidate[] = [];
  input.transactions.forEach((bytes, index) => {
    let hash: TxHash | undefined;
    try {
      const tx = decodeTx(bytes);
      hash = known[index]?.hash ?? txHash(tx);
      checkTx(tx, rules);
      candidates.push({ index, bytes, tx, hash, verified: known[index] });
    } catch (error) {
      if (!isPydeError(error)) throw error;
      wave.passedOver.push({ hash, index, reason: error.code });
    }
  });
  return candidates;
}

/** What the wave is known to read before it runs: the accounts it names, and its access lists. */
function* keysOf(candidates: readonly Candidate[]): Generator<StateKey> {
  for (const { tx } of candidates) {
    yield accountKey(tx.from);
    yield accountKey(tx.to);
    for (const { address, storageKeys } of tx.accessList) {
      yield accountKey(address);
      for (const slot of storageKeys) yield { kind: STATE_KIND.contract, owner: address, slot };
    }
  }
}

/** One batch for all that may still run: deadlines and used nonces never become right again. */
function judgeSignatures(
  { state, verify }: ExecutionContext,
  candidates: readonly Candidate[],
  wave: RunningWave,
): Authorizations {
  const authorizations = new Authorizations(verify);
  const hopeful: { signed: Candidate; sender: ReturnType<typeof readAccount> }[] = [];
  for (const candidate of candidates) {
    const { tx } = candidate;
    const sender = readAccount(state, tx.from);
    const recipient = readAccount(state, tx.to);
    const refusal = caught(() => {
      requireRunnable(tx, sender, recipient, wave.waveId);
      requireUsableNonce(tx, sender);
    });
    if (refusal === undefined) hopeful.push({ signed: candidate, sender });
  }
  authorizations.judgeAll(hopeful, state);
  return authorizations;
}

function refusalOf(
  candidate: Candidate,
  authorizations: Authorizations,
  wave: RunningWave,
  { parameters, store }: ExecutionContext,
): PydeError | undefined {
  const { tx, hash } = candidate;
  const sender = readAccount(wave.overlay, tx.from);
  const recipient = readAccount(wave.overlay, tx.to);
  const refusal =
    caught(() => {
      requireUsableNonce(tx, sender);
      requireRunnable(tx, sender, recipient, wave.waveId);
      requireBalance(tx, sender, wave.baseFee, 0n);
    }) ?? authorizations.refusalOf(candidate, sender, wave.overlay);
  if (refusal === undefined) return ceilingRefusal(tx, wave, parameters);
  const nonceGone = refusal.code === 'account.nonce-used' || refusal.code === 'account.nonce-past';
  return nonceGone && wasExecuted(hash, wave, store) ? alreadyExecuted() : refusal;
}

/** Tells a copy of what ran from another transaction with its nonce; for the reason's sake only. */
function wasExecuted(hash: TxHash, wave: RunningWave, store: KeyValueStore): boolean {
  return wave.executedHashes.has(toHex(hash)) || readReceiptOf(store, hash) !== undefined;
}

function alreadyExecuted(): PydeError {
  return new PydeError('tx.already-executed', 'it was executed before; ask for its receipt');
}

function ceilingRefusal(
  tx: Tx,
  wave: RunningWave,
  { waveGasCeiling }: GenesisParameters,
): PydeError | undefined {
  if (wave.gasUsed + gasBoundOf(tx) <= waveGasCeiling) return undefined;
  return new PydeError(
    'wave.gas-ceiling',
    `its ${gasBoundOf(tx)} gas do not fit into what is left of the wave's ${waveGasCeiling}; ` +
      'it goes into a later wave',
  );
}

/** Runs one transaction whose rules all hold. */
function execute(candidate: Candidate, wave: RunningWave, parameters: GenesisParameters): void {
  const { tx, hash, bytes } = candidate;
  const { feePaid, ...outcome } = applyTx(wave.overlay, tx, wave.baseFee);
  const shares = splitFee(feePaid, parameters);
  wave.burned += shares.burned;
  wave.rewardPool += shares.rewardPool;
  wave.treasury += shares.treasury;
  wave.gasUsed += outcome.gasUsed;
  const receipt: Receipt = {
    txHash: hash,
    waveId: wave.waveId,
    txIndex: wave.executed.length,
    status: outcome.status,
    gasUsed: outcome.gasUsed,
    feePaid,
    returnData: new Uint8Array(0),
    eventCount: 0,
    revertReason: outcome.revertReason,
  };
  wave.executed.push({ tx, bytes, receipt });
  wave.executedHashes.add(toHex(hash));
}

/** Once a wave: no transaction of the wave can see or spend these. */
function settleFees(wave: RunningWave): void {
  if (wave.rewardPool > 0n) credit(wave.overlay, REWARD_POOL_ADDRESS, wave.rewardPool);
  if (wave.treasury > 0n) credit(wave.overlay, TREASURY_ADDRESS, wave.treasury);
}

function sealWave(
  { state }: ExecutionContext,
  input: WaveInput,
  wave: RunningWave,
  { store, handOver }: { readonly store: KeyValueStore; readonly handOver: HandOver },
): WaveResult {
  const prepared = state.prepare(input.waveId, wave.overlay.changes());
  const record: WaveCommitRecord = {
    chainId: input.chainId,
    epoch: input.epoch,
    waveId: input.waveId,
    anchorRound: input.anchorRound,
    priorAnchorRound: input.priorAnchorRound,
    anchorHash: input.anchorHash,
    prevDigest: input.prevDigest,
    timestampMs: input.timestampMs,
    stateRoot: prepared.root,
    eventsRoot: ZERO_HASH,
    eventsBloom: new Uint8Array(EVENTS_BLOOM_BYTES),
    txRoot: merkleListRoot(wave.executed.map(({ receipt }) => txRootLeaf(receipt))),
    txCount: wave.executed.length,
    eventsCount: 0,
    gasUsed: wave.gasUsed,
    baseFee: wave.baseFee,
    ...handOver,
  };
  return {
    record,
    digest: waveDigest(record),
    executed: wave.executed.map(({ tx, receipt }) => ({
      hash: receipt.txHash,
      from: tx.from,
      nonce: tx.nonce,
      receipt,
    })),
    passedOver: wave.passedOver,
    writes: [...prepared.writes, ...archiveWrites(store, record, wave.executed)],
    prepared,
  };
}

/**
 * The checks in `check` read no store: what they refuse is the transaction's doing. A damaged
 * store must never look like a transaction that breaks a rule.
 */
function caught(check: () => void): PydeError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (isPydeError(error)) return error;
    throw error;
  }
}
