import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LevelStore } from './level-store.ts';

const key = (...bytes: number[]): Uint8Array => new Uint8Array(bytes);
const put = (k: Uint8Array, v: Uint8Array) => ({ kind: 'put', key: k, value: v }) as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pyde-store-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function keysOf(store: LevelStore, options: Parameters<LevelStore['range']>[0]) {
  const keys: string[] = [];
  for await (const [k] of store.range(options)) keys.push(k.join());
  return keys;
}

describe('LevelStore', () => {
  it('keeps a batch over a reopen, and a range honours prefix, bounds, order and limit', async () => {
    let store = await LevelStore.open(folder);
    const rows = [key(1, 0), key(1, 5), key(1, 255), key(1, 255, 1), key(2), key(255, 255)];
    await store.batch(
      rows.map((k) => put(k, k)),
      { sync: true },
    );
    await store.batch([{ kind: 'delete', key: key(1, 5) }], { sync: false });
    await store.close();
    store = await LevelStore.open(folder);
    expect(store.get(key(1, 0))).toEqual(key(1, 0));
    expect(store.get(key(1, 5))).toBeUndefined();
    expect(await keysOf(store, { prefix: key(1) })).toEqual(['1,0', '1,255', '1,255,1']);
    expect(await keysOf(store, { prefix: key(1), reverse: true, limit: 1 })).toEqual(['1,255,1']);
    expect(await keysOf(store, { prefix: key(1), from: key(1, 1), until: key(1, 255, 1) })).toEqual(
      ['1,255'],
    );
    expect(await keysOf(store, { prefix: key(255) })).toEqual(['255,255']);
    await store.close();
  });

  it('tells what its write buffer takes in memory', async () => {
    const store = await LevelStore.open(folder);
    const before = store.memoryBytes;
    await store.batch([put(key(1), new Uint8Array(1024 * 1024))], { sync: false });
    expect(store.memoryBytes - before).toBeGreaterThanOrEqual(1024 * 1024);
    await store.close();
  });

  it('reads tables without keeping copies of their blocks', async () => {
    const store = await LevelStore.open(folder);
    const rows = Array.from({ length: 4096 }, (_, i) => key(1, i >> 8, i & 255));
    const value = new Uint8Array(4096).fill(7);
    for (const first of [0, 1024, 2048, 3072]) {
      const batch = rows.slice(first, first + 1024).map((k) => put(k, value));
      await store.batch(batch, { sync: false });
    }
    const before = store.memoryBytes;
    for (const k of rows) expect(store.get(k)).toHaveLength(value.length);
    expect(store.memoryBytes).toBeLessThanOrEqual(before);
    await store.close();
  });

  it('goes on with a database whose tables are compressed', async () => {
    const older = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
      ...{ keyEncoding: 'view', valueEncoding: 'view', compression: true },
    });
    const value = new Uint8Array(4096).fill(7);
    await older.batch([{ type: 'put', key: key(1), value }]);
    await older.compactRange(key(0), key(255));
    await older.close();
    const store = await LevelStore.open(folder);
    expect(store.get(key(1))).toEqual(value);
    await store.close();
    expect(await LevelStore.checkFiles(folder)).toEqual([]);
  });

  it('refuses a second process on the same folder with a sentence that says what to do', async () => {
    const program = `
      import { LevelStore } from ${JSON.stringify(join(import.meta.dirname, 'level-store.ts'))};
      await LevelStore.open(${JSON.stringify(folder)});
      console.log('open');
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: import.meta.dirname,
    });
    try {
      await once(holder.stdout, 'data');
      await expect(LevelStore.open(folder)).rejects.toMatchObject({
        code: 'store.locked',
        message: expect.stringContaining('in use by another process'),
      });
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
  });
});
