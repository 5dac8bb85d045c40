/** What must hold of a chain that went through a fault, for the tests of this folder. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex } from '@pyde/core/bytes';
import { assertSupply, readHeadWave, readReceiptOf } from '@pyde/core/execution';
import { recomputeRoot, StateStore } from '@pyde/core/state';
import { toTxHash } from '@pyde/core/types';
import { expect } from 'vitest';
import { receiptJson } from '../../../../core/src/rpc/record-json.ts';
import { LevelStore } from '../../store/level-store.ts';
import type { ChainProcess, Told } from './chain-process.ts';
import { until } from './chain-process.ts';
import type { Dice } from './dice.ts';

/** Receipts asked of a node over RPC at most; the folder's audit looks at all. */
const MOST_ASKED = 200;

/**
 * The folder of a dead node, in a copy: state and newest record are of one wave, both roots follow
 * from the flat table, the supply is right.
 * @param replayed receipts may still be missing, since the next start executes their waves again
 */
export async function auditFolder(folder: string, told: Told, replayed: boolean): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'pyde-audit-'));
  cpSync(join(folder, 'db'), copy, { recursive: true });
  const store = await LevelStore.open(copy);
  try {
    const head = readHeadWave(store);
    const state = StateStore.open(store);
    expect(head?.record.waveId).toBe(state.version);
    expect(head?.record.stateRoot, 'the root that the wave names').toEqual(state.root);
    const { root } = await recomputeRoot(store);
    expect(root, 'both roots follow from the flat table').toEqual(state.root);
    await assertSupply(store, state);
    for (const [hash, receipt] of told.receipts) {
      const kept = readReceiptOf(store, toTxHash(fromHex(hash, { exactBytes: 32 })));
      if (kept === undefined && replayed) continue;
      expect(kept === undefined ? null : receiptJson(kept), hash).toEqual(receipt);
    }
  } finally {
    await store.close();
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A node that came up: every receipt that was seen is there, and waves and certificates go on. */
export async function auditNode(chain: ChainProcess, told: Told, dice: Dice): Promise<void> {
  const { client } = chain;
  const hashes = [...told.receipts.keys()];
  // The newest are the ones in danger.
  const asked = new Set(hashes.slice(-MOST_ASKED / 2));
  while (asked.size < Math.min(MOST_ASKED, hashes.length)) {
    asked.add(hashes[dice.below(hashes.length)] ?? '');
  }
  for (const hash of asked) {
    let receipt: unknown = null;
    await until(`the receipt of ${hash}`, async () => {
      receipt = await client.call('pyde_getTransactionReceipt', [hash]);
      return receipt !== null;
    });
    expect(receipt, hash).toEqual(told.receipts.get(hash));
  }
  const next = (await chain.waveId()) + 1;
  await until('certificates go on', async () => {
    if ((await chain.waveId()) < next) return false;
    return (await client.call('pyde_getHardFinalityCert', [next])) !== null;
  });
}
