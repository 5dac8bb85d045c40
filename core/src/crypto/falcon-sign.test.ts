import { createHash } from 'node:crypto';
import { shake256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, isPydeError } from '../bytes/index.ts';
import { FalconSigner, falconSign, signWith } from './falcon-sign.ts';
import { createFalconSignKernel } from './falcon-sign-kernel.ts';
import { FalconKeySlots } from './falcon-sign-slots.ts';
import { falconSignatureToConstantTime } from './falcon-signature.ts';
import {
  FALCON_CONTEXT_PREFIX,
  FALCON_MAX_MESSAGE_BYTES,
  FALCON_SIGN_RANDOM_BYTES,
} from './falcon-sizes.ts';
import { falconSignWithNoble, falconVerifyWithNoble } from './testing/falcon-noble.ts';
import { testKey } from './testing.ts';

const Q = 12289;
const N = 512;
const SIGMA = 165.7366171829776;
const NORM_BOUND = 34034726;
const SLOT_BYTES = 57344;
const BODY = 41;

/** Reproducible bytes: SHAKE256 of the label. */
const bytesOf = (label: string, length: number): Uint8Array =>
  Uint8Array.from(createHash('shake256', { outputLength: length }).update(label).digest());
const randomnessOf = (label: string) => bytesOf(label, FALCON_SIGN_RANDOM_BYTES);
const messageOf = (i: number) => bytesOf(`message ${i}`, i % 97);

describe('SamplerZ', () => {
  const kernel = createFalconSignKernel(1);

  /**
   * Falcon specification, round 3, Table 3.2: centre, sigma', random bytes, integer. A row writes
   * the 9 bytes of a base sample most significant first; the stream has them the other way round.
   */
  const VECTORS: readonly (readonly [number, number, string, number])[] = [
    [-91.90471153063714, 1.7037990414754918, '0fc5442ff043d66e91d1eacac64ea5450a22941edc6c', -92],
    [-8.322564895434937, 1.7037990414754918, 'f4da0f8d8444d1a77265c2ef6f98bbbb4bee7db8d9b3', -8],
    [-19.096516109216804, 1.7035823083824078, 'db47f6d7fb9b19f25c36d6b9334d477a8bc0be68145d', -20],
    [
      -11.335543982423326,
      1.7035823083824078,
      'ae41b4f5209665c74d00dcc1a8168a7bb516b3190cb42c1ded26cd52aed770eca7dd334e0547bcc3c163ce0b',
      -12,
    ],
    [
      7.9386734193997555,
      1.6984647769450156,
      '31054166c1012780c603ae9b833cec73f2f41ca5807cc89c92158834632f9b1555',
      8,
    ],
    [-28.990850086867255, 1.6984647769450156, '737e9d68a50a06dbbc6477', -30],
    [-9.071257914091655, 1.6980782114808988, 'a98ddd14bf0bf22061d632', -10],
    [-43.88754568839566, 1.6980782114808988, '3cbf6818a68f7ab9991514', -41],
    [-58.17435547946095, 1.7010983419195522, '6f8633f5bfa5d26848668e3d5ddd46958e97630410587c', -61],
    [-43.58664906684732, 1.7010983419195522, '272bc6c25f5c5ee53f83c43a361fbc7cc91dc783e20a', -46],
    [-34.70565203313315, 1.7009387219711465, '45443c59574c2c3b07e2e1d9071e6d133dbe32754b0a', -34],
    [
      -44.36009577368896,
      1.7009387219711465,
      '6ac116ed60c258e2cbaeab728c4823e6da36e18d08da5d0cc104e21cc7fd1f5ca8d9dbb675266c928448059e',
      -44,
    ],
    [-21.783037079346236, 1.6958406126012802, '68163bc1e2cbf3e18e7426', -23],
    [-39.68827784633828, 1.6958406126012802, 'd6a1b51d76222a705a0259', -40],
    [-18.488607061056847, 1.6955259305261838, 'f0523bfaa8a394bf4ea5c10f842366fde286d6a30803', -22],
    [-48.39610939101591, 1.6955259305261838, '87bd87e63374cee62127fc6931104aab64f136a0485b', -50],
  ];

  it.each(VECTORS)('draws the known integer around %d', (mu, sigma, octets, expected) => {
    const stream = Uint8Array.from(Buffer.from(octets, 'hex'));
    for (let at = 0; at < stream.length; at += 11) stream.subarray(at, at + 9).reverse();
    kernel.inbox.set(stream);
    kernel.call.presetStream(stream.length);
    expect(kernel.call.sampleInteger(mu, 1 / sigma, 1.2778336969128337)).toBe(expected);
  });

  it('draws with the mean and deviation asked for', () => {
    for (const [mu, sigma] of [
      [0.25, 1.28],
      [-17.5, 1.5],
      [1000.9, 1.82],
    ] as const) {
      const draws: number[] = [];
      for (let block = 0; draws.length < 20_000; block++) {
        kernel.inbox.set(bytesOf(`${mu} ${block}`, 512));
        kernel.call.presetStream(512);
        // Twelve draws take more than 512 bytes next to never.
        for (let i = 0; i < 12; i++) {
          draws.push(kernel.call.sampleInteger(mu, 1 / sigma, 1.2778336969128337));
        }
      }
      const { mean, variance } = momentsOf(draws);
      // About four standard errors.
      expect(Math.abs(mean - mu)).toBeLessThan((4 * sigma) / Math.sqrt(draws.length));
      expect(variance / sigma ** 2).toBeCloseTo(1, 1);
      expect(Math.abs(variance / sigma ** 2 - 1)).toBeLessThan(4 * Math.sqrt(2 / draws.length));
    }
  });
});

describe('falconSign', () => {
  const { secretKey, publicKey } = testKey(0);

  it('gives the bytes that noble gives for the same randomness', () => {
    for (const key of [testKey(0), testKey(1)]) {
      for (let i = 0; i < 60; i++) {
        const message = messageOf(i);
        const randomness = randomnessOf(`noble ${i}`);
        expect(falconSign(key.secretKey, message, randomness)).toEqual(
          falconSignWithNoble(key.secretKey, message, randomness),
        );
      }
    }
  });

  it('hashes messages of every length up to and beyond the kernel’s window', () => {
    for (const length of [0, 1, 79, 80, 135, 136, 137, 4039, 4040, 4041, 4096, 8192, 10_000]) {
      const message = bytesOf('long', length);
      const randomness = randomnessOf(`length ${length}`);
      expect(falconSign(secretKey, message, randomness)).toEqual(
        falconSignWithNoble(secretKey, message, randomness),
      );
    }
  });

  it('makes signatures that verify, and whose vectors are Gaussian of the specified width', () => {
    const count = 300;
    const h = publicPolynomial(publicKey);
    const norms: number[] = [];
    const first: number[] = [];
    const second: number[] = [];
    for (let i = 0; i < count; i++) {
      const message = messageOf(i);
      const signature = falconSign(secretKey, message, randomnessOf(`gauss ${i}`));
      expect(signature.length).toBe(666);
      expect(falconVerifyWithNoble(publicKey, message, signature)).toBe(true);
      const s2 = secondVector(signature);
      const s1 = firstVector(signature, message, s2, h);
      const norm = [...s1, ...s2].reduce((sum, x) => sum + x * x, 0);
      expect(norm).toBeLessThanOrEqual(NORM_BOUND);
      norms.push(norm);
      first.push(...s1);
      second.push(...s2);
    }
    // Relative standard error of the mean: sqrt(2 / 1024 / 300) = 0.26 %.
    const meanNorm = norms.reduce((sum, norm) => sum + norm, 0) / count;
    expect(Math.abs(meanNorm / (2 * N * SIGMA ** 2) - 1)).toBeLessThan(0.01);
    for (const coefficients of [first, second]) {
      const { mean, variance, kurtosis } = momentsOf(coefficients);
      expect(Math.abs(mean)).toBeLessThan(2); // standard error 0.42
      expect(Math.abs(variance / SIGMA ** 2 - 1)).toBeLessThan(0.015); // 0.36 %
      expect(Math.abs(kurtosis - 3)).toBeLessThan(0.06); // 0.0125
    }
  });

  it('depends on nothing but its arguments', () => {
    const message = messageOf(5);
    const once = falconSign(secretKey, message, randomnessOf('a'));
    falconSign(testKey(1).secretKey, messageOf(6), randomnessOf('b'));
    expect(falconSign(secretKey, message, randomnessOf('a'))).toEqual(once);
    expect(falconSign(secretKey, messageOf(7), randomnessOf('a'))).not.toEqual(once);
    const other = randomnessOf('a');
    other[87] = (other[87] ?? 0) ^ 1; // the last bit of the sampler's seed
    const resampled = falconSign(secretKey, message, other);
    expect(resampled.subarray(0, BODY)).toEqual(once.subarray(0, BODY));
    expect(resampled).not.toEqual(once);
    expect(falconVerifyWithNoble(publicKey, message, resampled)).toBe(true);
  });

  it('leaves its arguments as they were', () => {
    const key = Uint8Array.from(secretKey);
    const message = messageOf(40);
    const randomness = randomnessOf('kept');
    falconSign(key, message, randomness);
    expect([key, message, randomness]).toEqual([secretKey, messageOf(40), randomnessOf('kept')]);
  });

  it('signs a message of the greatest length and refuses a longer one', () => {
    const message = new Uint8Array(FALCON_MAX_MESSAGE_BYTES);
    const signature = falconSign(secretKey, message, randomnessOf('longest'));
    expect(falconVerifyWithNoble(publicKey, message, signature)).toBe(true);
    const longer = new Uint8Array(FALCON_MAX_MESSAGE_BYTES + 1);
    expect(() => falconSign(secretKey, longer, randomnessOf('longer'))).toThrowError(
      expect.objectContaining({ code: 'crypto.length' }),
    );
  });

  it('refuses a wrong amount of randomness', () => {
    for (const length of [0, 40, 87, 89]) {
      expect(() => falconSign(secretKey, messageOf(1), new Uint8Array(length))).toThrowError(
        expect.objectContaining({ code: 'crypto.length' }),
      );
    }
  });
});

describe('a secret key', () => {
  const { secretKey } = testKey(0);
  const reasonOf = (key: Uint8Array): unknown => {
    try {
      falconSign(key, messageOf(1), randomnessOf('bad key'));
    } catch (error) {
      if (isPydeError(error, 'crypto.falcon-secret-key')) return error.details['reason'];
      throw error;
    }
    return undefined;
  };
  const changed = (at: number, value: number) => secretKey.with(at, value);

  it('is refused with a reason when its bytes are no key', () => {
    expect(reasonOf(new Uint8Array(0))).toMatch('0 bytes where 1281');
    expect(reasonOf(secretKey.subarray(1))).toMatch('1280 bytes');
    expect(reasonOf(concatBytes(secretKey, Uint8Array.of(0)))).toMatch('1282 bytes');
    expect(reasonOf(changed(0, 0x5a))).toMatch('0x59');
    expect(reasonOf(changed(0, 0x09))).toMatch('0x59');
    expect(reasonOf(changed(1280, 0x80))).toMatch('forbids');
    const zeroF = Uint8Array.from(secretKey).fill(0, 1, 385);
    expect(reasonOf(zeroF)).toMatch('no inverse');
    // f = 1, F = 0: G = 0 and fG - gF = 0, not q.
    const trivial = Uint8Array.from(secretKey).fill(0, 1, 385).fill(0, 769);
    trivial[1] = 1 << 2;
    expect(reasonOf(trivial)).toMatch('f*G - g*F');
    // f = 1, g = 0: G = 0 whatever F is.
    const flat = Uint8Array.from(trivial).fill(0, 385, 769).fill(1, 769);
    expect(reasonOf(flat)).toMatch('f*G - g*F');
    expect(reasonOf(secretKey)).toBe(undefined);
  });

  it('is refused when its basis is too uneven to sample with', () => {
    // Solves f*G - g*F = q with G = 121 - 90x^256, but (g, -f) is so short that its complement
    // is long, and some sigma' falls below sigma_min.
    const key = encodeSecretKey(
      [29, 20].flatMap(spread256),
      [31, -27].flatMap(spread256),
      [-125, -115].flatMap(spread256),
    );
    expect(reasonOf(key)).toMatch('too long to sample');
  });

  it('is refused after any change of one bit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 * 1281 - 1 }), (bit) => {
        const at = bit >> 3;
        expect(reasonOf(changed(at, (secretKey[at] ?? 0) ^ (1 << (bit & 7))))).toBeDefined();
      }),
      { numRuns: 200 },
    );
  });
});

describe('an expanded key', () => {
  const { secretKey, publicKey } = testKey(0);
  const kernel = createFalconSignKernel(3);
  const slots = new FalconKeySlots(kernel);
  const numbersOf = (slot: number) =>
    new Float64Array(kernel.memory.buffer, kernel.call.expandedKey(slot), SLOT_BYTES / 8);

  it('holds g, -f, G and -F at the roots of x^512 + 1, with f*G - g*F = q', () => {
    const [f, g, capitalF] = decodeSecretKey(secretKey);
    expect(encodeSecretKey(f, g, capitalF)).toEqual(secretKey);
    const numbers = numbersOf(slots.slotOf(secretKey));
    const at = (polynomial: number, i: number): Complex => ({
      re: numbers[N * polynomial + 2 * i] ?? Number.NaN,
      im: numbers[N * polynomial + 2 * i + 1] ?? Number.NaN,
    });
    for (let i = 0; i < N / 2; i++) {
      const root = rootOf(i);
      const fAt = evaluate(f, root);
      const gAt = evaluate(g, root);
      const capitalFAt = evaluate(capitalF, root);
      expectClose(at(0, i), gAt);
      expectClose(at(1, i), times(fAt, -1));
      expectClose(at(3, i), times(capitalFAt, -1));
      const fG = multiply(fAt, at(2, i));
      const gF = multiply(gAt, capitalFAt);
      expectClose({ re: fG.re - gF.re, im: fG.im - gF.im }, { re: Q, im: 0 });
    }
  });

  it('has every leaf where SamplerZ is proven', () => {
    const leaves = leavesOf(numbersOf(slots.slotOf(secretKey)).subarray(2048), 9);
    expect(leaves.length).toBe(N);
    for (const leaf of leaves) {
      expect(1 / leaf).toBeGreaterThanOrEqual(1.2778336969128337);
      expect(1 / leaf).toBeLessThanOrEqual(1.8205);
    }
    // det(B) = q: the product of all squared Gram-Schmidt norms is q^512 (two of each leaf).
    const logarithms = leaves.map((leaf) => Math.log(leaf * SIGMA));
    const sum = logarithms.reduce((total, value) => total + value, 0);
    expect(sum).toBeCloseTo((N / 2) * Math.log(Q), 6);
  });

  it('gives way when more recent keys need its slot, and signs the same when it returns', () => {
    // (x^i f, x^i g, x^-i F) is a key of the same public key.
    const keys = Array.from({ length: 5 }, (_, i) => rotated(secretKey, i));
    const signatures = keys.map((key, i) =>
      falconSign(key, messageOf(i), randomnessOf(`slot ${i}`)),
    );
    for (const i of [0, 1, 2, 0, 3, 0, 4, 1, 2, 3, 4, 4, 0]) {
      const [key, expected] = [keys[i], signatures[i]];
      if (key === undefined || expected === undefined) throw new Error(`no key ${i}`);
      const slot = slots.slotOf(key);
      expect(signWith(kernel, slot, messageOf(i), randomnessOf(`slot ${i}`))).toEqual(expected);
      expect(falconVerifyWithNoble(publicKey, messageOf(i), expected)).toBe(true);
    }
  });

  it('keeps its slot while it is used, the least recently used giving way', () => {
    const own = createFalconSignKernel(2);
    const two = new FalconKeySlots(own);
    const other = rotated(secretKey, 1);
    const slot = two.slotOf(secretKey);
    const otherSlot = two.slotOf(other);
    expect(two.slotOf(secretKey)).toBe(slot);
    expect(two.slotOf(rotated(secretKey, 2))).toBe(otherSlot);
    expect(two.slotOf(secretKey)).toBe(slot);
  });

  it('survives the refusal of another key', () => {
    const own = createFalconSignKernel(2);
    const two = new FalconKeySlots(own);
    const slot = two.slotOf(secretKey);
    for (let i = 0; i < 4; i++) {
      expect(() => two.slotOf(secretKey.with(500 + i, 0x55))).toThrowError(
        expect.objectContaining({ code: 'crypto.falcon-secret-key' }),
      );
    }
    expect(two.slotOf(secretKey)).toBe(slot);
    const signature = signWith(own, slot, messageOf(3), randomnessOf('survives'));
    expect(signature).toEqual(falconSign(secretKey, messageOf(3), randomnessOf('survives')));
  });

  it('is zero when forgotten, and nothing of key or seed stays elsewhere in memory', () => {
    const own = createFalconSignKernel(1);
    const memory = Buffer.from(own.memory.buffer);
    const one = new FalconKeySlots(own);
    const before = Buffer.from(memory);
    const randomness = randomnessOf('wiped');
    const slot = one.slotOf(secretKey);
    signWith(own, slot, messageOf(9), randomness);
    expect(memory.includes(Buffer.from(secretKey.subarray(1, 33)))).toBe(false);
    expect(memory.includes(Buffer.from(randomness.subarray(40, 56)))).toBe(false);
    one.forget(secretKey);
    // What signing leaves behind is public: the signature, and after it the hashed message.
    const changedBytes: number[] = [];
    for (let i = 0; i < memory.length; i++) if (memory[i] !== before[i]) changedBytes.push(i);
    const output = own.call.output();
    const outside = changedBytes.filter((i) => i < output || i >= output + 2048);
    expect(outside).toEqual([]);
    expect(changedBytes.length).toBeGreaterThan(600);
  });
});

describe('the attempts of a signature', () => {
  const { secretKey, publicKey } = testKey(0);
  const kernel = createFalconSignKernel(1);
  const slot = new FalconKeySlots(kernel).slotOf(secretKey);

  /** As `signWith`, with the room for s2 and the number of attempts chosen. */
  const attempt = (i: number, bodyBytes: number, maxAttempts: number) => {
    const [nonce, seed] = [bytesOf(`nonce ${i}`, 40), bytesOf(`seed ${i}`, 48)];
    const input = concatBytes(nonce, FALCON_CONTEXT_PREFIX, messageOf(i));
    kernel.inbox.set(input);
    kernel.call.hashStart();
    kernel.call.hashAbsorb(input.length);
    kernel.inbox.set(seed);
    const attempts = kernel.call.sign(slot, bodyBytes, maxAttempts);
    const signature = new Uint8Array(666);
    signature.set([0x39, ...nonce]);
    signature.set(kernel.outbox.subarray(0, Math.min(bodyBytes, 625)), BODY);
    return { attempts, signature };
  };

  it('go on with fresh samples until s2 fits', () => {
    const counts: number[] = [];
    for (let i = 0; i < 40; i++) {
      const { attempts, signature } = attempt(i, 611, 64);
      expect(attempts).toBeGreaterThan(0);
      expect(falconVerifyWithNoble(publicKey, messageOf(i), signature)).toBe(true);
      counts.push(attempts);
    }
    expect(counts.some((count) => count > 1)).toBe(true);
    expect(counts.some((count) => count === 1)).toBe(true);
  });

  it('end after the number allowed', () => {
    expect(attempt(0, 500, 3).attempts).toBe(0);
    expect(attempt(0, 625, 0).attempts).toBe(0);
    expect(attempt(0, 625, 1).attempts).toBe(1);
  });

  it('never write beyond the output', () => {
    expect(attempt(0, 1025, 1).attempts).toBe(0);
    expect(attempt(0, 1024, 1).attempts).toBe(1);
  });
});

describe('FalconSigner', () => {
  const { secretKey, publicKey } = testKey(0);

  it('signs with randomness drawn for each signature', () => {
    let drawn = 0;
    const signer = new FalconSigner(secretKey, (length) => bytesOf(`draw ${drawn++}`, length));
    const message = messageOf(33);
    const signatures = [signer.sign(message), signer.sign(message)];
    expect(drawn).toBe(2);
    expect(signatures[0]).not.toEqual(signatures[1]);
    for (const [i, signature] of signatures.entries()) {
      expect(falconVerifyWithNoble(publicKey, message, signature)).toBe(true);
      expect(signature).toEqual(falconSign(secretKey, message, bytesOf(`draw ${i}`, 88)));
    }
    signer.dispose();
  });

  it('refuses a bad key at once and short randomness when it signs', () => {
    expect(() => new FalconSigner(secretKey.with(0, 0), (n) => new Uint8Array(n))).toThrowError(
      expect.objectContaining({ code: 'crypto.falcon-secret-key' }),
    );
    const signer = new FalconSigner(secretKey, () => new Uint8Array(87));
    expect(() => signer.sign(messageOf(1))).toThrowError(
      expect.objectContaining({ code: 'crypto.length' }),
    );
  });

  it('does not sign once disposed, while another signer of the key still does', () => {
    const random = (length: number) => bytesOf('dispose', length);
    const signer = new FalconSigner(secretKey, random);
    const other = new FalconSigner(secretKey, random);
    signer.dispose();
    signer.dispose();
    expect(() => signer.sign(messageOf(2))).toThrowError('disposed');
    expect(falconVerifyWithNoble(publicKey, messageOf(2), other.sign(messageOf(2)))).toBe(true);
  });

  it('keeps its own copy of the key', () => {
    const key = Uint8Array.from(secretKey);
    const signer = new FalconSigner(key, (length) => bytesOf('copy', length));
    key.fill(0);
    expect(falconVerifyWithNoble(publicKey, messageOf(8), signer.sign(messageOf(8)))).toBe(true);
  });
});

// Falcon in a few lines, independent of the kernel.

interface Complex {
  readonly re: number;
  readonly im: number;
}

const times = ({ re, im }: Complex, factor: number): Complex => ({
  re: re * factor,
  im: im * factor,
});
const multiply = (a: Complex, b: Complex): Complex => ({
  re: a.re * b.re - a.im * b.im,
  im: a.re * b.im + a.im * b.re,
});

function expectClose(actual: Complex, expected: Complex): void {
  expect(Math.abs(actual.re - expected.re)).toBeLessThan(1e-6);
  expect(Math.abs(actual.im - expected.im)).toBeLessThan(1e-6);
}

/** Root i in the reference's order: exp(i pi rev10(256 + i/2) / 1024), negated for odd i. */
function rootOf(i: number): Complex {
  const reversed = [...(256 + (i >> 1)).toString(2).padStart(10, '0')].reverse().join('');
  const angle = (Math.PI * Number.parseInt(reversed, 2)) / 1024;
  return times({ re: Math.cos(angle), im: Math.sin(angle) }, i & 1 ? -1 : 1);
}

function evaluate(polynomial: readonly number[], x: Complex): Complex {
  return polynomial.reduceRight<Complex>(
    (sum, coefficient) => {
      const { re, im } = multiply(sum, x);
      return { re: re + coefficient, im };
    },
    { re: 0, im: 0 },
  );
}

/** The leaves of a tree: L10, tree of D00, tree of D11. */
function leavesOf(tree: Float64Array, logn: number): number[] {
  if (logn === 0) return [tree[0] ?? Number.NaN];
  const size = logn << (logn - 1);
  const left = 1 << logn;
  return [
    ...leavesOf(tree.subarray(left, left + size), logn - 1),
    ...leavesOf(tree.subarray(left + size, left + 2 * size), logn - 1),
  ];
}

/** A coefficient of x^0 or x^256 and the 255 zeros above it. */
const spread256 = (coefficient: number): number[] => [coefficient, ...Array<number>(255).fill(0)];

type SecretPolynomials = [f: number[], g: number[], capitalF: number[]];

function decodeSecretKey(key: Uint8Array): SecretPolynomials {
  const read = (from: number, to: number, width: number) => {
    const bits = [...key.subarray(from, to)].map((x) => x.toString(2).padStart(8, '0')).join('');
    return Array.from({ length: N }, (_, i) => {
      const value = Number.parseInt(bits.slice(i * width, (i + 1) * width), 2);
      return value >= 1 << (width - 1) ? value - (1 << width) : value;
    });
  };
  return [read(1, 385, 6), read(385, 769, 6), read(769, 1281, 8)];
}

function encodeSecretKey(f: number[], g: number[], capitalF: number[]): Uint8Array {
  const write = (polynomial: number[], width: number) => {
    const bits = polynomial
      .map((x) => (x & ((1 << width) - 1)).toString(2).padStart(width, '0'))
      .join('');
    return Uint8Array.from(bits.match(/.{8}/g) ?? [], (octet) => Number.parseInt(octet, 2));
  };
  return concatBytes(Uint8Array.of(0x59), write(f, 6), write(g, 6), write(capitalF, 8));
}

/** p * x^by modulo x^512 + 1, for -512 < by < 512. */
function shifted(polynomial: number[], by: number): number[] {
  const out = Array<number>(N).fill(0);
  for (const [i, coefficient] of polynomial.entries()) {
    const to = i + by;
    out[(to + N) % N] = to >= 0 && to < N ? coefficient : 0 - coefficient;
  }
  return out;
}

function rotated(secretKey: Uint8Array, by: number): Uint8Array {
  const [f, g, capitalF] = decodeSecretKey(secretKey);
  return encodeSecretKey(shifted(f, by), shifted(g, by), shifted(capitalF, -by));
}

function publicPolynomial(publicKey: Uint8Array): number[] {
  const bits = [...publicKey.subarray(1)].map((x) => x.toString(2).padStart(8, '0')).join('');
  return Array.from({ length: N }, (_, i) => Number.parseInt(bits.slice(14 * i, 14 * i + 14), 2));
}

function secondVector(signature: Uint8Array): number[] {
  const body = falconSignatureToConstantTime(signature).subarray(BODY);
  const hex = Buffer.from(body).toString('hex');
  return Array.from({ length: N }, (_, i) => {
    const value = Number.parseInt(hex.slice(3 * i, 3 * i + 3), 16);
    return value >= 2048 ? value - 4096 : value;
  });
}

/** s1 = c - s2 * h modulo q, centred. */
function firstVector(
  signature: Uint8Array,
  message: Uint8Array,
  s2: readonly number[],
  h: readonly number[],
): number[] {
  const nonce = signature.subarray(1, BODY);
  const stream = shake256(concatBytes(nonce, FALCON_CONTEXT_PREFIX, message), { dkLen: 2048 });
  const c: number[] = [];
  for (let at = 0; c.length < N; at += 2) {
    const sample = ((stream[at] ?? 0) << 8) | (stream[at + 1] ?? 0);
    if (sample < 5 * Q) c.push(sample % Q);
  }
  // 2N sums of at most 512 * 2047 * 12288 < 2^53.
  const product = new Float64Array(2 * N);
  for (const [i, a] of s2.entries()) {
    for (const [j, b] of h.entries()) product[i + j] = (product[i + j] ?? 0) + a * b;
  }
  return c.map((value, i) => {
    const difference = value - (product[i] ?? 0) + (product[i + N] ?? 0);
    const residue = ((difference % Q) + Q) % Q;
    return residue > Q / 2 ? residue - Q : residue;
  });
}

function momentsOf(values: readonly number[]) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const central = (power: number) =>
    values.reduce((sum, x) => sum + (x - mean) ** power, 0) / values.length;
  const variance = central(2);
  return { mean, variance, kurtosis: central(4) / variance ** 2 };
}
