/**
 * What the pool asks of a transaction beside others of its sender (design/state-and-execution.md,
 * "Accounts and transactions"): a place in the nonce window of its own, and a gas tank that holds what
 * all of them withdraw. What the executor asks is the executor's.
 */
import { type Account, nonceStanding } from '../account/index.ts';
import { isPydeError, PydeError } from '../bytes/index.ts';
import { decodeGasTankWithdraw } from '../tx/index.ts';
import { TX_TYPE, type Tx } from '../types/index.ts';

export type MempoolErrorCode =
  | 'mempool.full'
  | 'mempool.rate'
  | 'mempool.sender-full'
  | 'mempool.nonce-pending'
  | 'mempool.registration-pending'
  | 'mempool.keys-changed'
  | 'mempool.gas-tank'
  | 'mempool.evicted';

/** The nonce window. */
const MAX_PENDING_PER_SENDER = 16;

interface Pending {
  /** The hash, in hex. */
  readonly name: string;
  readonly tx: Tx;
}

/**
 * Those of a sender's transactions that the state has not executed. State may be ahead of what the
 * pool was told of: a client that saw a receipt counts on its place in the window.
 */
export function stillToRun(
  pending: ReadonlyMap<bigint, Pending> | undefined,
  sender: Account,
): ReadonlyMap<bigint, Pending> {
  const entries = [...(pending ?? [])];
  return new Map(entries.filter(([, { tx }]) => nonceStanding(sender, tx.nonce) === 'usable'));
}

/** One nonce, one pending transaction; nothing beside a registration. @throws PydeError */
export function requirePlace(tx: Tx, pending: ReadonlyMap<bigint, Pending>): void {
  if (pending.size >= MAX_PENDING_PER_SENDER) {
    throw new PydeError(
      'mempool.sender-full',
      `the sender has ${pending.size} transactions pending, which is all it may; wait for one`,
      { pending: pending.size },
    );
  }
  for (const other of pending.values()) {
    if (other.tx.type !== TX_TYPE.registerPubkey) continue;
    throw new PydeError(
      'mempool.registration-pending',
      'the registration of the sender is pending; wait for its receipt, then send this',
      { pending: other.name },
    );
  }
  const rival = pending.get(tx.nonce);
  if (rival !== undefined) {
    throw new PydeError(
      'mempool.nonce-pending',
      `another transaction with nonce ${tx.nonce} is pending; sign with the next free nonce`,
      { nonce: tx.nonce.toString(), pending: rival.name },
    );
  }
}

/** @throws PydeError `mempool.gas-tank` */
export function requireTank(tx: Tx, sender: Account, withdrawn: bigint): void {
  const amount = withdrawalOf(tx);
  if (amount > 0n && sender.gasTank < amount + withdrawn) {
    throw new PydeError(
      'mempool.gas-tank',
      `the gas tank holds ${sender.gasTank} quanta where ${amount + withdrawn} are asked for, ` +
        'what is pending included; withdraw less',
      { tank: sender.gasTank.toString(), asked: (amount + withdrawn).toString() },
    );
  }
}

/** What a transaction takes out of the gas tank of its sender. */
export const withdrawalOf = (tx: Tx): bigint =>
  tx.type === TX_TYPE.gasTankWithdraw ? decodeGasTankWithdraw(tx.data).amount : 0n;

export function keysChanged(): PydeError<MempoolErrorCode> {
  return new PydeError(
    'mempool.keys-changed',
    'the keys of the sender changed after this was signed; sign it with the new ones',
  );
}

export function wasEvicted(): PydeError<MempoolErrorCode> {
  return new PydeError(
    'mempool.evicted',
    'the pool was full and this was the lowest-paying, newest transaction in it; send it again',
  );
}

/** The checks in `check` read no store: what they refuse is the transaction's doing. */
export function refusedBy(check: () => void): PydeError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (isPydeError(error)) return error;
    throw error;
  }
}
