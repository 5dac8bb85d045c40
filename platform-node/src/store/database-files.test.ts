import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPydeError, u64BigEndian } from '@pyde/core/bytes';
import { TABLE, Table } from '@pyde/core/state';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';
import { checkDatabaseFiles } from './database-files.ts';
import { LevelStore } from './level-store.ts';
import { unsnappy } from './snappy.ts';

const home = mkdtempSync(join(tmpdir(), 'pyde-files-'));
const whole = join(home, 'whole');
afterAll(() => rmSync(home, { recursive: true, force: true }));

const SESSIONS = 3;
const WRITES = 60;
/** Every fourth write is synced, the last ones of a session are not. */
const isSynced = (n: number): boolean => n % 4 === 0;

const keyOf = (n: number): Uint8Array => u64BigEndian(BigInt(n));

/** Write n changes record 0 and makes record n. */
async function writeSession(folder: string, session: number): Promise<void> {
  const store = await LevelStore.open(folder);
  const table = new Table(store, TABLE.receipts);
  for (let i = 1; i <= WRITES; i++) {
    const n = session * WRITES + i;
    const value = new Uint8Array(700).fill(n);
    const writes = [table.put(keyOf(0), keyOf(n)), table.put(keyOf(n), value)];
    await store.batch(writes, { sync: isSynced(n) });
  }
  await store.close();
}

beforeAll(async () => {
  for (let session = 0; session < SESSIONS; session++) await writeSession(whole, session);
});

/** Opens a copy. Whatever is there must be all writes up to one, and no synced one less. */
async function openCopy(change: (folder: string) => void): Promise<string> {
  const folder = join(home, 'copy');
  rmSync(folder, { recursive: true, force: true });
  cpSync(whole, folder, { recursive: true });
  change(folder);
  let store: LevelStore;
  try {
    store = await LevelStore.open(folder);
  } catch (error) {
    if (!isPydeError(error)) throw error;
    return error.code;
  }
  try {
    const table = new Table(store, TABLE.receipts);
    const newest = table.get(keyOf(0))?.[7] ?? 0;
    const kept: number[] = [];
    for await (const [key, value] of table.range()) {
      const n = key[7] ?? 0;
      if (n === 0) continue;
      kept.push(n);
      expect(value.every((byte) => byte === n)).toBe(true);
    }
    expect(kept).toEqual(Array.from({ length: newest }, (_, i) => i + 1));
    expect(newest).toBeGreaterThanOrEqual(SESSIONS * WRITES - ((SESSIONS * WRITES) % 4));
    return 'whole';
  } finally {
    await store.close();
  }
}

const databaseFiles = (): string[] =>
  readdirSync(whole).filter((name) => /^(\d+\.(log|ldb)|MANIFEST-\d+|CURRENT)$/.test(name));

describe('the files of a database', () => {
  it('are found whole after every orderly end', () => {
    const report = checkDatabaseFiles(whole, Number.MAX_SAFE_INTEGER);
    expect(report).toMatchObject({ fresh: false, damages: [], unfinished: undefined });
    expect(report.synced).toBe(BigInt(Math.floor((SESSIONS * WRITES) / 4)));
    expect(databaseFiles().filter((name) => name.endsWith('.ldb')).length).toBeGreaterThan(0);
  });

  it('keep all that was synced and a prefix of the rest, or are refused, whichever bit flips', async () => {
    const files = databaseFiles();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(files.length - 1),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.nat(7),
        async (file, where, bit) => {
          const outcome = await openCopy((folder) => {
            const path = join(folder, files[file] ?? '');
            const bytes = readFileSync(path);
            const at = Math.floor(bytes.length * where);
            bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
            writeFileSync(path, bytes);
          });
          expect(['store.damaged', 'store.behind', 'whole']).toContain(outcome);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('keep all that was synced and a prefix of the rest, or are refused, wherever one is cut', async () => {
    const files = databaseFiles();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(files.length - 1),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (file, where) => {
          const outcome = await openCopy((folder) => {
            const path = join(folder, files[file] ?? '');
            truncateSync(path, Math.floor(readFileSync(path).length * where));
          });
          expect(['store.damaged', 'store.behind', 'whole']).toContain(outcome);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are refused by name when one is missing', async () => {
    for (const file of databaseFiles()) {
      expect(await openCopy((folder) => rmSync(join(folder, file))), file).toBe('store.damaged');
    }
  });

  it('stop the writer when a table that is read later is damaged', async () => {
    const folder = join(home, 'later');
    cpSync(whole, folder, { recursive: true });
    const table = readdirSync(folder).find((name) => name.endsWith('.ldb')) ?? '';
    const bytes = readFileSync(join(folder, table));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(join(folder, table), bytes);
    const store = await LevelStore.open(folder, 0);
    const write = new Table(store, TABLE.receipts).put(keyOf(1), keyOf(1));
    await expect
      .poll(() => store.batch([write], { sync: false }).catch((error: unknown) => String(error)))
      .toContain(`${table} is damaged`);
    await store.close();
  });

  it('are refused when an older log takes the place of the newer one', async () => {
    const older = join(home, 'older');
    cpSync(whole, older, { recursive: true });
    const log = readdirSync(older).find((name) => name.endsWith('.log')) ?? '';
    const bytes = readFileSync(join(older, log));
    expect(
      await openCopy((folder) => writeFileSync(join(folder, log), bytes.subarray(0, 1000))),
    ).toBe('store.behind');
  });

  it('lose no more than the end after a power cut, however long it was', async () => {
    const log = readdirSync(whole).find((name) => name.endsWith('.log')) ?? '';
    const zeros = await openCopy((folder) => {
      const path = join(folder, log);
      writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(100_000)]));
    });
    expect(zeros).toBe('whole');
    const half = await openCopy((folder) => {
      const path = join(folder, log);
      const bytes = readFileSync(path);
      writeFileSync(path, Buffer.concat([bytes, bytes.subarray(0, 300)]));
    });
    expect(half).toBe('whole');
  });
});

describe('LevelDB’s own formats', () => {
  it('use CRC-32C (RFC 3720, appendix B.4)', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });

  it('use Snappy with literals and copies that overlap', () => {
    // "ab", then a copy of 8 bytes from 2 back.
    const stream = Uint8Array.of(10, 1 << 2, 97, 98, ((8 - 4) << 2) | 1, 2);
    expect(new TextDecoder().decode(unsnappy(stream))).toBe('ababababab');
    expect(() => unsnappy(Uint8Array.of(10, 1 << 2, 97, 98))).toThrow(RangeError);
    expect(() => unsnappy(Uint8Array.of(4, 1, 2))).toThrow(RangeError);
  });
});
