/**
 * What a transaction would do if the next wave held it alone, and which entries of the state it
 * would touch. Every rule holds but the signature's, so that clients can ask before they sign.
 *
 * Fees land once a wave, not with the transaction: the accounts that they go to are not among the
 * entries.
 */
import { readAccount } from '../account/index.ts';
import { toHex } from '../bytes/index.ts';
import { Overlay, type StateKey, type StateReader, stateKeyBytes } from '../state/index.ts';
import { checkTx } from '../tx/index.ts';
import type { GenesisParameters, Quanta, Tx } from '../types/index.ts';
import { applyTx } from './apply-tx.ts';
import type { Outcome } from './operation.ts';
import { requireBalance, requireRunnable, requireUsableNonce } from './standing.ts';

export interface SimulationContext {
  readonly state: StateReader;
  readonly chainId: bigint;
  readonly parameters: GenesisParameters;
  /** The wave that it would run in. */
  readonly waveId: bigint;
  /** Quanta a unit of gas in that wave. */
  readonly baseFee: bigint;
}

export interface Simulation extends Outcome {
  readonly feePaid: Quanta;
  /** In the order of their first read. */
  readonly reads: readonly StateKey[];
  /** In key order. */
  readonly writes: readonly StateKey[];
}

/** @throws PydeError naming the rule that keeps it from running */
export function simulateTx(context: SimulationContext, tx: Tx): Simulation {
  const { state, chainId, parameters, waveId, baseFee } = context;
  checkTx(tx, { chainId, waveGasCeiling: parameters.waveGasCeiling });
  const seen = new Map<string, StateKey>();
  const recorder: StateReader = {
    get: (key) => {
      seen.set(toHex(stateKeyBytes(key)), key);
      return state.get(key);
    },
  };
  const overlay = new Overlay(recorder);
  const sender = readAccount(overlay, tx.from);
  requireUsableNonce(tx, sender);
  requireRunnable(tx, sender, readAccount(overlay, tx.to), waveId);
  requireBalance(tx, sender, baseFee, 0n);
  const outcome = applyTx(overlay, tx, baseFee);
  const writes = overlay.changes().map(({ key }) => key);
  return { ...outcome, reads: [...seen.values()], writes };
}
