/** A change of the protocol version, with software that knows it and software that does not. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { MemoryStore } from '../platform/index.ts';
import type { ProtocolOptions } from '../validators/index.ts';
import { openNode } from './index.ts';
import { networkGenesis, TestNetwork, type TestNode, verifyTagged } from './testing.ts';

const EPOCH_MS = 400;
const UPGRADES = [{ version: 2, epoch: 2 }];
const OLD: ProtocolOptions = { supported: 1, upgrades: UPGRADES };
const NEW: ProtocolOptions = { supported: 2, upgrades: UPGRADES };
/** Software from before anybody spoke of the change. */
const UNTOLD: ProtocolOptions = { supported: 1 };

async function reboot(node: TestNode, protocol: ProtocolOptions): Promise<void> {
  node.kill();
  node.halted = undefined;
  await node.boot({ protocol });
}

async function start(protocols: readonly ProtocolOptions[], followers = 0): Promise<TestNetwork> {
  const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS), followers);
  for (const [i, protocol] of protocols.entries()) await reboot(network.node(i), protocol);
  return network;
}

function expectOneHistory(network: TestNetwork): void {
  const byWave = new Map<bigint, string>();
  for (const { executed } of network.nodes) {
    for (const { record, digest } of executed) {
      expect(toHex(digest)).toBe(byWave.get(record.waveId) ?? toHex(digest));
      byWave.set(record.waveId, toHex(digest));
    }
  }
}

const highestEpochExecuted = ({ executed }: TestNode): number =>
  Math.max(...executed.map(({ record }) => record.epoch));

describe('an epoch of another protocol version', () => {
  it('is entered by software that knows it, and vertices of it name the version', async () => {
    const network = await start([NEW, NEW, NEW, NEW]);
    await network.run(() => network.nodes.every((node) => node.epoch >= 3));
    expectOneHistory(network);
    expect(network.node(0).open.machine.protocol).toEqual({
      supported: 2,
      active: 2,
      next: undefined,
      unsupported: undefined,
    });
  });

  it('is halted before by software that does not, from the moment it can be known with a warning', async () => {
    const network = await start([OLD, OLD, OLD, OLD]);
    expect(network.node(0).open.machine.protocol.unsupported).toEqual(UPGRADES[0]);
    await network.run(() => network.nodes.every(({ halted }) => halted !== undefined));
    for (const node of network.nodes) {
      expect(node.halted).toMatch(/epoch 2 runs by protocol version 2/);
      expect(node.open.machine.halted).toBe(node.halted);
      expect(highestEpochExecuted(node)).toBe(1);
      expect(node.head.nextBeacon).toBeDefined();
    }
    // A restart without the new software halts again; with it the chain goes on where it stood.
    await reboot(network.node(0), OLD);
    expect(network.node(0).halted).toMatch(/install the release/);
    for (const node of network.nodes) await reboot(node, NEW);
    await network.run(() => network.nodes.every((node) => node.epoch >= 3));
    expectOneHistory(network);
  });

  it('goes on with a quorum that knows it; the others halt, and come back once replaced', async () => {
    const network = await start([NEW, NEW, NEW, OLD]);
    await network.run(() => [0, 1, 2].every((i) => network.node(i).epoch >= 3));
    const late = network.node(3);
    expect(late.halted).toMatch(/protocol version 2/);
    expect(highestEpochExecuted(late)).toBe(1);
    await reboot(late, NEW);
    await network.run(() => late.epoch >= 4);
    expect(late.halted).toBeUndefined();
    expectOneHistory(network);
  });

  it('is not followed by waves either', async () => {
    const network = await start([NEW, NEW, NEW, OLD]);
    network.cutOff.add(3);
    await network.run(() => [0, 1, 2].every((i) => network.node(i).epoch >= 4));
    const late = network.node(3);
    expect(late.epoch).toBe(0);
    network.cutOff.delete(3);
    await network.run(() => late.halted !== undefined);
    expect(late.halted).toMatch(/epoch 2 runs by protocol version 2/);
    expect(highestEpochExecuted(late)).toBe(1);
    await reboot(late, NEW);
    await network.run(() => late.epoch >= 5);
    expectOneHistory(network);
  });

  it('is halted before by a node without a key, which follows it once replaced', async () => {
    const network = await start([NEW, NEW, NEW, NEW], 1);
    const follower = network.node(4);
    // It has heard by then that the others left and came back.
    await network.run(() => network.now.monotonicMs > 0);
    await reboot(follower, OLD);
    await network.run(() => follower.halted !== undefined);
    expect(follower.halted).toMatch(/epoch 2 runs by protocol version 2/);
    expect(highestEpochExecuted(follower)).toBe(1);
    await reboot(follower, OLD);
    expect(follower.halted).toMatch(/protocol version 2/);
    await reboot(follower, NEW);
    await network.run(() => highestEpochExecuted(follower) >= 3);
    expectOneHistory(network);
  });

  it('has another DAG than that of software that was never told, so that nobody forks', async () => {
    const network = await start([NEW, NEW, UNTOLD, UNTOLD]);
    await network.run(() => network.nodes.every((node) => node.epoch >= 2));
    const until = network.now.monotonicMs + 5 * EPOCH_MS;
    await network.run(() => network.now.monotonicMs >= until);
    // Neither half is a quorum, and nothing of one helps the other: the chain waits for operators.
    for (const node of network.nodes) expect(highestEpochExecuted(node)).toBe(1);
    // Whoever changes sides is told to begin anew.
    await expect(reboot(network.node(3), NEW)).rejects.toMatchObject({
      code: 'consensus.store',
      message: expect.stringContaining('start from an empty folder'),
    });
  });

  it('in the store keeps software out that does not know it', async () => {
    const network = await start([NEW, NEW, NEW, NEW]);
    await network.run(() => network.nodes.every((node) => highestEpochExecuted(node) >= 2));
    const { store } = network.node(0);
    expect(store).toBeInstanceOf(MemoryStore);
    const random = { bytes: (length: number) => network.randomBytes(length) };
    const options = { store, signer: undefined, verify: verifyTagged, random, protocol: OLD };
    await expect(openNode(options)).rejects.toMatchObject({ code: 'protocol.version' });
  });
});
