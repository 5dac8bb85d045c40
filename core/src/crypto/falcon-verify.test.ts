import { shake256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import vectors from '../../vectors/wire-vectors.json' with { type: 'json' };
import { concatBytes, fromHex } from '../bytes/index.ts';
import { FALCON_CONTEXT_PREFIX } from './falcon-sizes.ts';
import {
  FALCON_MAX_MESSAGE_BYTES,
  type FalconVerifyItem,
  falconSignatureToConstantTime,
  falconVerify,
  falconVerifyBatch,
} from './index.ts';
import { loadKernel } from './kernel.ts';
import { wasmBase64 } from './kernels/falcon-verify.generated.ts';
import { falconSignWithNoble, falconVerifyWithNoble } from './testing/falcon-noble.ts';
import { testKey } from './testing.ts';

const Q = 12289;
const hex = (text: string): Uint8Array => fromHex(text, { maxBytes: 1024 });
const bytesOf = (length: number, salt: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 151 + salt * 37 + (i >> 7)) & 255);

function signed(key: number, message: Uint8Array, salt: number): FalconVerifyItem {
  const { publicKey, secretKey } = testKey(key);
  return {
    publicKey,
    message,
    signature: falconSignWithNoble(secretKey, message, bytesOf(88, salt)),
  };
}

/** The shortest of the encodings: the padded one without its zeros. */
function unpadded(signature: Uint8Array): Uint8Array {
  return signature.subarray(0, signature.findLastIndex((byte) => byte !== 0) + 1);
}

const encodings = ({ publicKey, message, signature }: FalconVerifyItem): FalconVerifyItem[] =>
  [signature, unpadded(signature), falconSignatureToConstantTime(signature)].map((encoded) => ({
    publicKey,
    message,
    signature: encoded,
  }));

const verdictOf = ({ publicKey, message, signature }: FalconVerifyItem): boolean =>
  falconVerify(publicKey, message, signature);
const verdictOfNoble = ({ publicKey, message, signature }: FalconVerifyItem): boolean =>
  falconVerifyWithNoble(publicKey, message, signature);

describe('falconVerify', () => {
  it.each(vectors.falcon)('accepts the known signatures of $seed', (vector) => {
    const publicKey = hex(vector.pk);
    const message = hex(vector.msg);
    expect(falconVerify(publicKey, message, hex(vector.sig))).toBe(true);
    expect(falconVerify(publicKey, message, hex(vector.sigCompressed))).toBe(true);
    expect(falconVerify(publicKey, concatBytes(message, Uint8Array.of(0)), hex(vector.sig))).toBe(
      false,
    );
  });

  it('accepts messages of every length around a block of the hash', () => {
    // 56 bytes stand before the message, and a block has 136.
    for (const length of [0, 1, 7, 8, 78, 79, 80, 81, 135, 136, 214, 215, 216, 217, 1000, 70_000]) {
      const item = signed(length % 3, bytesOf(length, 1), length);
      expect(encodings(item).map(verdictOf), `${length} bytes`).toEqual([true, true, true]);
    }
  });

  it('gives false for bytes that are no key, no signature or too long a message', () => {
    const { publicKey, message, signature } = signed(0, bytesOf(32, 2), 3);
    const header = publicKey.map((byte, i) => (i === 0 ? 0 : byte));
    const aboveQ = publicKey.map((byte, i) => (i === 1 ? 0xff : byte));
    for (const key of [
      header,
      aboveQ,
      publicKey.subarray(1),
      new Uint8Array(0),
      new Uint8Array(897),
    ]) {
      expect(falconVerify(key, message, signature)).toBe(false);
    }
    for (const bytes of [new Uint8Array(0), new Uint8Array(41), new Uint8Array(10_000)]) {
      expect(falconVerify(publicKey, message, bytes)).toBe(false);
    }
    expect(falconVerify(publicKey, new Uint8Array(FALCON_MAX_MESSAGE_BYTES + 1), signature)).toBe(
      false,
    );
    expect(falconVerify(publicKey, message, signature)).toBe(true);
  });

  it('agrees with noble on changed keys, messages and signatures in each encoding', () => {
    const items = [0, 1, 2].flatMap((i) => encodings(signed(i, bytesOf(20 + 90 * i, i), i)));
    const part = fc.constantFrom('publicKey', 'message', 'signature' as const);
    fc.assert(
      fc.property(
        fc.constantFrom(...items),
        part,
        fc.nat(),
        fc.constantFrom('flip', 'cut', 'lengthen', 'swap' as const),
        (item, name, n, how) => {
          const bytes = item[name];
          const at = n % bytes.length;
          const other =
            how === 'flip'
              ? bytes.map((byte, i) => (i === at ? byte ^ (1 << (n % 8)) : byte))
              : how === 'cut'
                ? bytes.subarray(0, at)
                : how === 'lengthen'
                  ? concatBytes(bytes, new Uint8Array(1 + (n % 20)))
                  : (items[n % items.length] ?? item)[name];
          const changed = { ...item, [name]: other };
          expect(verdictOf(changed)).toBe(verdictOfNoble(changed));
        },
      ),
      { numRuns: 250 },
    );
  });

  /**
   * With s2 = 1 and h = c - s1, every s1 becomes the first half of a well-formed signature: the
   * norm is chosen, and the verdict with it.
   */
  function ofChosenNorm(s1: readonly number[]): FalconVerifyItem {
    const message = bytesOf(32, 4);
    const nonce = bytesOf(40, 4);
    const samples = shake256(concatBytes(nonce, FALCON_CONTEXT_PREFIX, message), { dkLen: 2048 });
    const point: number[] = [];
    for (let i = 0; point.length < 512; i += 2) {
      const sample = ((samples[i] ?? 0) << 8) | (samples[i + 1] ?? 0);
      if (sample < 5 * Q) point.push(sample % Q);
    }
    const publicKey = encodedKey(point.map((c, i) => (c - (s1[i] ?? 0) + Q) % Q));
    const one = new Uint8Array(768);
    one[1] = 0x10;
    return { publicKey, message, signature: concatBytes(Uint8Array.of(0x59), nonce, one) };
  }

  it('accepts a squared norm of 34034726 and refuses one more', () => {
    // 5833² + 104² + 4² + 2² = 34034725, and s2 adds 1.
    const most = ofChosenNorm([5833, -104, 4, -2]);
    const oneMore = ofChosenNorm([5833, -104, 4, -2, 1]);
    for (const verdict of [verdictOf, verdictOfNoble]) {
      expect(verdict(most)).toBe(true);
      expect(verdict(oneMore)).toBe(false);
    }
  });

  it('refuses norms that pass 32 bits', () => {
    for (const value of [6144, -6144, 4096, -4096, 2896, 5792]) {
      const item = ofChosenNorm(new Array<number>(512).fill(value));
      expect([verdictOf(item), verdictOfNoble(item)], `${value}`).toEqual([false, false]);
    }
  });
});

describe('falconVerifyBatch', () => {
  const good = Array.from({ length: 9 }, (_, i) => signed(i % 4, bytesOf(i * 40, i), i));
  const bad = good.map((item) => ({
    ...item,
    message: concatBytes(item.message, Uint8Array.of(1)),
  }));
  const malformed = good.map((item) => ({ ...item, signature: item.signature.subarray(0, 300) }));

  it('gives the verdict of each item, whatever its neighbours', () => {
    const pool = [
      ...good.flatMap(encodings).map((item) => ({ item, verdict: true })),
      ...[...bad, ...malformed].map((item) => ({ item, verdict: false })),
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pool), { maxLength: 200 }), (chosen) => {
        expect(falconVerifyBatch(chosen.map(({ item }) => item))).toEqual(
          chosen.map(({ verdict }) => verdict),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('of long messages is taken in parts', () => {
    const long = signed(1, bytesOf(200_000, 5), 5);
    const items = [good[0], long, bad[1], long, good[2]].filter((item) => item !== undefined);
    expect(falconVerifyBatch(items)).toEqual([true, true, false, true, true]);
  });

  it('of nothing is nothing', () => {
    expect(falconVerifyBatch([])).toEqual([]);
  });

  it('remembers keys without mixing them up, more than it has room for', () => {
    // Keys that differ behind their first bytes fall into one set of four.
    const { publicKey, message, signature } = good[0] ?? signed(0, bytesOf(0, 0), 0);
    const keys = Array.from({ length: 40 }, (_, i) =>
      publicKey.map((byte, at) => (at === 890 && i > 0 ? byte ^ i : byte)),
    );
    const items = keys.map((key) => ({ publicKey: key, message, signature }));
    const verdicts = keys.map((_, i) => i === 0);
    expect(falconVerifyBatch(items)).toEqual(verdicts);
    expect(falconVerifyBatch([...items].reverse())).toEqual([...verdicts].reverse());
  });
});

describe('the kernel multiplies', () => {
  const { memory, call } = loadKernel(wasmBase64, ['stagingOffset', 'multiplyByKey']);
  const at = call.stagingOffset();
  const polynomialAt = at + 1024;
  if (memory.buffer.byteLength < polynomialAt + 1024) memory.grow(1);

  function product(h: readonly number[], s: readonly number[]): number[] {
    new Uint8Array(memory.buffer).set(encodedKey(h), at);
    const polynomial = new Int16Array(memory.buffer, polynomialAt, 512);
    polynomial.set(s);
    expect(call.multiplyByKey(at, polynomialAt)).toBe(1);
    return [...polynomial];
  }

  /** Schoolbook in Z_q[x] / (x^512 + 1), centred; every sum stays below 2^53. */
  function expected(h: readonly number[], s: readonly number[]): number[] {
    const sums = new Array<number>(1024).fill(0);
    h.forEach((a, i) => {
      s.forEach((b, j) => {
        sums[i + j] = (sums[i + j] ?? 0) + a * b;
      });
    });
    return Array.from({ length: 512 }, (_, i) => {
      const rest = ((((sums[i] ?? 0) - (sums[i + 512] ?? 0)) % Q) + Q) % Q;
      return rest > 6144 ? rest - Q : rest;
    });
  }

  const filled = (value: (i: number) => number): number[] =>
    Array.from({ length: 512 }, (_, i) => value(i));
  const keys = {
    largest: filled(() => Q - 1),
    'half of q': filled(() => 6144),
    'just above half': filled(() => 6145),
    mixed: filled((i) => (i * i * 7919 + i * 31) % Q),
  };
  const polynomials = {
    'largest, all positive': filled(() => 6144),
    'largest, all negative': filled(() => -6144),
    'largest, alternating': filled((i) => (i % 2 === 0 ? 6144 : -6144)),
    'largest, alternating by blocks': filled((i) => ((i >> 5) % 2 === 0 ? 6144 : -6144)),
    'one coefficient': filled((i) => (i === 511 ? -2047 : 0)),
    zero: filled(() => 0),
  };

  for (const [keyName, h] of Object.entries(keys)) {
    for (const [name, s] of Object.entries(polynomials)) {
      it(`a key of ${keyName} by ${name}`, () => {
        expect(product(h, s)).toEqual(expected(h, s));
      });
    }
  }

  it('any key by any polynomial', () => {
    const coefficient = fc.oneof(
      fc.integer({ min: -6144, max: 6144 }),
      fc.constantFrom(-6144, 6144, -5461, 5462),
    );
    const size = { minLength: 512, maxLength: 512 };
    fc.assert(
      fc.property(fc.array(fc.nat(Q - 1), size), fc.array(coefficient, size), (h, s) => {
        expect(product(h, s)).toEqual(expected(h, s));
      }),
      { numRuns: 60 },
    );
  });
});

function encodedKey(h: readonly number[]): Uint8Array {
  const bits = h.map((value) => value.toString(2).padStart(14, '0')).join('');
  const bytes = bits.match(/.{8}/g) ?? [];
  return Uint8Array.of(9, ...bytes.map((byte) => Number.parseInt(byte, 2)));
}
