import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPydeError, toHex } from '../bytes/index.ts';
import { toQuanta } from '../types/index.ts';
import {
  decodeGasTankDeposit,
  decodeGasTankWithdraw,
  decodeRegisterPubkey,
  decodeRotateKeys,
  encodeGasTankDeposit,
  encodeGasTankWithdraw,
  encodeRegisterPubkey,
  encodeRotateKeys,
} from './index.ts';
import { addressOf, publicKeyOf } from './testing.ts';

const deposit = { target: addressOf(1), amount: toQuanta(258n) };
const withdrawal = { ...deposit, recipient: addressOf(2) };
const keys = {
  kind: 'multisig',
  keys: [publicKeyOf(1), publicKeyOf(2)],
  threshold: 1,
} as const;

const payloads: readonly (readonly [Uint8Array, (data: Uint8Array) => Uint8Array])[] = [
  [encodeRegisterPubkey(publicKeyOf(3)), (d) => encodeRegisterPubkey(decodeRegisterPubkey(d))],
  [encodeRotateKeys(keys), (d) => encodeRotateKeys(decodeRotateKeys(d))],
  [encodeGasTankDeposit(deposit), (d) => encodeGasTankDeposit(decodeGasTankDeposit(d))],
  [encodeGasTankWithdraw(withdrawal), (d) => encodeGasTankWithdraw(decodeGasTankWithdraw(d))],
];

describe('payloads', () => {
  it('have the layouts of wire.md', () => {
    const amount = '02010000000000000000000000000000';
    const [one, two] = [1, 2].map((i) => toHex(addressOf(i)).slice(2));
    expect(toHex(encodeGasTankDeposit(deposit))).toBe(`0x${one}${amount}`);
    expect(toHex(encodeGasTankWithdraw(withdrawal))).toBe(`0x${one}${amount}${two}`);
    expect(encodeRegisterPubkey(publicKeyOf(3))).toEqual(publicKeyOf(3));
    expect(toHex(encodeRotateKeys({ kind: 'single', key: publicKeyOf(3) }))).toBe(
      `0x0181030000${toHex(publicKeyOf(3)).slice(2)}`,
    );
  });

  it('decode to what was encoded', () => {
    for (const [data, again] of payloads) expect(again(data)).toEqual(data);
    expect(decodeGasTankWithdraw(encodeGasTankWithdraw(withdrawal))).toEqual(withdrawal);
    expect(decodeRotateKeys(encodeRotateKeys(keys))).toEqual(keys);
  });

  it('let only refusals escape on hostile bytes, and re-encode what they accept', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.constantFrom(...payloads),
        edits,
        fc.nat(30),
        ([data, again], changes, cut) => {
          const mutated = data.slice(0, data.length - (cut > 20 ? cut : 0));
          for (const [at, value] of changes) mutated[at % mutated.length] = value;
          try {
            expect(again(mutated)).toEqual(mutated);
          } catch (error) {
            if (!isPydeError(error, 'tx.payload')) throw error;
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
