import { describe, expect, it } from 'vitest';
import { u64BigEndian } from '../bytes/index.ts';
import { TestChain } from '../execution/testing.ts';
import { buildCert, encodeCert } from '../finality/index.ts';
import { MemoryStore } from '../platform/index.ts';
import { StateStore, TABLE, Table } from '../state/index.ts';
import { addressOf, signatureOf, wireBy } from '../tx/testing.ts';
import { toFalconSignature, toMemberIndex, toNonce, toQuanta } from '../types/index.ts';
import { checkDatabase } from './index.ts';
import { checkStart } from './start-check.ts';

async function chainOf(waves: number): Promise<TestChain> {
  const chain = await TestChain.start();
  for (let nonce = 0; nonce < waves; nonce++) {
    const fields = { to: addressOf(4), value: toQuanta(5n), nonce: toNonce(BigInt(nonce)) };
    const { record, digest } = await chain.wave([wireBy(1, fields), wireBy(2, fields)]);
    const signature = toFalconSignature(signatureOf(0, digest));
    const cert = buildCert(record, [{ member: toMemberIndex(0), signature }], 1);
    const write = new Table(chain.store, TABLE.certs).put(
      u64BigEndian(record.waveId),
      encodeCert(cert),
    );
    await chain.store.batch([write]);
  }
  return chain;
}

async function copyOf(store: MemoryStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  for await (const [key, value] of store.range({ prefix: new Uint8Array() })) {
    await copy.batch([{ kind: 'put', key, value }]);
  }
  return copy;
}

const codesOf = async (store: MemoryStore): Promise<string[]> =>
  (await checkDatabase(store)).damages.map(({ code }) => code);

describe('checkDatabase', () => {
  it('finds a chain that ran whole, and says what it read', async () => {
    const { store } = await chainOf(3);
    const report = await checkDatabase(store);
    expect(report).toMatchObject({ damages: [], headWave: 3n, certificates: 3 });
    expect(report.records).toMatchObject({ waves: 4, certs: 3, receipts: 6, transactions: 6 });
  });

  it('says so when there is no chain', async () => {
    expect(await codesOf(new MemoryStore())).toEqual(['check.empty']);
  });

  it('names table and key of one flipped byte in any table', async () => {
    const { store } = await chainOf(2);
    for (const [name, prefix] of Object.entries(TABLE)) {
      const damaged = await copyOf(store);
      let present = false;
      for await (const [key, value] of store.range({ prefix: Uint8Array.of(prefix), limit: 1 })) {
        const bent = Uint8Array.from(value);
        bent[bent.length >> 1] = (bent[bent.length >> 1] ?? 0) ^ 0x10;
        await damaged.batch([{ kind: 'put', key, value: bent }]);
        present = true;
      }
      if (!present) continue;
      const { damages } = await checkDatabase(damaged);
      expect(damages[0], name).toMatchObject({
        code: 'state.checksum',
        message: expect.stringContaining(`of table ${name} `),
      });
    }
  });

  it('finds tables of different moments, lost receipts and a lost wave', async () => {
    const early = await chainOf(2);
    const late = await chainOf(3);
    const mixed = await copyOf(late.store);
    for await (const [key, value] of early.store.range({ prefix: Uint8Array.of(TABLE.state) })) {
      await mixed.batch([{ kind: 'put', key, value }]);
    }
    expect(await codesOf(mixed)).toEqual([
      ...['node.mixed-store', 'check.root', 'check.root', 'check.leaf'],
    ]);

    for (const [prefix, code] of [
      [TABLE.receipts, 'node.mixed-store'],
      [TABLE.transactions, 'node.mixed-store'],
      [TABLE.transactionsByAccount, 'node.mixed-store'],
      [TABLE.transactionsByWave, 'node.mixed-store'],
    ] as const) {
      const lacking = await copyOf(late.store);
      for await (const [key] of late.store.range({ prefix: Uint8Array.of(prefix), limit: 1 })) {
        await lacking.batch([{ kind: 'delete', key }]);
      }
      expect(await codesOf(lacking)).toEqual([code]);
    }
    const gap = await copyOf(late.store);
    await gap.batch([new Table(gap, TABLE.waves).delete(u64BigEndian(2n))]);
    expect(await codesOf(gap)).toEqual(['node.mixed-store', 'cert.wave-gap']);
  });

  it('refuses a store whose records another version laid out', async () => {
    const { store } = await chainOf(1);
    const layout = new TextEncoder().encode('execution/layout');
    const meta = new Table(store, TABLE.meta);
    for (const write of [meta.put(layout, Uint8Array.of(1)), meta.delete(layout)]) {
      const other = await copyOf(store);
      await other.batch([write]);
      expect((await codesOf(other))[0]).toBe('node.store-layout');
      const started = checkStart(other, StateStore.open(other));
      await expect(started).rejects.toMatchObject({ code: 'node.store-layout' });
    }
  });

  it('finds a certificate of somebody else', async () => {
    const { store, head } = await chainOf(1);
    const signature = toFalconSignature(signatureOf(3, head.digest));
    const cert = buildCert(head.record, [{ member: toMemberIndex(0), signature }], 1);
    await store.batch([new Table(store, TABLE.certs).put(u64BigEndian(1n), encodeCert(cert))]);
    expect(await codesOf(store)).toEqual(['cert.signature']);
  });
});
