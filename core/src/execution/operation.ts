/**
 * What each served transaction type does to the state (spec/wire.md, "Transaction"). Nonce and fee
 * are the caller's; an operation runs on an overlay of its own, which a revert throws away.
 */
import { readAccount, setAuthKeys, writeAccount } from '../account/index.ts';
import { invariant } from '../bytes/index.ts';
import type { Overlay } from '../state/index.ts';
import {
  decodeGasTankDeposit,
  decodeGasTankWithdraw,
  decodeRegisterPubkey,
  decodeRotateKeys,
  INTRINSIC_GAS,
} from '../tx/index.ts';
import {
  type Address,
  type ReceiptStatus,
  type RevertReason,
  TX_TYPE,
  type Tx,
  toQuanta,
} from '../types/index.ts';

export interface Outcome {
  readonly status: ReceiptStatus;
  readonly gasUsed: bigint;
  readonly revertReason: RevertReason | undefined;
}

const MAX_KEY_NONCE = 0xffff_ffff;

const DONE: Outcome = { status: 'success', gasUsed: INTRINSIC_GAS, revertReason: undefined };

/** Runs a transaction whose rules all hold; a balance that it spends was checked to be there. */
export function runOperation(tx: Tx, overlay: Overlay): Outcome {
  switch (tx.type) {
    case TX_TYPE.standard:
      debit(overlay, tx.from, tx.value);
      credit(overlay, tx.to, tx.value);
      return DONE;
    case TX_TYPE.registerPubkey:
      return register(tx, overlay);
    case TX_TYPE.rotateKeys:
      return rotate(tx, overlay);
    case TX_TYPE.gasTankDeposit:
      return deposit(tx, overlay);
    case TX_TYPE.gasTankWithdraw:
      return withdraw(tx, overlay);
    default:
      throw new Error(`invariant broken: type ${tx.type} is not served and was not passed over`);
  }
}

/** Adds to a balance; creates the account when there is none. */
export function credit(overlay: Overlay, address: Address, amount: bigint): void {
  const account = readAccount(overlay, address);
  const balance = toQuanta(account.balance + amount);
  writeAccount(overlay, address, { ...account, balance });
}

export function debit(overlay: Overlay, address: Address, amount: bigint): void {
  const account = readAccount(overlay, address);
  invariant(account.balance >= amount, 'what is spent was checked to be there');
  writeAccount(overlay, address, { ...account, balance: toQuanta(account.balance - amount) });
}

/** Free of charge (spec/wire.md, "RegisterPubkey"). */
function register(tx: Tx, overlay: Overlay): Outcome {
  const account = readAccount(overlay, tx.from);
  const key = decodeRegisterPubkey(tx.data);
  const registered = setAuthKeys(overlay, tx.from, account, { kind: 'single', key });
  writeAccount(overlay, tx.from, registered);
  return { ...DONE, gasUsed: 0n };
}

function rotate(tx: Tx, overlay: Overlay): Outcome {
  const account = readAccount(overlay, tx.from);
  if (account.keyNonce === MAX_KEY_NONCE) {
    return refuse('the account has rotated its keys as often as its record can count');
  }
  const rotated = setAuthKeys(overlay, tx.from, account, decodeRotateKeys(tx.data));
  writeAccount(overlay, tx.from, { ...rotated, keyNonce: account.keyNonce + 1 });
  return DONE;
}

function deposit(tx: Tx, overlay: Overlay): Outcome {
  const { target, amount } = decodeGasTankDeposit(tx.data);
  debit(overlay, tx.from, amount);
  const account = readAccount(overlay, target);
  writeAccount(overlay, target, { ...account, gasTank: toQuanta(account.gasTank + amount) });
  return DONE;
}

function withdraw(tx: Tx, overlay: Overlay): Outcome {
  const { target, amount, recipient } = decodeGasTankWithdraw(tx.data);
  const account = readAccount(overlay, target);
  if (account.gasTank < amount) {
    return refuse(`the gas tank holds ${account.gasTank} quanta, ${amount} were asked for`);
  }
  writeAccount(overlay, target, { ...account, gasTank: toQuanta(account.gasTank - amount) });
  credit(overlay, recipient, amount);
  return DONE;
}

/** A rule of the chain says no: nothing happens, the work is charged. */
function refuse(message: string): Outcome {
  const revertReason = { category: 'EngineValidation', message } as const;
  return { status: 'reverted', gasUsed: INTRINSIC_GAS, revertReason };
}
