/** Keys, signatures and ciphertexts from outside. */

import { concatBytes, equalBytes, PydeError } from '../../bytes/index.ts';
import { bytesTarget, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import type { SeededRandom } from '../../bytes/testing/random.ts';
import {
  aes256Gcm,
  chacha20Poly1305,
  falconPublicKeyOf,
  falconSign,
  falconSignatureToConstantTime,
  falconSignatureToPadded,
  falconVerify,
  isCanonicalPoseidon2,
  isFalconPublicKey,
  mlKem768,
  poseidon2,
  xchacha20Poly1305,
} from '../index.ts';
import { testKey } from '../testing.ts';

const HEADER_AND_NONCE = 41;
const MESSAGE = new TextEncoder().encode('fuzzed');
const signature = falconSign(testKey(0).secretKey, MESSAGE, new Uint8Array(88).fill(7));
const constantTime = falconSignatureToConstantTime(signature);
/** Without the zeros that pad it. */
const compressed = signature.slice(0, signature.findLastIndex((byte) => byte !== 0) + 1);

/** Small ones, and those that an encoding has no place for. */
const COEFFICIENTS = [0, 1, -1, 127, 128, -128, 300, -300, 2047, -2047, 2048, -2048, 4095];

/** A compressed signature of chosen coefficients, now and then with one rule of the form broken. */
function craftCompressed(random: SeededRandom, seed: Uint8Array): Uint8Array {
  const bits: number[] = [];
  const wild = random.pick([0, 1, 20]);
  const breakAt = random.oneIn(2) ? random.below(512) : -1;
  for (let i = 0; i < 512; i++) {
    const value = random.below(200) < wild ? random.pick(COEFFICIENTS) : random.between(-120, 120);
    const magnitude = Math.abs(value);
    bits.push(value < 0 || (i === breakAt && value === 0) ? 1 : 0);
    for (let bit = 6; bit >= 0; bit--) bits.push(i === breakAt ? 0 : (magnitude >> bit) & 1);
    for (let zeros = magnitude >> 7; zeros > 0; zeros--) bits.push(0);
    bits.push(1);
  }
  const body = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => {
    body[i >> 3] = (body[i >> 3] ?? 0) | (bit << (7 - (i & 7)));
  });
  const whole = concatBytes(Uint8Array.of(0x39), seed.subarray(1, HEADER_AND_NONCE), body);
  switch (random.below(4)) {
    case 0: {
      const padded = new Uint8Array(Math.max(666, whole.length));
      padded.set(whole);
      return padded;
    }
    case 1:
      return concatBytes(whole, new Uint8Array(random.below(3)));
    case 2: {
      const padded = new Uint8Array(666);
      padded.set(whole.subarray(0, 666));
      padded[random.between(600, 665)] = random.below(256);
      return padded;
    }
    default:
      return whole;
  }
}

/** Chosen 12-bit coefficients in the constant-time form. */
function craftSignature(random: SeededRandom, seed: Uint8Array): Uint8Array {
  if (random.oneIn(2)) return craftCompressed(random, seed);
  const out = constantTime.slice();
  for (let i = random.below(4); i > 0; i--) {
    const at = HEADER_AND_NONCE + 3 * random.below(256);
    const value = random.pick(COEFFICIENTS) & 0xfff;
    if (random.oneIn(2)) {
      out[at] = value >> 4;
      out[at + 1] = ((value & 15) << 4) | ((out[at + 1] ?? 0) & 15);
    } else {
      out[at + 1] = ((out[at + 1] ?? 0) & 0xf0) | (value >> 8);
      out[at + 2] = value & 0xff;
    }
  }
  return out;
}

/** Reading a key or opening a seal computes: what it takes does not grow with the input. */
const computes = (length: number) => ({ largest: 1 << 20, total: (8 << 20) + 64 * length });

/** A check that answers true or false: false is its refusal. */
const judged = (holds: boolean): true => {
  if (holds) return true;
  throw new PydeError('fuzz.false', 'the answer is false');
};

const kem = mlKem768.keygen(new Uint8Array(64).fill(3));
const sealedTo = mlKem768.encapsulate(kem.publicKey, new Uint8Array(32).fill(5));
const AEADS = { aes256Gcm, chacha20Poly1305, xchacha20Poly1305 };
const AEAD_KEY = new Uint8Array(32).fill(1);

export const cryptoTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'FALCON signature to padded',
    seeds: [signature, compressed, constantTime],
    decode: (bytes) => ({ bytes, padded: falconSignatureToPadded(bytes) }),
    // One byte string a form: through the padded form each comes back as it was.
    encode: ({ bytes, padded }) => inFormOf(bytes, padded),
    craft: craftSignature,
    share: 0.5,
  }),
  bytesTarget({
    name: 'FALCON signature to constant time',
    seeds: [signature, compressed, constantTime],
    decode: (bytes) => ({ bytes, form: falconSignatureToConstantTime(bytes) }),
    encode: ({ bytes, form }) => (bytes[0] === 0x59 ? form : bytes),
    craft: craftSignature,
    share: 0.5,
  }),
  bytesTarget({
    name: 'FALCON verification, signature',
    seeds: [signature, compressed, constantTime],
    decode: (bytes) => {
      judged(falconVerify(testKey(0).publicKey, MESSAGE, bytes));
      return bytes;
    },
    // The kernel has a reader of its own: what it takes for a signature is one here too, and in its
    // other form still is.
    encode: (bytes) => {
      const other =
        bytes[0] === 0x59 ? falconSignatureToPadded(bytes) : falconSignatureToConstantTime(bytes);
      return falconVerify(testKey(0).publicKey, MESSAGE, other) ? bytes : new Uint8Array(0);
    },
    craft: craftSignature,
    bound: computes,
    share: 0.5,
  }),
  bytesTarget({
    name: 'FALCON verification, public key',
    seeds: [testKey(0).publicKey],
    decode: (bytes) => {
      judged(falconVerify(bytes, MESSAGE, signature));
      return bytes;
    },
    encode: (bytes) => (isFalconPublicKey(bytes) ? bytes : new Uint8Array(0)),
    bound: computes,
    share: 0.3,
  }),
  bytesTarget({
    name: 'FALCON public key',
    seeds: [testKey(0).publicKey, testKey(1).publicKey],
    decode: (bytes) => judged(isFalconPublicKey(bytes)),
  }),
  bytesTarget({
    name: 'FALCON secret key, public half',
    seeds: [testKey(0).secretKey],
    decode: (bytes) => falconPublicKeyOf(bytes),
    bound: computes,
    share: 0.02,
  }),
  bytesTarget({
    name: 'FALCON secret key, expanded',
    seeds: [testKey(0).secretKey],
    decode: (bytes) => ({ bytes, signed: falconSign(bytes, MESSAGE, new Uint8Array(88)) }),
    // What the kernel takes for a key signs for the public half that noble finds in it.
    encode: ({ bytes, signed }) =>
      falconVerify(falconPublicKeyOf(bytes), MESSAGE, signed) ? bytes : new Uint8Array(0),
    bound: computes,
    share: 0.1,
  }),
  bytesTarget({
    name: 'Poseidon2 digest',
    seeds: [poseidon2(MESSAGE)],
    decode: (bytes) => judged(isCanonicalPoseidon2(bytes)),
  }),
  bytesTarget({
    name: 'ML-KEM public key',
    seeds: [kem.publicKey],
    decode: (bytes) => mlKem768.encapsulate(bytes, new Uint8Array(32)),
    bound: computes,
    share: 0.03,
  }),
  bytesTarget({
    name: 'ML-KEM ciphertext',
    seeds: [sealedTo.ciphertext],
    decode: (bytes) => mlKem768.decapsulate(bytes, kem.secretKey),
    bound: computes,
    share: 0.03,
  }),
  bytesTarget({
    name: 'ML-KEM secret key',
    seeds: [kem.secretKey],
    decode: (bytes) => mlKem768.decapsulate(sealedTo.ciphertext, bytes),
    bound: computes,
    share: 0.03,
  }),
  ...Object.entries(AEADS).map(([name, aead]) => {
    const nonce = new Uint8Array(aead.nonceBytes);
    return bytesTarget({
      name: `sealed bytes, ${name}`,
      seeds: [0, 1, 100].map((n) => aead.seal(AEAD_KEY, nonce, new Uint8Array(n))),
      decode: (bytes) => aead.open(AEAD_KEY, nonce, bytes),
      encode: (plain) => aead.seal(AEAD_KEY, nonce, plain),
      bound: computes,
      share: 0.2,
    });
  }),
];

/** The padded bytes in the form that `like` has. */
function inFormOf(like: Uint8Array, padded: Uint8Array): Uint8Array {
  if (like[0] === 0x59) return falconSignatureToConstantTime(padded);
  if (like.length === padded.length) return padded;
  // A compressed one is the padded one up to its own end, and nothing but zeros follows there.
  const rest = padded.subarray(like.length);
  const same = equalBytes(padded.subarray(0, like.length), like);
  return same && rest.every((byte) => byte === 0) ? like : padded;
}
