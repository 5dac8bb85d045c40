/** A validator's key goes to another machine, with the mark of what it signed and without its store. */
import { describe, expect, it } from 'vitest';
import {
  ConsensusRecords,
  hasSignedHere,
  type ImportedMark,
  signingMark,
} from '../consensus/index.ts';
import { readHeadWave } from '../execution/index.ts';
import type { StoreWrite } from '../platform/index.ts';
import { toHash } from '../types/index.ts';
import { writeGenesis } from './index.ts';
import { networkGenesis, TestNetwork, type TestNode, verifyTagged } from './testing.ts';

const MOVED = 2;
const ID = toHash(new Uint8Array(32).fill(5));

/** As a folder that was just made. */
async function wipe({ store }: TestNode): Promise<void> {
  const writes: StoreWrite[] = [];
  for await (const [key] of store.range({ prefix: new Uint8Array() })) {
    writes.push({ kind: 'delete', key });
  }
  await store.batch(writes);
}

describe('a key that was moved with its mark', () => {
  it('makes its first vertex above the mark, also when others know of none so high', async () => {
    const genesis = networkGenesis(4, 10_800_000);
    const network = await TestNetwork.start(genesis);
    const node = network.node(MOVED);
    await network.run(() => node.head.waveId >= 5n);
    node.kill();
    const head = readHeadWave(node.store);
    const mark = head && (await signingMark(node.store, head.record));
    if (mark === undefined) throw new Error('the member made vertices');
    expect(mark.round).toBe(new ConsensusRecords(node.store, mark.epoch).own()?.round);
    // Nobody else ever saw the last of what it made.
    const higher: ImportedMark = { id: ID, mark: { ...mark, round: mark.round + 25 } };
    await wipe(node);
    await writeGenesis(node.store, genesis);
    await node.boot({ importedMark: higher });
    const status = () => node.open.epochs.consensus;
    await network.run(() => status().resumeRound !== undefined);
    expect(status().resumeRound).toBeGreaterThan(higher.mark.round);
    await network.run(() => status().status.ownRound > higher.mark.round + 5);
    node.kill();
    // A second start with the same mark is a start like any other.
    await node.boot({ importedMark: higher });
    await network.run(() => status().status.ownRound > higher.mark.round + 10);
    expect(node.halted).toBeUndefined();
  });

  it('is told from the key of another node by what is signed in the store', async () => {
    const genesis = networkGenesis(4, 10_800_000);
    const network = await TestNetwork.start(genesis);
    const node = network.node(MOVED);
    const signed = (validator: number) => {
      const publicKey = genesis.validators[validator]?.publicKey;
      if (publicKey === undefined) throw new Error('there are four');
      return hasSignedHere(node.store, publicKey, verifyTagged);
    };
    expect(await signed(MOVED)).toBeUndefined();
    await network.run(() => node.head.waveId >= 3n);
    expect(await signed(MOVED)).toBe(true);
    expect(await signed(0)).toBe(false);
  });
});
