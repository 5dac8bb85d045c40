import { describe, expect, it } from 'vitest';
import vector from '../../vectors/ml-kem-768.json' with { type: 'json' };
import { fromHex, isPydeError, toHex } from '../bytes/index.ts';
import { mlKem768 } from './index.ts';

const hex = (text: string): Uint8Array => fromHex(text, { maxBytes: 4096 });
const coin = hex(vector.coin);

describe('ML-KEM-768', () => {
  it('gives the known keys, ciphertext and secret of FIPS 203', () => {
    const { publicKey, secretKey } = mlKem768.keygen(hex(vector.seed));
    expect(toHex(publicKey)).toBe(vector.publicKey);
    expect(toHex(secretKey)).toBe(vector.secretKey);
    const { ciphertext, sharedSecret } = mlKem768.encapsulate(publicKey, coin);
    expect(toHex(ciphertext)).toBe(vector.ciphertext);
    expect(toHex(sharedSecret)).toBe(vector.sharedSecret);
    expect(toHex(mlKem768.decapsulate(ciphertext, secretKey))).toBe(vector.sharedSecret);
  });

  it('gives another secret for a changed ciphertext, not an error', () => {
    const known = vector.rejected;
    const { secretKey } = mlKem768.keygen(hex(known.seed));
    const rejected = mlKem768.decapsulate(hex(known.ciphertext), secretKey);
    expect(toHex(rejected)).toBe(known.sharedSecret);

    const changed = hex(vector.ciphertext).map((byte, i) => (i === 100 ? byte ^ 1 : byte));
    const secret = mlKem768.decapsulate(changed, hex(vector.secretKey));
    expect(secret.length).toBe(32);
    expect(toHex(secret)).not.toBe(vector.sharedSecret);
    expect(mlKem768.decapsulate(changed, hex(vector.secretKey))).toEqual(secret);
  });

  it('refuses a public key with a coefficient above q and a secret key whose hash is wrong', () => {
    const overflowing = hex(vector.overflowingPublicKey);
    expect(codeOf(() => mlKem768.encapsulate(overflowing, coin))).toBe('crypto.ml-kem');
    const secretKey = hex(vector.secretKey).map((byte, i) => (i === 1152 + 1184 ? byte ^ 1 : byte));
    expect(codeOf(() => mlKem768.decapsulate(hex(vector.ciphertext), secretKey))).toBe(
      'crypto.ml-kem',
    );
  });

  it('refuses every wrong length', () => {
    const short = new Uint8Array(31);
    const refused = [
      () => mlKem768.keygen(short),
      () => mlKem768.encapsulate(short, coin),
      () => mlKem768.encapsulate(hex(vector.publicKey), short),
      () => mlKem768.decapsulate(short, hex(vector.secretKey)),
      () => mlKem768.decapsulate(hex(vector.ciphertext), short),
    ];
    expect(refused.map(codeOf)).toEqual(refused.map(() => 'crypto.length'));
  });
});

function codeOf(operation: () => unknown): unknown {
  try {
    return operation();
  } catch (error) {
    return isPydeError(error) ? error.code : error;
  }
}
