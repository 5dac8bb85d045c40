/** A whole node that was away for longer than the others keep their DAG comes back by waves. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { decodeTx, txHash } from '../tx/index.ts';
import { addressOf, wireBy } from '../tx/testing.ts';
import { toNonce, toQuanta } from '../types/index.ts';
import { networkGenesis, TestNetwork, type TestNode } from './testing.ts';

/** No epoch ends here. */
const EPOCH_MS = 10_800_000;
/** Three GC windows and more. */
const AWAY_ROUNDS = 70;
const AWAY = 2;

const transfer = (account: number, nonce = 0n): Uint8Array =>
  wireBy(account, { to: addressOf(9), value: toQuanta(1n), nonce: toNonce(nonce) });

const statusOf = (node: TestNode) => node.open.epochs.consensus.status;

const runs = ({ executed }: TestNode, bytes: Uint8Array): number => {
  const name = toHex(txHash(decodeTx(bytes)));
  return executed.flatMap((wave) => wave.executed).filter(({ hash }) => toHex(hash) === name)
    .length;
};

function expectOneHistory(network: TestNetwork): void {
  const byWave = new Map<bigint, string>();
  for (const { executed } of network.nodes) {
    for (const { record, digest } of executed) {
      expect(toHex(digest)).toBe(byWave.get(record.waveId) ?? toHex(digest));
      byWave.set(record.waveId, toHex(digest));
    }
  }
}

async function away(network: TestNetwork): Promise<void> {
  const here = network.node(0);
  const { highestRound } = statusOf(here);
  network.cutOff.add(AWAY);
  await network.node(0).step({ kind: 'submit', request: 1, bytes: transfer(0) });
  await network.run(() => statusOf(here).highestRound > highestRound + AWAY_ROUNDS);
  expect(statusOf(here).lowestRound).toBeGreaterThan(highestRound);
}

/** It executes what the others do, and waves carry what it makes. */
async function expectBack(network: TestNetwork): Promise<void> {
  const node = network.node(AWAY);
  const bytes = transfer(1, BigInt(node.replies.size));
  await node.step({ kind: 'submit', request: 100 + node.replies.size, bytes });
  await network.run(
    () =>
      network.nodes.every((each) => runs(each, bytes) === 1) && node.machine.phase === 'following',
  );
  const target = statusOf(network.node(0)).highestRound + 10;
  await network.run(() => statusOf(node).ownRound > target);
  expect(statusOf(network.node(0)).bufferedVertices).toBe(0);
  expect(node.halted).toBeUndefined();
  expectOneHistory(network);
}

describe('a member that was away for more than two GC windows', () => {
  it('follows the waves of the others, and then makes vertices again', async () => {
    const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS));
    await network.run(() => network.node(AWAY).head.waveId >= 5n);
    await away(network);
    network.cutOff.delete(AWAY);
    const phases = new Set<string>();
    await network.run(() => {
      phases.add(network.node(AWAY).machine.phase);
      return network.node(AWAY).head.waveId >= network.node(0).head.waveId;
    });
    expect(phases).toContain('waves');
    await expectBack(network);
  });

  it('does so after a restart in the meantime, and makes no second vertex', async () => {
    const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS));
    const node = network.node(AWAY);
    await network.run(() => node.head.waveId >= 5n);
    const { ownRound } = statusOf(node);
    node.kill();
    await away(network);
    network.cutOff.delete(AWAY);
    await node.boot();
    await expectBack(network);
    expect(statusOf(node).ownRound).toBeGreaterThan(ownRound + AWAY_ROUNDS);
  });

  it('does so when it is killed at any moment of coming back', { timeout: 30_000 }, async () => {
    for (const effects of [3, 9, 20, 45, 90]) {
      const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS));
      const node = network.node(AWAY);
      await network.run(() => node.head.waveId >= 5n);
      await away(network);
      network.cutOff.delete(AWAY);
      node.effectsLeft = effects;
      await network.run(() => !node.isUp);
      await node.boot();
      await expectBack(network);
    }
  });

  it('puts in what it had acknowledged before, once', async () => {
    const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS));
    const node = network.node(AWAY);
    await network.run(() => node.head.waveId >= 5n);
    network.cutOff.add(AWAY);
    const sent = [1, 2, 3].map((account) => transfer(account));
    for (const [i, bytes] of sent.entries()) {
      await node.step({ kind: 'submit', request: i, bytes });
    }
    await away(network);
    network.cutOff.delete(AWAY);
    await network.run(() =>
      network.nodes.every((each) => sent.every((bytes) => runs(each, bytes) === 1)),
    );
    const laterMs = network.now.monotonicMs + 5_000;
    await network.run(() => network.now.monotonicMs > laterMs);
    for (const each of network.nodes) {
      expect(sent.map((bytes) => runs(each, bytes))).toEqual([1, 1, 1]);
      expect(each.machine.poolSize).toBe(0);
    }
    expectOneHistory(network);
  });
});
