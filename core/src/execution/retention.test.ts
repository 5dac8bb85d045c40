import { describe, expect, it } from 'vitest';
import { accountKey, readAccount } from '../account/index.ts';
import { readU64BigEndian, u64BigEndian } from '../bytes/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import { TABLE, Table, verifyStateProof } from '../state/index.ts';
import { addressOf, wireBy } from '../tx/testing.ts';
import { encodeWaveCommitRecord, toHash, toNonce, toQuanta } from '../types/index.ts';
import { ARCHIVE, DEFAULT_RETENTION, Retention, readWaveRecord } from './index.ts';
import { TestChain } from './testing.ts';

const WAVE_MS = 100n;

/** A chain on which every wave has a certificate of some bytes and carries its deletions. */
async function grow(waves: number, retention: (chain: TestChain) => Promise<Retention>) {
  const chain = await TestChain.start();
  const certs = new Table(chain.store, TABLE.certs);
  let keeper = await retention(chain);
  const sizes: number[] = [];
  for (let n = 0; n < waves; n++) {
    if (n === waves >> 1) keeper = await retention(chain);
    const bytes = wireBy(0, { to: addressOf(7), value: toQuanta(1n), nonce: toNonce(BigInt(n)) });
    const result = chain.execute([bytes], WAVE_MS);
    await chain.store.batch(keeper.deletions(result.record, result.writes.length));
    const { record } = await chain.wave([bytes], WAVE_MS);
    await chain.store.batch([certs.put(u64BigEndian(record.waveId), Uint8Array.of(1))]);
    let size = 0;
    for await (const _ of new Table(chain.store, TABLE.jmt).range()) size++;
    for await (const _ of new Table(chain.store, TABLE.jmtStale).range()) size++;
    for await (const _ of certs.range()) size++;
    sizes.push(size);
  }
  return { chain, sizes };
}

async function certsOf(store: KeyValueStore): Promise<bigint[]> {
  const certs: bigint[] = [];
  for await (const [wave] of new Table(store, TABLE.certs).range()) {
    certs.push(readU64BigEndian(wave));
  }
  return certs;
}

/** Rewrites records of waves as if they had closed an epoch. */
async function closeEpochs(store: KeyValueStore, waves: readonly bigint[]): Promise<void> {
  for (const wave of waves) {
    const record = readWaveRecord(store, wave);
    if (record === undefined) throw new Error(`there is a wave ${wave}`);
    const closing = { ...record, nextCommitteeHash: toHash(new Uint8Array(32)) };
    const bytes = encodeWaveCommitRecord(closing);
    await store.batch([new Table(store, TABLE.waves).put(u64BigEndian(wave), bytes)], {
      sync: false,
    });
  }
}

describe('Retention', () => {
  it('keeps the window, with its proofs, and nothing older; and no more than that for ever', async () => {
    const limits = { stateVersions: 5n, certMs: 8n * WAVE_MS };
    const { chain, sizes } = await grow(40, ({ state, store }) =>
      Retention.open(state, store, limits),
    );
    const { state, store } = chain;
    expect(state.oldestVersion).toBe(35n);
    expect(() => state.getAt(accountKey(addressOf(7)), 34n)).toThrow(/the oldest that is kept/);
    for (let version = 35n; version <= 40n; version++) {
      const key = accountKey(addressOf(7));
      const root = state.rootAt(version);
      expect(root).toBeDefined();
      const value = state.getAt(key, version);
      const proof = state.prove(key, version);
      if (root !== undefined) verifyStateProof({ root, key, value, proof });
    }
    expect(readAccount(state, addressOf(7)).balance).toBe(40n);
    expect(await certsOf(store)).toEqual([33n, 34n, 35n, 36n, 37n, 38n, 39n, 40n]);
    expect(Math.max(...sizes.slice(20))).toBeLessThanOrEqual(Math.max(...sizes.slice(10, 20)) + 2);
  });

  it('keeps what closed an epoch, and goes on behind it after a restart', async () => {
    const limits = { stateVersions: 5n, certMs: 4n * WAVE_MS };
    const { chain } = await grow(12, ({ state, store }) => Retention.open(state, store));
    await closeEpochs(chain.store, [2n, 3n]);
    const keeper = await Retention.open(chain.state, chain.store, limits);
    for (let i = 0; i < 5; i++) await chain.store.batch(keeper.deletions(chain.head.record, 0));
    expect(await certsOf(chain.store)).toEqual([2n, 3n, 9n, 10n, 11n, 12n]);
    const { record } = await chain.wave([], WAVE_MS);
    const reopened = await Retention.open(chain.state, chain.store, limits);
    await chain.store.batch(reopened.deletions(record, 0));
    expect(await certsOf(chain.store)).toEqual([2n, 3n, 10n, 11n, 12n]);
  });

  it('lets an archive forget nothing', async () => {
    const { chain } = await grow(12, ({ state, store }) => Retention.open(state, store));
    const keeper = await Retention.open(chain.state, chain.store, ARCHIVE);
    const { record } = await chain.wave([], 10n * DEFAULT_RETENTION.certMs);
    expect(keeper.deletions(record, 100)).toEqual([]);
  });

  it('keeps everything while the chain is younger than the window', async () => {
    const { chain } = await grow(12, ({ state, store }) => Retention.open(state, store));
    expect(chain.state.oldestVersion).toBe(0n);
  });
});
