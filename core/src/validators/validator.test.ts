import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, isPydeError } from '../bytes/index.ts';
import { testKey } from '../crypto/testing.ts';
import { MemoryStore } from '../platform/index.ts';
import { Overlay, StateStore } from '../state/index.ts';
import {
  type Address,
  toAddress,
  toFalconPublicKey,
  toQuanta,
  toWaveId,
  ZERO_ADDRESS,
} from '../types/index.ts';
import {
  decodeOperatorIndex,
  decodeValidator,
  encodeOperatorIndex,
  encodeValidator,
  readOperatorValidators,
  readValidator,
  type Validator,
  writeNewValidator,
} from './index.ts';

const addressOf = (i: number): Address => toAddress(testKey(i).address);
const validatorOf = (operator: Address): Validator => ({
  operator,
  publicKey: toFalconPublicKey(testKey(0).publicKey),
  stake: toQuanta(7n),
  status: 'active',
  unbondAtWave: undefined,
  jailUntilWave: toWaveId(9n),
  lastClaimedRps: 1n,
  uptimeBps: 10_000,
});

describe('validator records', () => {
  it('are found by address and by operator, in order of address', () => {
    const state = new Overlay(StateStore.open(new MemoryStore()));
    const operator = addressOf(9);
    expect(readValidator(state, addressOf(1))).toBeUndefined();
    expect(readOperatorValidators(state, operator)).toEqual([]);
    for (const i of [1, 2, 3]) writeNewValidator(state, addressOf(i), validatorOf(operator));
    const expected = [1, 2, 3].map(addressOf).sort(compareBytes);
    expect(readOperatorValidators(state, operator)).toEqual(expected);
    expect(readValidator(state, addressOf(2))).toEqual(validatorOf(operator));
    expect(() => writeNewValidator(state, addressOf(1), validatorOf(operator))).toThrow('once');
  });

  it('refuse an uptime above all of the time and an index out of order', () => {
    const tooMuch = encodeValidator({ ...validatorOf(ZERO_ADDRESS), uptimeBps: 10_001 });
    expect(() => decodeValidator(tooMuch)).toThrow('uptime');
    const ordered = [1, 2].map(addressOf).sort(compareBytes);
    expect(decodeOperatorIndex(encodeOperatorIndex(ordered))).toEqual(ordered);
    expect(() => decodeOperatorIndex(encodeOperatorIndex([...ordered].reverse()))).toThrow(
      'ascending',
    );
  });

  it('let only refusals escape on hostile bytes, and re-encode what they accept', () => {
    const record = encodeValidator(validatorOf(addressOf(1)));
    fc.assert(
      fc.property(fc.nat(record.length - 1), fc.nat(255), fc.nat(10), (at, value, cut) => {
        const mutated = record.slice(0, record.length - (cut > 7 ? cut : 0));
        mutated[at % mutated.length] = value;
        try {
          expect(encodeValidator(decodeValidator(mutated))).toEqual(mutated);
        } catch (error) {
          if (!isPydeError(error)) throw error;
        }
      }),
    );
  });
});
