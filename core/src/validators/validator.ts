/**
 * The record of a validator and the index from an operator to its validators, as they lie in the
 * state (docs/protocol/encoding.md, "Validator" and "OperatorIndex"). Genesis writes them; staking
 * rules come on top.
 */
import {
  type BorshReader,
  compareBytes,
  decodeExactly,
  encode,
  PydeError,
} from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type Overlay, STATE_KIND, type StateKey, type StateReader } from '../state/index.ts';
import {
  ADDRESS_BYTES,
  type Address,
  FALCON_PUBLIC_KEY_BYTES,
  type FalconPublicKey,
  type Quanta,
  toAddress,
  toFalconPublicKey,
  toQuanta,
  toWaveId,
  type WaveId,
} from '../types/index.ts';

/** In tag order. */
export const VALIDATOR_STATUS = ['active', 'jailed', 'unbonding', 'exited'] as const;
export type ValidatorStatus = (typeof VALIDATOR_STATUS)[number];

export interface Validator {
  readonly operator: Address;
  readonly publicKey: FalconPublicKey;
  /** Locked, and part of no balance. */
  readonly stake: Quanta;
  readonly status: ValidatorStatus;
  readonly unbondAtWave: WaveId | undefined;
  readonly jailUntilWave: WaveId | undefined;
  /** Rewards a stake, as accumulated when the validator last claimed. */
  readonly lastClaimedRps: bigint;
  /** 0 … 10,000, parts of ten thousand. */
  readonly uptimeBps: number;
}

export type ValidatorErrorCode = 'validator.operator-index' | 'validator.uptime';

/** Validators that one operator may run. */
export const MAX_VALIDATORS_OF_OPERATOR = 1024;
export const FULL_UPTIME_BPS = 10_000;

const VALIDATORS_OWNER = blake3(new TextEncoder().encode('pyde/system/validators'));
const OPERATORS_OWNER = blake3(new TextEncoder().encode('pyde/system/operators'));

/** Kind 3, owner = H("pyde/system/validators"), slot = the validator's address. */
export function validatorKey(address: Address): StateKey {
  return { kind: STATE_KIND.system, owner: VALIDATORS_OWNER, slot: address };
}

/** Kind 3, owner = H("pyde/system/operators"), slot = the operator's address. */
export function operatorKey(operator: Address): StateKey {
  return { kind: STATE_KIND.system, owner: OPERATORS_OWNER, slot: operator };
}

export function encodeValidator(validator: Validator): Uint8Array {
  return encode((w) =>
    w
      .fixed(validator.operator)
      .fixed(validator.publicKey)
      .u128(validator.stake)
      .u8(VALIDATOR_STATUS.indexOf(validator.status))
      .option(validator.unbondAtWave, (v, wave) => v.u64(wave))
      .option(validator.jailUntilWave, (v, wave) => v.u64(wave))
      .u128(validator.lastClaimedRps)
      .u32(validator.uptimeBps),
  );
}

/** @throws PydeError `borsh.*`, `types.*` or `validator.uptime` */
export function decodeValidator(bytes: Uint8Array): Validator {
  return decodeExactly(bytes, readRecord);
}

/** The validator at `address`; undefined when there is none. */
export function readValidator(reader: StateReader, address: Address): Validator | undefined {
  const bytes = reader.get(validatorKey(address));
  return bytes === undefined ? undefined : decodeValidator(bytes);
}

/** Addresses of the operator's validators, ascending. */
export function readOperatorValidators(reader: StateReader, operator: Address): readonly Address[] {
  const bytes = reader.get(operatorKey(operator));
  return bytes === undefined ? [] : decodeOperatorIndex(bytes);
}

/** Writes the record of a new validator and its place in the operator's index. */
export function writeNewValidator(overlay: Overlay, address: Address, validator: Validator): void {
  const others = readOperatorValidators(overlay, validator.operator);
  const all = [...others, address].sort(compareBytes);
  requireOrder(all);
  overlay.set(validatorKey(address), encodeValidator(validator));
  overlay.set(operatorKey(validator.operator), encodeOperatorIndex(all));
}

export function encodeOperatorIndex(validators: readonly Address[]): Uint8Array {
  return encode((w) => w.vec(validators, (v, address) => v.fixed(address)));
}

/** @throws PydeError `borsh.*` or `validator.operator-index` */
export function decodeOperatorIndex(bytes: Uint8Array): readonly Address[] {
  const validators = decodeExactly(bytes, (r) =>
    r.vec(MAX_VALIDATORS_OF_OPERATOR, ADDRESS_BYTES, (v) => toAddress(v.fixed(ADDRESS_BYTES))),
  );
  requireOrder(validators);
  return validators;
}

function requireOrder(validators: readonly Address[]): void {
  const ascending = validators.every((address, i) => {
    const next = validators[i + 1];
    return next === undefined || compareBytes(address, next) < 0;
  });
  if (!ascending || validators.length > MAX_VALIDATORS_OF_OPERATOR) {
    throw new PydeError(
      'validator.operator-index',
      `an operator has at most ${MAX_VALIDATORS_OF_OPERATOR} validators, each listed once, ` +
        'addresses ascending',
      { count: validators.length },
    );
  }
}

function readRecord(reader: BorshReader): Validator {
  const validator = {
    operator: toAddress(reader.fixed(ADDRESS_BYTES)),
    publicKey: toFalconPublicKey(reader.fixed(FALCON_PUBLIC_KEY_BYTES)),
    stake: toQuanta(reader.u128()),
    status: VALIDATOR_STATUS[reader.tag(VALIDATOR_STATUS.length, 'validator status')] ?? 'exited',
    unbondAtWave: reader.option((r) => toWaveId(r.u64())),
    jailUntilWave: reader.option((r) => toWaveId(r.u64())),
    lastClaimedRps: reader.u128(),
    uptimeBps: reader.u32(),
  };
  if (validator.uptimeBps > FULL_UPTIME_BPS) {
    throw new PydeError(
      'validator.uptime',
      `an uptime is at most ${FULL_UPTIME_BPS} parts of ten thousand, got ${validator.uptimeBps}`,
    );
  }
  return validator;
}
