import { describe, expect, it } from 'vitest';
import accounts from '../../vectors/devnet-accounts.json' with { type: 'json' };
import vectors from '../../vectors/wire-vectors.json' with { type: 'json' };
import { fromHex, isPydeError, toHex } from '../bytes/index.ts';
import { falconKeygen, falconPublicKeyOf, isFalconPublicKey } from './index.ts';
import { testKey } from './testing.ts';

const hex = (text: string): Uint8Array => fromHex(text, { maxBytes: 2048 });

describe('falconKeygen', () => {
  it.each(vectors.falcon)('of seed $seed gives the known keys', ({ seed, pk, sk }) => {
    const { publicKey, secretKey } = falconKeygen(hex(seed));
    expect(toHex(publicKey)).toBe(pk);
    expect(toHex(secretKey)).toBe(sk);
  });

  it('of a devnet seed gives the known account', () => {
    const account = accounts[3];
    expect(toHex(falconKeygen(hex(account?.seed ?? '')).publicKey)).toBe(account?.publicKey);
  });

  it('refuses a seed of another length', () => {
    for (const length of [0, 31, 33, 48]) {
      expect(codeOf(() => falconKeygen(new Uint8Array(length)))).toBe('crypto.length');
    }
  });

  it('leaves the seed as it was', () => {
    const seed = new Uint8Array(32).fill(1);
    falconKeygen(seed);
    expect(seed).toEqual(new Uint8Array(32).fill(1));
  });
});

describe('testKey', () => {
  it.each(accounts)('$i is devnet account $i', ({ i, seed, publicKey, address }) => {
    const key = testKey(i);
    expect(toHex(key.seed)).toBe(seed);
    expect(toHex(key.publicKey)).toBe(publicKey);
    expect(toHex(key.address)).toBe(address);
  });
});

describe('falconPublicKeyOf', () => {
  it('finds the public half of a secret key', () => {
    for (const { pk, sk } of vectors.falcon) expect(toHex(falconPublicKeyOf(hex(sk)))).toBe(pk);
  });

  it('refuses what is no secret key', () => {
    const { secretKey } = testKey(0);
    const changedHeader = secretKey.map((byte, i) => (i === 0 ? 0x58 : byte));
    // Six bits 100000 are -32, which the encoding leaves out.
    const forbidden = secretKey.map((byte, i) => (i === 1 ? 0x80 | (byte & 3) : byte));
    const zero = new Uint8Array(1281);
    zero[0] = 0x59;
    expect(codeOf(() => falconPublicKeyOf(changedHeader))).toBe('crypto.falcon-key');
    expect(codeOf(() => falconPublicKeyOf(forbidden))).toBe('crypto.falcon-key');
    expect(codeOf(() => falconPublicKeyOf(zero))).toBe('crypto.falcon-key');
    expect(codeOf(() => falconPublicKeyOf(secretKey.subarray(1)))).toBe('crypto.length');
  });
});

describe('isFalconPublicKey', () => {
  const { publicKey } = testKey(0);

  it('accepts every known key', () => {
    for (const { pk } of [...vectors.falcon, ...vectors.address]) {
      expect(isFalconPublicKey(hex(pk))).toBe(true);
    }
  });

  it('refuses another header and another length', () => {
    expect(isFalconPublicKey(publicKey.map((byte, i) => (i === 0 ? 0x0a : byte)))).toBe(false);
    expect(isFalconPublicKey(publicKey.subarray(0, 896))).toBe(false);
    expect(isFalconPublicKey(new Uint8Array([...publicKey, 0]))).toBe(false);
    expect(isFalconPublicKey(new Uint8Array(0))).toBe(false);
  });

  it('accepts q - 1 and refuses q, in the first and the last coefficient', () => {
    const first = (value: number): Uint8Array => {
      const key = publicKey.slice();
      key[1] = value >> 6;
      key[2] = ((value & 63) << 2) | ((key[2] ?? 0) & 3);
      return key;
    };
    const last = (value: number): Uint8Array => {
      const key = publicKey.slice();
      key[895] = ((key[895] ?? 0) & 0xc0) | (value >> 8);
      key[896] = value & 255;
      return key;
    };
    for (const place of [first, last]) {
      expect(isFalconPublicKey(place(12288))).toBe(true);
      expect(isFalconPublicKey(place(12289))).toBe(false);
      expect(isFalconPublicKey(place(16383))).toBe(false);
    }
  });
});

function codeOf(operation: () => unknown): unknown {
  try {
    return operation();
  } catch (error) {
    return isPydeError(error) ? error.code : error;
  }
}
