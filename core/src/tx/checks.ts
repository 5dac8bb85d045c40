/**
 * What can be said of a decoded transaction without the state: the chain, the shape that its type
 * asks for, and the gas it asks for (design/state-and-execution.md, "Accounts and transactions";
 * spec/wire.md). Admission and execution apply these same rules, so one that a member puts into the
 * order without admission is passed over for the same reason.
 */
import { equalBytes, isZeroBytes, PydeError } from '../bytes/index.ts';
import { eoaAddress, isFalconPublicKey } from '../crypto/index.ts';
import { type FalconPublicKey, TX_TYPE, type Tx } from '../types/index.ts';
import {
  decodeGasTankDeposit,
  decodeGasTankWithdraw,
  decodeRegisterPubkey,
  decodeRotateKeys,
} from './payload.ts';
import { txTypeName } from './type-name.ts';

/** What a transaction costs before it does anything, and all that a transfer costs. */
export const INTRINSIC_GAS = 21_000n;

export interface TxRules {
  readonly chainId: bigint;
  /** Gas of one wave, from genesis. */
  readonly waveGasCeiling: bigint;
}

export type TxCheckErrorCode =
  | 'tx.chain-id'
  | 'tx.not-served'
  | 'tx.gas-limit'
  | 'tx.gas-ceiling'
  | 'tx.recipient'
  | 'tx.value'
  | 'tx.fee-payer'
  | 'tx.signature'
  | 'tx.address'
  | 'tx.not-owner'
  | 'tx.payload';

/** @throws PydeError of {@link TxCheckErrorCode} for the first rule that is broken */
export function checkTx(tx: Tx, rules: TxRules): void {
  if (tx.chainId !== rules.chainId) {
    throw new PydeError(
      'tx.chain-id',
      `the transaction is for chain ${tx.chainId}, this is chain ${rules.chainId}; ` +
        'sign it again for this chain',
      { given: tx.chainId.toString(), chain: rules.chainId.toString() },
    );
  }
  checkShape(tx);
  // RegisterPubkey pays nothing and is admitted by its own rule: its gas limit is not looked at.
  if (tx.type !== TX_TYPE.registerPubkey) checkGas(tx, rules.waveGasCeiling);
  if (tx.feePayer.kind !== 'sender') {
    throw new PydeError(
      'tx.fee-payer',
      'a gas tank or a paymaster pays only for calls, which this version does not serve; ' +
        'let the sender pay',
      { payer: tx.feePayer.kind },
    );
  }
}

function checkShape(tx: Tx): void {
  if (tx.type !== TX_TYPE.standard && !isZeroBytes(tx.to)) {
    throw new PydeError(
      'tx.recipient',
      `${txTypeName(tx.type)} has no recipient of its own: set to to 32 zero bytes`,
      { type: tx.type },
    );
  }
  switch (tx.type) {
    case TX_TYPE.standard:
      return;
    case TX_TYPE.registerPubkey:
      requireNoValue(tx);
      checkRegistration(tx);
      return;
    case TX_TYPE.rotateKeys:
      requireNoValue(tx);
      checkRotation(tx);
      return;
    case TX_TYPE.gasTankDeposit:
      requireNoValue(tx);
      decodeGasTankDeposit(tx.data);
      return;
    case TX_TYPE.gasTankWithdraw:
      requireNoValue(tx);
      checkWithdrawal(tx);
      return;
    default:
      throw new PydeError(
        'tx.not-served',
        `this version does not serve ${txTypeName(tx.type)} transactions (type ${tx.type})`,
        { type: tx.type },
      );
  }
}

function checkGas(tx: Tx, waveGasCeiling: bigint): void {
  if (tx.gasLimit < INTRINSIC_GAS) {
    throw new PydeError(
      'tx.gas-limit',
      `gas limit ${tx.gasLimit} is below ${INTRINSIC_GAS}, what any transaction costs; raise it`,
      { gasLimit: tx.gasLimit.toString(), least: INTRINSIC_GAS.toString() },
    );
  }
  if (tx.gasLimit > waveGasCeiling) {
    throw new PydeError(
      'tx.gas-ceiling',
      `gas limit ${tx.gasLimit} is above ${waveGasCeiling}, all the gas of a wave; lower it`,
      { gasLimit: tx.gasLimit.toString(), ceiling: waveGasCeiling.toString() },
    );
  }
}

function requireNoValue(tx: Tx): void {
  if (tx.value !== 0n) {
    throw new PydeError(
      'tx.value',
      `${txTypeName(tx.type)} moves no value of its own, got ${tx.value}; set value to 0`,
      { type: tx.type, value: tx.value.toString() },
    );
  }
}

function checkRegistration(tx: Tx): void {
  if (tx.signature.length !== 0) {
    throw new PydeError(
      'tx.signature',
      'RegisterPubkey carries an empty signature; the key proves itself by its address',
      { length: tx.signature.length },
    );
  }
  const key = decodeRegisterPubkey(tx.data);
  requireUsableKey(key);
  if (!equalBytes(eoaAddress(key), tx.from)) {
    throw new PydeError(
      'tx.address',
      'the public key does not hash to the sender; register it from its own address',
    );
  }
}

function checkRotation(tx: Tx): void {
  const keys = decodeRotateKeys(tx.data);
  if (keys.kind === 'single') requireUsableKey(keys.key);
  if (keys.kind === 'multisig') keys.keys.forEach(requireUsableKey);
}

/** A key that no signature can verify under would lock the account for ever. */
function requireUsableKey(key: FalconPublicKey): void {
  if (!isFalconPublicKey(key)) {
    throw new PydeError(
      'tx.payload',
      'the data names bytes that are no FALCON-512 public key; export the key again',
    );
  }
}

/** An account owns its own tank; a contract's owner comes with contracts. */
function checkWithdrawal(tx: Tx): void {
  if (!equalBytes(decodeGasTankWithdraw(tx.data).target, tx.from)) {
    throw new PydeError(
      'tx.not-owner',
      'only its owner withdraws from a gas tank, and the target is not the sender; ' +
        'send from the account whose tank it is',
    );
  }
}
