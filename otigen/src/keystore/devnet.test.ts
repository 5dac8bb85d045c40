import { readFileSync } from 'node:fs';
import { toHex } from '@pyde/core/bytes';
import { describe, expect, it } from 'vitest';
import { testKey } from '../../../core/src/crypto/testing.ts';
import { DEVNET_PASSWORD, deriveDevnetEntry, devnetEntries } from './devnet.ts';
import { openEntry, readEntry } from './entry.ts';

const vectors: readonly { address: string; publicKey: string }[] = JSON.parse(
  readFileSync(new URL('../../../core/vectors/devnet-accounts.json', import.meta.url), 'utf8'),
);

describe('the constant devnet entries', () => {
  it('are what key generation, Argon2id and AES give, byte for byte', async () => {
    const entries = devnetEntries();
    expect(entries).toHaveLength(10);
    for (const [i, entry] of entries.entries()) {
      expect(entry).toEqual(await deriveDevnetEntry(i, testKey(i)));
    }
  });

  it('hold the addresses and public keys of the vectors', () => {
    const held = devnetEntries().map(({ address, pubkey }) => ({ address, publicKey: pubkey }));
    const given = vectors.map(({ address, publicKey }) => ({ address, publicKey }));
    expect(held).toEqual(given);
  });

  it('open with the password devnet', async () => {
    const entry = readEntry('devnet-3', devnetEntries()[3]);
    const secretKey = await openEntry(entry, DEVNET_PASSWORD);
    expect(toHex(secretKey)).toBe(toHex(testKey(3).secretKey));
  });
});
