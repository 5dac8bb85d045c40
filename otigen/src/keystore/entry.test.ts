import { toHex } from '@pyde/core/bytes';
import { argon2id, chacha20Poly1305 } from '@pyde/core/crypto';
import { deriveKey } from '@pyde/platform-node/key-derivation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testKey } from '../../../core/src/crypto/testing.ts';
import { type EntryJson, openEntry, readEntry, sealEntry } from './entry.ts';

const keys = testKey(0);
const sealed = await sealEntry(keys, 'correct horse');

/** The same entry as another wallet may write it: ChaCha20-Poly1305 and a light derivation. */
async function lightEntry(password: string): Promise<EntryJson> {
  const kdf = { name: 'argon2id' as const, memory_kb: 64, iterations: 1, parallelism: 2 };
  const salt = new Uint8Array(16).fill(7);
  const nonce = new Uint8Array(12).fill(9);
  const key = await deriveKey(password, salt, kdf);
  return {
    address: toHex(keys.address),
    pubkey: toHex(keys.publicKey),
    ciphertext: toHex(chacha20Poly1305.seal(key, nonce, keys.secretKey)),
    salt: toHex(salt),
    nonce: toHex(nonce),
    cipher: 'chacha20-poly1305',
    kdf,
  };
}

describe('a keystore entry', () => {
  it('gives back the secret key under its password', async () => {
    const opened = await openEntry(readEntry('alice', sealed), 'correct horse');
    expect(toHex(opened)).toBe(toHex(keys.secretKey));
  });

  it('is refused under another password, as a wallet failure', async () => {
    const opening = openEntry(readEntry('alice', sealed), 'correct horsf');
    await expect(opening).rejects.toMatchObject({ code: 'WrongPassword', exitCode: 4 });
  });

  it('has fresh salt and nonce each time', async () => {
    const again = await sealEntry(keys, 'correct horse');
    expect(again.salt).not.toBe(sealed.salt);
    expect(again.nonce).not.toBe(sealed.nonce);
    expect(again.ciphertext).not.toBe(sealed.ciphertext);
  });

  it('states the derivation that wire.md fixes and no cipher', () => {
    expect(sealed.kdf).toEqual({
      name: 'argon2id',
      memory_kb: 65536,
      iterations: 3,
      parallelism: 4,
    });
    expect(sealed).not.toHaveProperty('cipher');
  });

  it('opens when sealed with ChaCha20-Poly1305, under any password', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), async (password) => {
        const entry = readEntry('bob', await lightEntry(password));
        expect(toHex(await openEntry(entry, password))).toBe(toHex(keys.secretKey));
        await expect(openEntry(entry, `${password}x`)).rejects.toMatchObject({
          code: 'WrongPassword',
        });
      }),
      { numRuns: 15 },
    );
  });

  it('is refused before any password work when a derivation parameter is out of bounds', async () => {
    const light = await lightEntry('pw');
    for (const change of [
      { memory_kb: 1024 * 1024 + 1 },
      { memory_kb: 15 },
      { memory_kb: 1e300 },
      { memory_kb: 64.5 },
      { iterations: 17 },
      { iterations: 0 },
      { parallelism: 17 },
      { parallelism: 0 },
      { name: 'scrypt' },
    ]) {
      expect(
        () => readEntry('bob', { ...light, kdf: { ...light.kdf, ...change } }),
        JSON.stringify(change),
      ).toThrow(/^account "bob" cannot be used: kdf/);
    }
  });

  it('is refused when a field is missing, cut, or of another account', async () => {
    const light = await lightEntry('pw');
    const other = testKey(1);
    const changes: Record<string, unknown>[] = [
      { salt: '0x00' },
      { nonce: undefined },
      { ciphertext: light.ciphertext.slice(0, -2) },
      { pubkey: 5 },
      { pubkey: toHex(other.publicKey) },
      { address: toHex(other.address) },
      { cipher: 'rot13' },
    ];
    for (const change of changes) {
      expect(() => readEntry('bob', { ...light, ...change }), JSON.stringify(change)).toThrow(
        /^account "bob" cannot be used/,
      );
    }
    for (const json of [null, 7, [], 'entry', {}]) {
      expect(() => readEntry('bob', json)).toThrow(/^account "bob" cannot be used/);
    }
  });

  it('is refused when it seals the key of another public key', async () => {
    const light = await lightEntry('pw');
    const other = testKey(1);
    const swapped = { ...light, address: toHex(other.address), pubkey: toHex(other.publicKey) };
    await expect(openEntry(readEntry('bob', swapped), 'pw')).rejects.toMatchObject({
      code: 'DamagedEntry',
    });
  });
});

describe("Node's Argon2id", () => {
  it('is the one of core for any password, salt and parameters', async () => {
    const parameters = fc.record({
      iterations: fc.integer({ min: 1, max: 3 }),
      parallelism: fc.integer({ min: 1, max: 4 }),
      memory_kb: fc.integer({ min: 32, max: 200 }),
    });
    const salt = fc.uint8Array({ minLength: 16, maxLength: 16 });
    await fc.assert(
      fc.asyncProperty(fc.string(), salt, parameters, async (password, salt, kdf) => {
        const expected = argon2id(new TextEncoder().encode(password), salt, {
          memoryKb: kdf.memory_kb,
          iterations: kdf.iterations,
          parallelism: kdf.parallelism,
        });
        const key = await deriveKey(password, salt, { name: 'argon2id', ...kdf });
        expect(toHex(key)).toBe(toHex(expected));
      }),
      { numRuns: 25 },
    );
  });
});
