import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import vectors from '../../vectors/wire-vectors.json' with { type: 'json' };
import { concatBytes, fromHex, isPydeError, toHex } from '../bytes/index.ts';
import { readFalconCoefficients } from './falcon-signature.ts';
import { falconSignatureToConstantTime, falconSignatureToPadded } from './index.ts';
import { loadKernel } from './kernel.ts';
import { wasmBase64 } from './kernels/falcon-verify.generated.ts';

const hex = (text: string): Uint8Array => fromHex(text, { maxBytes: 1024 });
const NONCE = new Uint8Array(40).fill(0xa5);
const HEADERS = { compressed: 0x39, constantTime: 0x59 } as const;

/** Compresses to the shortest whole bytes, writing what it is given: -0 as the number -0. */
function compressed(coefficients: readonly number[]): Uint8Array {
  let bits = '';
  for (const s of coefficients) {
    const magnitude = Math.abs(s);
    bits += s < 0 || Object.is(s, -0) ? '1' : '0';
    bits += (magnitude & 127).toString(2).padStart(7, '0');
    bits += `${'0'.repeat(magnitude >> 7)}1`;
  }
  const bytes = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g) ?? [];
  const body = Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2));
  return concatBytes(Uint8Array.of(HEADERS.compressed), NONCE, body);
}

const padded = (signature: Uint8Array): Uint8Array =>
  concatBytes(signature, new Uint8Array(666 - signature.length));

const withFirst = (...first: readonly number[]): number[] => [
  ...first,
  ...new Array<number>(512 - first.length).fill(1),
];

/** Coefficients of about the size signatures have, so that most sets fit into 625 bytes. */
const coefficients = fc.array(fc.integer({ min: -260, max: 260 }), {
  minLength: 512,
  maxLength: 512,
});

describe('the three encodings', () => {
  it.each(vectors.falcon)('of a known signature lead to one another', ({ sig, sigCompressed }) => {
    const constantTime = hex(sig);
    const short = hex(sigCompressed);
    const fixed = padded(short);
    for (const any of [constantTime, short, fixed]) {
      expect(toHex(falconSignatureToPadded(any))).toBe(toHex(fixed));
      expect(toHex(falconSignatureToConstantTime(any))).toBe(sig);
    }
  });

  it('keep nonce and coefficients', () => {
    fc.assert(
      fc.property(coefficients, (s2) => {
        const signature = compressed(s2);
        const constantTime = falconSignatureToConstantTime(signature);
        expect([...readFalconCoefficients(signature)]).toEqual(s2);
        expect([...readFalconCoefficients(constantTime)]).toEqual(s2);
        expect(falconSignatureToPadded(constantTime)).toEqual(padded(signature));
      }),
      { numRuns: 40 },
    );
  });

  it('hold -2047 and 2047', () => {
    const s2 = withFirst(2047, -2047, 128, -128, 0);
    expect([...readFalconCoefficients(compressed(s2))]).toEqual(s2);
    expect([...readFalconCoefficients(falconSignatureToConstantTime(compressed(s2)))]).toEqual(s2);
  });

  it('refuse to pad coefficients that need more than 625 bytes', () => {
    const long = compressed(new Array<number>(512).fill(129));
    expect(long.length).toBe(681);
    expect(falconSignatureToConstantTime(long).length).toBe(809);
    expect(reasonOf(() => falconSignatureToPadded(long))).toContain('do not fit into 666 bytes');
  });
});

const good = compressed(withFirst(5, -5, 0));
const constantTime = falconSignatureToConstantTime(good);
const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? value : byte));

/** Byte strings that stand for a signature already written another way, or for none. */
const REFUSED: readonly (readonly [string, Uint8Array, string])[] = [
  ['nothing', new Uint8Array(0), 'neither header'],
  ['another header', changed(good, 0, 0x3a), 'neither header'],
  ['header and nonce alone', good.subarray(0, 41), 'cannot have 41 bytes'],
  ['a negative zero', compressed(withFirst(-0)), 'negative zero'],
  ['a coefficient of 2048', compressed(withFirst(2048)), 'above 2047'],
  ['an endless unary part', concatBytes(good.subarray(0, 41), new Uint8Array(600)), 'above 2047'],
  ['a cut body', good.subarray(0, good.length - 1), 'cut short'],
  ['one byte after the coefficients', concatBytes(good, new Uint8Array(1)), 'bytes follow'],
  ['padding to 665 bytes', padded(good).subarray(0, 665), 'bytes follow'],
  ['padding to 667 bytes', concatBytes(padded(good), new Uint8Array(1)), 'bytes follow'],
  ['padding that is not zero', changed(padded(good), 665, 1), 'padding is not zero'],
  ['more than 752 bytes', concatBytes(good, new Uint8Array(753 - good.length)), 'cannot have 753'],
  ['a constant-time form too short', constantTime.subarray(0, 808), 'cannot have 808 bytes'],
  ['a constant-time form too long', concatBytes(constantTime, new Uint8Array(1)), 'have 810 bytes'],
  ['a coefficient of -2048', changed(changed(constantTime, 41, 0x80), 42, 0x0f), 'is -2048'],
  ['a compressed body under the other header', changed(good, 0, 0x59), 'constant-time signature'],
];

describe('a signature is refused', () => {
  it.each(REFUSED)('for %s', (_, bytes, reason) => {
    expect(reasonOf(() => falconSignatureToPadded(bytes))).toContain(reason);
    expect(reasonOf(() => falconSignatureToConstantTime(bytes))).toContain(reason);
  });

  it('for a spare bit that is set in the last byte', () => {
    // 512 coefficients of 9 bits fill 576 bytes; one of 10 bits leaves seven spare bits.
    const spare = compressed(withFirst(128));
    expect(spare.length).toBe(41 + 577);
    const set = changed(spare, spare.length - 1, (spare.at(-1) ?? 0) | 1);
    expect(reasonOf(() => falconSignatureToPadded(set))).toContain('padding is not zero');
    expect(reasonOf(() => falconSignatureToPadded(padded(set)))).toContain('padding is not zero');
  });
});

describe('the kernel', () => {
  const { memory, call } = loadKernel(wasmBase64, ['stagingOffset', 'decodeSignature']);
  const at = call.stagingOffset();
  const out = at + 4096;
  if (memory.buffer.byteLength < out + 1024) memory.grow(1);
  const bytes = new Uint8Array(memory.buffer);

  /** The kernel's coefficients, or undefined when it refuses. What follows is there to mislead. */
  function decode(signature: Uint8Array, following: number): number[] | undefined {
    bytes.fill(following, at, at + 1024);
    bytes.set(signature, at);
    if (call.decodeSignature(at, signature.length, out) === 0) return undefined;
    return [...new Int16Array(memory.buffer, out, 512)];
  }

  function expectAgreement(signature: Uint8Array): void {
    let expected: number[] | undefined;
    try {
      expected = [...readFalconCoefficients(signature)];
    } catch (error) {
      if (!isPydeError(error, 'crypto.falcon-signature')) throw error;
    }
    expect(decode(signature, 0)).toEqual(expected);
    expect(decode(signature, 0xff)).toEqual(expected);
  }

  it.each(REFUSED)('refuses %s', (_, signature) => {
    expect(decode(signature, 0)).toBe(undefined);
    expectAgreement(signature);
  });

  it('reads what this file reads, whole, changed, cut and lengthened', () => {
    fc.assert(
      fc.property(
        coefficients,
        fc.constantFrom('compressed', 'padded', 'constant-time'),
        fc.array(fc.tuple(fc.nat(808), fc.integer({ min: 1, max: 255 })), { maxLength: 2 }),
        fc.integer({ min: -4, max: 4 }),
        (s2, encoding, changes, lengthened) => {
          const short = compressed(s2);
          if (encoding === 'padded' && short.length > 666) return;
          let signature =
            encoding === 'compressed'
              ? short
              : encoding === 'padded'
                ? padded(short)
                : falconSignatureToConstantTime(short);
          expectAgreement(signature);
          for (const [place, mask] of changes) {
            const i = place % signature.length;
            signature = changed(signature, i, (signature[i] ?? 0) ^ mask);
          }
          expectAgreement(signature);
          expectAgreement(
            lengthened < 0
              ? signature.subarray(0, signature.length + lengthened)
              : concatBytes(signature, new Uint8Array(lengthened)),
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  it('reads what this file reads from random bytes under either header', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(HEADERS.compressed, HEADERS.constantTime),
        fc.oneof(
          fc.uint8Array({ maxLength: 820 }),
          fc.uint8Array({ minLength: 808, maxLength: 808 }),
          fc.uint8Array({ minLength: 665, maxLength: 665 }),
        ),
        (header, rest) => expectAgreement(concatBytes(Uint8Array.of(header), rest)),
      ),
      { numRuns: 200 },
    );
  });
});

function reasonOf(operation: () => unknown): unknown {
  try {
    return operation();
  } catch (error) {
    return isPydeError(error, 'crypto.falcon-signature') ? error.message : error;
  }
}
