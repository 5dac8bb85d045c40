import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '../bytes/index.ts';
import { MemoryStore } from '../platform/index.ts';
import { openRecord, sealRecord, TABLE, Table } from './table.ts';

const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });

describe('a table', () => {
  it('gives back what was put, under its own prefix only', async () => {
    const store = new MemoryStore();
    const waves = new Table(store, TABLE.waves);
    const certs = new Table(store, TABLE.certs);
    const key = Uint8Array.of(1, 2);
    await store.batch([waves.put(key, Uint8Array.of(7)), certs.put(key, new Uint8Array(0))]);
    expect(waves.get(key)).toEqual(Uint8Array.of(7));
    expect(certs.get(key)).toEqual(new Uint8Array(0));
    await store.batch([waves.delete(key)]);
    expect(waves.get(key)).toBeUndefined();
    expect(certs.get(key)).toEqual(new Uint8Array(0));
  });

  it('refuses a record of which any byte of key, value or checksum differs', () => {
    fc.assert(
      fc.property(bytes, bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (key, value, at, x) => {
        const whole = concatBytes(key, sealRecord(key, value));
        const where = at % whole.length;
        whole[where] = (whole[where] ?? 0) ^ x;
        const [badKey, badRecord] = [whole.subarray(0, key.length), whole.subarray(key.length)];
        expect(openRecord(key, sealRecord(key, value))).toEqual(value);
        expect(() => openRecord(badKey, badRecord)).toThrow('checksum');
      }),
    );
  });

  it('refuses records that are cut short, naming table and key', async () => {
    const store = new MemoryStore();
    const table = new Table(store, TABLE.receipts);
    const suffix = Uint8Array.of(0xab, 0xcd);
    const put = table.put(suffix, Uint8Array.of(1, 2, 3));
    const record = put.kind === 'put' ? put.value : new Uint8Array(0);
    for (let length = 0; length < record.length; length++) {
      await store.batch([{ kind: 'put', key: put.key, value: record.subarray(0, length) }]);
      const error = { code: 'state.checksum', details: { table: 'receipts', key: '0xabcd' } };
      expect(() => table.get(suffix)).toThrow(expect.objectContaining(error));
      await expect(table.range().next()).rejects.toMatchObject(error);
    }
  });

  it('walks a range by suffix in either direction', async () => {
    const store = new MemoryStore();
    const table = new Table(store, TABLE.events);
    const others = [TABLE.receipts, TABLE.eventsByTopic].map((prefix) => new Table(store, prefix));
    const suffixes = ['0001', '0002', '0101', '01ff', 'ffff'];
    const key = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
    for (const t of [table, ...others]) {
      await store.batch(suffixes.map((suffix) => t.put(key(suffix), key(suffix))));
    }
    const walk = async (range?: Parameters<Table['range']>[0]) => {
      const found: string[] = [];
      for await (const [suffix, value] of table.range(range)) {
        expect(value).toEqual(Uint8Array.from(suffix));
        found.push(toHex(suffix).slice(2));
      }
      return found;
    };
    expect(await walk()).toEqual(suffixes);
    expect(await walk({ reverse: true, limit: 2 })).toEqual(['ffff', '01ff']);
    expect(await walk({ prefix: key('01') })).toEqual(['0101', '01ff']);
    expect(await walk({ from: key('0002'), until: key('01ff') })).toEqual(['0002', '0101']);
    expect(await walk({ prefix: key('01'), from: key('01f0') })).toEqual(['01ff']);
    expect(await walk({ prefix: key('ff'), until: key('ffff') })).toEqual([]);
  });

  it('has a prefix that no other table has', () => {
    const prefixes = Object.values(TABLE);
    expect(new Set(prefixes).size).toBe(prefixes.length);
    expect(() => new Table(new MemoryStore(), 0xee)).toThrow('one of TABLE');
  });
});
