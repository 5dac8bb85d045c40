import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { u64BigEndian } from '@pyde/core/bytes';
import type { CommittedWave } from '@pyde/core/consensus';
import { writeGenesis } from '@pyde/core/node';
import { TABLE, Table } from '@pyde/core/state';
import { toEpoch, toRound, toVertexHash, toWaveId } from '@pyde/core/types';
import { afterEach, describe, expect, it } from 'vitest';
import { testGenesis } from '../../../core/src/execution/testing.ts';
import { LevelStore } from '../store/level-store.ts';
import { ExecutionThread } from './execution-thread.ts';

const DAY_MS = 24n * 60n * 60n * 1000n;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Empty waves a day apart, each with a certificate of some bytes; which of these are kept. */
async function certsKept(isArchive: boolean): Promise<boolean[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pyde-execution-'));
  folders.push(folder);
  const { parameters: standard, ...rest } = testGenesis();
  const parameters = { ...standard, epochDurationMs: 0xffff_ffff };
  const genesis = { ...rest, parameters };
  const store = await LevelStore.open(folder);
  await writeGenesis(store, genesis);
  const certs = new Table(store, TABLE.certs);
  const keys = [1n, 2n, 3n, 4n].map(u64BigEndian);
  await store.batch(
    keys.slice(0, 3).map((key) => certs.put(key, Uint8Array.of(1))),
    { sync: false },
  );
  const thread = new ExecutionThread({ folder, parameters, isArchive }, () => {});
  const waves = keys.map(
    (_, i): CommittedWave => ({
      chainId: genesis.chainId,
      epoch: toEpoch(0),
      waveId: toWaveId(BigInt(i + 1)),
      anchorRound: toRound(i + 1),
      priorAnchorRound: toRound(i),
      anchorHash: toVertexHash(new Uint8Array(32).fill(7)),
      timestampMs: genesis.timestampMs + BigInt(i + 1) * DAY_MS,
      priorTimestampMs: genesis.timestampMs + BigInt(i) * DAY_MS,
      phase: 'open',
      transactions: [],
    }),
  );
  const { executed, write } = thread.begin(waves, new Uint8Array());
  write();
  expect(await executed).toHaveLength(waves.length);
  await thread.close();
  const kept = keys.slice(0, 3).map((key) => certs.get(key) !== undefined);
  await store.close();
  return kept;
}

describe('ExecutionThread', () => {
  it('drops certificates that are a day old, and none for an archive', async () => {
    expect(await certsKept(false)).toEqual([false, false, false]);
    expect(await certsKept(true)).toEqual([true, true, true]);
  });
});
