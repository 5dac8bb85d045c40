/** A devnet whose threads die or whose folder is damaged: it stops or refuses, and says why. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { isPydeError, toHex } from '@pyde/core/bytes';
import { silentLogger } from '@pyde/core/platform';
import { TABLE } from '@pyde/core/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RpcClient } from '../client/index.ts';
import { LevelStore } from '../store/level-store.ts';
import { type DevnetHandle, startDevnet } from './devnet.ts';

/** Table and version. */
const ROOT_KEY_BYTES = 9;

let folder: string;
const handles: DevnetHandle[] = [];
const alive = new Set<Worker>();
const watch = (worker: Worker): void => {
  alive.add(worker);
  worker.on('exit', () => alive.delete(worker));
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pyde-faults-'));
  process.on('worker', watch);
});
afterEach(async () => {
  for (const handle of handles.splice(0)) await handle.stop();
  process.off('worker', watch);
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<DevnetHandle> {
  const handle = await startDevnet({
    ...{ rpcHost: '127.0.0.1', rpcPort: 0, chainId: 31337n, tickMs: 20, stateDir: folder },
    ...{ prefundCount: 2, prefundAmount: 10n ** 12n, logger: silentLogger },
  });
  handles.push(handle);
  return handle;
}

/** Waits until the chain is at `wave`. */
async function reach(handle: DevnetHandle, wave: number): Promise<void> {
  const client = new RpcClient(handle.url);
  for (let tries = 0; tries < 500; tries++) {
    if (Number(await client.call('pyde_waveId')) >= wave) return;
    await sleep(10);
  }
  throw new Error(`never at wave ${wave}`);
}

describe('a thread of a devnet that dies', () => {
  it.each([
    ['execution', 0],
    ['verification', 1],
  ])('stops the node and names the %s thread', async (name, index) => {
    const handle = await start();
    await reach(handle, 3);
    const threads = [...alive];
    expect(threads).toHaveLength(2);
    await threads[index]?.terminate();
    await expect(handle.closed).rejects.toThrow(`the ${name} thread ended`);
    await handle.stop();
    handles.length = 0;
    expect(alive.size).toBe(0);
    await reach(await start(), 5);
  });
});

describe('stopping', () => {
  it('works at once, while threads still load, and twice', async () => {
    const handle = await start();
    await Promise.all([handle.stop(), handle.stop()]);
    await handle.closed;
    expect(alive.size).toBe(0);
    await reach(await start(), 3);
  });
});

describe('a damaged record', () => {
  /** Flips a bit in the middle of a record of each kind of table that a running devnet fills. */
  async function damage(table: number): Promise<string | undefined> {
    const store = await LevelStore.open(join(folder, 'db'));
    try {
      let found: readonly [Uint8Array, Uint8Array] | undefined;
      for await (const entry of store.range({ prefix: Uint8Array.of(table), reverse: true })) {
        if (!isNeeded(table, entry[0])) continue;
        found = entry;
        break;
      }
      if (found === undefined) return undefined;
      const value = found[1].slice();
      value[value.length >> 1] = (value[value.length >> 1] ?? 0) ^ 4;
      await store.batch([{ kind: 'put', key: found[0], value }], { sync: true });
      return toHex(found[0].subarray(1));
    } finally {
      await store.close();
    }
  }

  /** Tree nodes and marks of old versions may never be read again; the newest root always is. */
  function isNeeded(table: number, key: Uint8Array): boolean {
    if (table === TABLE.jmt) return key.length === ROOT_KEY_BYTES;
    if (table === TABLE.meta) return new TextDecoder().decode(key.subarray(1)) === 'execution/head';
    return true;
  }

  it.each(['vertices', 'consensus', 'waves', 'meta', 'state', 'jmt'] as const)(
    'of table %s is refused by table and key, at the start or when it is needed',
    async (name) => {
      const first = await start();
      await reach(first, 8);
      await first.stop();
      const key = await damage(TABLE[name]);
      expect(key).toBeDefined();
      const error = await start().then(
        (handle) => handle.closed.catch((reason: unknown) => reason),
        (reason: unknown) => reason,
      );
      expect(isPydeError(error, 'state.checksum'), String(error)).toBe(true);
      expect(String(error)).toContain(`the record ${key} of table ${name} is damaged`);
      for (const handle of handles.splice(0)) await handle.stop();
      await expect.poll(() => alive.size).toBe(0);
    },
  );
});
