/**
 * A restart anywhere around the end of an epoch: before and after the closing wave is executed, with
 * its certificate and without, before and after the new DAG has begun. One member of four is killed
 * before each effect in turn, from the last transaction wave of its epoch to its first vertices of
 * the next one, and comes back on its store; then all of them at once.
 */
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { wireBy } from '../tx/testing.ts';
import { toNonce, toQuanta } from '../types/index.ts';
import { networkGenesis, TestNetwork, type TestNode } from './testing.ts';

const EPOCH_MS = 400;
const VICTIM = 1;
/** Effects around the boundary; more than the killed member carries out there. */
const MAX_KILLS = 400;
const STRIDE = 5;

async function untilEnding(): Promise<TestNetwork> {
  const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS));
  for (const account of [0, 2, 3]) {
    const bytes = wireBy(account, { value: toQuanta(1n), nonce: toNonce(0n) });
    await network.node(account).step({ kind: 'submit', request: 1, bytes });
  }
  await network.run(() => network.node(VICTIM).open.epochs.consensus.isEnding);
  return network;
}

const isAt = (node: TestNode, epoch: number): boolean => node.isUp && node.epoch >= epoch;

/** Same waves, same digests; a second vertex of a round is seen by the network itself. */
function expectOneHistory(network: TestNetwork): void {
  const byWave = new Map<bigint, string>();
  for (const { executed } of network.nodes) {
    for (const { record, digest } of executed) {
      expect(toHex(digest)).toBe(byWave.get(record.waveId) ?? toHex(digest));
      byWave.set(record.waveId, toHex(digest));
    }
  }
  expect(network.nodes.map(({ halted }) => halted)).toEqual(network.nodes.map(() => undefined));
}

/** What the store of a node that was just killed says of the boundary. */
function standingOf({ executed, certs }: TestNode): string {
  const closing = executed.find(({ record }) => record.nextBeacon !== undefined)?.record;
  if (closing === undefined) return 'not closed';
  const isCertified = certs.some((cert) => cert.record.waveId === closing.waveId);
  const hasBegun = executed.some(({ record }) => record.epoch > closing.epoch);
  return `${isCertified ? 'certified' : 'closed'}${hasBegun ? ', begun' : ''}`;
}

describe('a member that is killed at the end of an epoch', () => {
  it('comes back right, before whichever effect it was', { timeout: 60_000 }, async () => {
    const seen = new Set<string>();
    for (let kill = 0; kill < MAX_KILLS; kill += STRIDE) {
      const network = await untilEnding();
      const victim = network.node(VICTIM);
      victim.effectsLeft = kill;
      await network.run(() => !victim.isUp || isAt(victim, 2));
      if (victim.isUp) break;
      seen.add(standingOf(victim));
      await victim.boot();
      await network.run(() => network.nodes.every((node) => isAt(node, 2)));
      expectOneHistory(network);
    }
    expect([...seen].sort()).toEqual(['certified', 'certified, begun', 'closed', 'not closed']);
  });

  it('with all the others comes back right', { timeout: 60_000 }, async () => {
    const seen = new Set<string>();
    for (let kill = 2; kill < MAX_KILLS; kill += 2 * STRIDE) {
      const network = await untilEnding();
      const victim = network.node(VICTIM);
      victim.effectsLeft = kill;
      await network.run(() => !victim.isUp || isAt(victim, 2));
      if (victim.isUp) break;
      seen.add(standingOf(victim));
      for (const node of network.nodes) node.kill();
      for (const node of network.nodes) await node.boot();
      await network.run(() => network.nodes.every((node) => isAt(node, 2)));
      expectOneHistory(network);
    }
    expect(seen.size).toBeGreaterThanOrEqual(3);
  });
});
