import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, isPydeError, PydeError } from '../bytes/index.ts';
import {
  FALCON_SIGN_RANDOM_BYTES,
  falconSign,
  falconSignatureToConstantTime,
  falconVerify,
} from '../crypto/index.ts';
import { testKey } from '../crypto/testing.ts';
import { type AuthKeys, toFalconPublicKey } from '../types/index.ts';
import {
  decodeMultisigSignature,
  encodeMultisigSignature,
  MAX_SIGNATURE_FIELD_BYTES,
  signatureChecks,
} from './index.ts';

const message = new Uint8Array(32).fill(5);
const key = (i: number) => toFalconPublicKey(testKey(i).publicKey);
const sign = (i: number) =>
  falconSign(testKey(i).secretKey, message, new Uint8Array(FALCON_SIGN_RANDOM_BYTES).fill(i + 1));
const single: AuthKeys = { kind: 'single', key: key(0) };
const twoOfThree: AuthKeys = { kind: 'multisig', keys: [key(0), key(1), key(2)], threshold: 2 };

/** The zeros that only the padded form carries. */
function compressed(padded: Uint8Array): Uint8Array {
  let end = padded.length;
  while (padded[end - 1] === 0) end--;
  return padded.slice(0, end);
}

const holds = (keys: AuthKeys, signature: Uint8Array): boolean =>
  signatureChecks(keys, message, signature).every((check) =>
    falconVerify(check.publicKey, check.message, check.signature),
  );

function codeOf(keys: AuthKeys, signature: Uint8Array): string {
  try {
    signatureChecks(keys, message, signature);
  } catch (error) {
    if (error instanceof PydeError) return error.code;
    throw error;
  }
  return 'checks';
}

const multisig = (...signers: readonly (readonly [place: number, key: number])[]): Uint8Array =>
  encodeMultisigSignature(signers.map(([place, i]) => ({ signer: place, signature: sign(i) })));

describe('an account with one key', () => {
  it('signs in any of the three encodings', () => {
    const padded = sign(0);
    expect(holds(single, padded)).toBe(true);
    expect(holds(single, falconSignatureToConstantTime(padded))).toBe(true);
    expect(compressed(padded).length).toBeLessThan(padded.length);
    expect(holds(single, compressed(padded))).toBe(true);
  });

  it('does not sign with another key', () => {
    expect(holds(single, sign(1))).toBe(false);
  });

  it('is not signed for by what has not the form of a signature', () => {
    const wrong = [
      new Uint8Array(0),
      new Uint8Array(666),
      Uint8Array.of(0x59),
      sign(0).fill(1, 0, 1),
    ];
    for (const signature of wrong) expect(codeOf(single, signature)).toBe('account.signature-form');
    const long = concatBytes(sign(0), new Uint8Array(200));
    expect(codeOf(single, long)).toBe('account.signature-form');
  });
});

describe('an account with several keys', () => {
  it('signs with any threshold of them, in the order of the keys', () => {
    expect(holds(twoOfThree, multisig([0, 0], [1, 1]))).toBe(true);
    expect(holds(twoOfThree, multisig([2, 2], [0, 0]))).toBe(true);
    expect(holds(twoOfThree, multisig([1, 1], [2, 2]))).toBe(true);
  });

  it('does not sign when a signature is at the place of another key', () => {
    expect(holds(twoOfThree, multisig([0, 1], [1, 0]))).toBe(false);
    expect(holds(twoOfThree, multisig([0, 0], [1, 3]))).toBe(false);
  });

  it('is not signed for below the threshold', () => {
    expect(codeOf(twoOfThree, multisig([0, 0]))).toBe('account.signature-threshold');
    expect(codeOf(twoOfThree, multisig())).toBe('account.signature-threshold');
  });

  it('may be signed for by more than the threshold, when all of them verify', () => {
    expect(holds(twoOfThree, multisig([0, 0], [1, 1], [2, 2]))).toBe(true);
    expect(holds(twoOfThree, multisig([0, 0], [1, 1], [2, 3]))).toBe(false);
  });

  it('is not signed for by a place that it does not have', () => {
    expect(codeOf(twoOfThree, multisig([0, 0], [3, 3]))).toBe('account.signature-form');
    expect(codeOf(twoOfThree, multisig([0, 0], [15, 3]))).toBe('account.signature-form');
  });

  it('is not signed for by a bitmap that does not fit the list, or a bare signature', () => {
    const field = multisig([0, 0], [1, 1]);
    expect(codeOf(twoOfThree, concatBytes(Uint8Array.of(0b111, 0), field.subarray(2)))).toBe(
      'account.signature-form',
    );
    expect(codeOf(twoOfThree, concatBytes(field, Uint8Array.of(0)))).toBe('account.signature-form');
    expect(codeOf(twoOfThree, sign(0))).toBe('account.signature-form');
    expect(codeOf(single, field)).toBe('account.signature-form');
  });

  it('has a field of u16 bitmap ‖ Vec<Vec<u8>>, at most as long as the decoder allows', () => {
    const signature = Uint8Array.of(0x39, 1);
    const field = encodeMultisigSignature([
      { signer: 9, signature },
      { signer: 0, signature: Uint8Array.of(7) },
    ]);
    expect([...field]).toEqual([1, 2, 2, 0, 0, 0, 1, 0, 0, 0, 7, 2, 0, 0, 0, 0x39, 1]);
    const longest = encodeMultisigSignature(
      Array.from({ length: 16 }, (_, signer) => ({ signer, signature: new Uint8Array(809) })),
    );
    expect(longest.length).toBe(MAX_SIGNATURE_FIELD_BYTES);
    expect(() => encodeMultisigSignature([{ signer: 16, signature }])).toThrow('0 to 15');
  });

  it('lets only refusals escape on hostile fields, and re-encodes what it accepts', () => {
    const field = encodeMultisigSignature([
      { signer: 1, signature: new Uint8Array(9) },
      { signer: 4, signature: new Uint8Array(3) },
    ]);
    const edits = fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(edits, fc.nat(20), (changes, cut) => {
        const mutated = field.slice(0, field.length - (cut > 10 ? cut : 0));
        for (const [at, value] of changes) mutated[at % mutated.length] = value;
        try {
          expect(encodeMultisigSignature(decodeMultisigSignature(mutated))).toEqual(mutated);
        } catch (error) {
          if (!isPydeError(error)) throw error;
        }
      }),
    );
  });
});

describe('an account without keys', () => {
  it('says that it must register first', () => {
    expect(codeOf({ kind: 'none' }, sign(0))).toBe('account.unregistered');
  });
});
