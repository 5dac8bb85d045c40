/**
 * Whether a transaction that is right in itself may run on a given state: deadline, nonce, balance
 * and the rule of its type (design/state-and-execution.md, "Accounts and transactions"). The same
 * questions are asked at admission, of the newest state, and in a wave, of the state at its turn.
 */
import { type Account, hasAuthKeys, nonceStanding } from '../account/index.ts';
import { isZeroBytes, PydeError } from '../bytes/index.ts';
import { decodeGasTankDeposit, INTRINSIC_GAS } from '../tx/index.ts';
import { TX_TYPE, type Tx } from '../types/index.ts';

export type StandingErrorCode =
  | 'tx.expired'
  | 'tx.not-served'
  | 'account.nonce-past'
  | 'account.nonce-used'
  | 'account.nonce-far'
  | 'account.balance'
  | 'account.registered'
  | 'account.unfunded';

/** Quanta that leave the sender's balance besides the fee. */
export function spendOf(tx: Tx): bigint {
  const deposit = tx.type === TX_TYPE.gasTankDeposit ? decodeGasTankDeposit(tx.data).amount : 0n;
  return tx.value + deposit;
}

/** The most that its gas can cost; a RegisterPubkey costs nothing. */
export function maxFeeOf(tx: Tx, baseFee: bigint): bigint {
  return tx.type === TX_TYPE.registerPubkey ? 0n : tx.gasLimit * baseFee;
}

/**
 * The most gas that it can use, which is what it takes of its wave. All types that are served have
 * a fixed price: a high gas limit must not crowd others out of a wave that it never fills.
 */
export function gasBoundOf(tx: Tx): bigint {
  return tx.type === TX_TYPE.registerPubkey ? 0n : INTRINSIC_GAS;
}

/**
 * Everything but nonce and balance, which admission counts with what is pending.
 * @param recipient the account at `tx.to`
 * @param waveId the wave in which it would run
 * @throws PydeError of {@link StandingErrorCode}
 */
export function requireRunnable(tx: Tx, sender: Account, recipient: Account, waveId: bigint): void {
  if (tx.deadline !== undefined && waveId > tx.deadline) {
    throw new PydeError(
      'tx.expired',
      `its deadline was wave ${tx.deadline}, the next is wave ${waveId}; sign it with a later one`,
      { deadline: tx.deadline.toString(), wave: waveId.toString() },
    );
  }
  if (tx.type === TX_TYPE.registerPubkey) requireRegistrable(sender);
  if (tx.type === TX_TYPE.standard && hasCode(recipient)) {
    throw new PydeError(
      'tx.not-served',
      'the recipient is a contract, and this version does not serve calls; send to another account',
    );
  }
}

/** @throws PydeError `account.nonce-past`, `account.nonce-used`, `account.nonce-far` */
export function requireUsableNonce(tx: Tx, sender: Account): void {
  const window = `[${sender.nonceBase}, ${sender.nonceBase + 15n}]`;
  const details = { nonce: tx.nonce.toString(), base: sender.nonceBase.toString() };
  const standing = nonceStanding(sender, tx.nonce);
  switch (standing) {
    case 'usable':
      return;
    case 'past':
    case 'used':
      throw new PydeError(
        standing === 'past' ? 'account.nonce-past' : 'account.nonce-used',
        `nonce ${tx.nonce} is used already; sign with an unused one of ${window}`,
        details,
      );
    case 'far':
      throw new PydeError(
        'account.nonce-far',
        `nonce ${tx.nonce} is above the window ${window}; use the nonces below it first`,
        details,
      );
    default:
      standing satisfies never;
  }
}

/**
 * @param promised quanta of the sender that other pending transactions may take
 * @throws PydeError `account.balance`
 */
export function requireBalance(tx: Tx, sender: Account, baseFee: bigint, promised: bigint): void {
  const needed = spendOf(tx) + maxFeeOf(tx, baseFee);
  if (sender.balance < needed + promised) {
    const pending = promised === 0n ? '' : ` and ${promised} for what is pending`;
    throw new PydeError(
      'account.balance',
      `the sender has ${sender.balance} quanta where ${needed} are needed (amount + gas limit × ` +
        `base fee ${baseFee})${pending}; fund it, or send less`,
      {
        balance: sender.balance.toString(),
        needed: needed.toString(),
        pending: promised.toString(),
      },
    );
  }
}

function requireRegistrable(sender: Account): void {
  if (hasAuthKeys(sender)) {
    throw new PydeError(
      'account.registered',
      'the account has its public key on record already; change it with RotateKeys',
    );
  }
  if (sender.balance === 0n) {
    throw new PydeError(
      'account.unfunded',
      'an account registers its key once it has a balance; send it some quanta first',
    );
  }
}

const hasCode = (account: Account): boolean =>
  account.accountType === 'contract' || !isZeroBytes(account.codeHash);
