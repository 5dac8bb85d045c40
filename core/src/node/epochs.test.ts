/** Whole nodes from epoch to epoch: seats change, nothing is lost, and a restart goes on right. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { readTransactionOf } from '../execution/index.ts';
import { verifyCert } from '../finality/index.ts';
import { TABLE, Table } from '../state/index.ts';
import { decodeTx, txHash } from '../tx/index.ts';
import { addressOf, wireBy } from '../tx/testing.ts';
import { type TxHash, toNonce, toQuanta, toValidatorIndex } from '../types/index.ts';
import { committeeHash, readEpochState, selectCommittee } from '../validators/index.ts';
import { networkGenesis, TestNetwork, type TestNode, verifyTagged } from './testing.ts';

const EPOCH_MS = 600;
const CLOSING_TAG = 13;

const transfer = (account: number, nonce: bigint): Uint8Array =>
  wireBy(account, { to: addressOf(9), value: toQuanta(1n), nonce: toNonce(nonce) });

const hashOf = (bytes: Uint8Array): TxHash => txHash(decodeTx(bytes));

/** Every node at the same wave or on the way to it has the same history. */
function expectOneHistory(network: TestNetwork): void {
  const byWave = new Map<bigint, string>();
  for (const { executed } of network.nodes) {
    for (const { record, digest } of executed) {
      const known = byWave.get(record.waveId) ?? toHex(digest);
      expect(toHex(digest), `wave ${record.waveId}`).toBe(known);
      byWave.set(record.waveId, known);
    }
  }
}

/** By hash, the epochs of the waves in which a node executed a transaction. */
function epochsOfExecuted({ executed }: TestNode): ReadonlyMap<string, readonly number[]> {
  const epochs = new Map<string, number[]>();
  for (const wave of executed) {
    for (const { hash } of wave.executed) {
      epochs.set(toHex(hash), [...(epochs.get(toHex(hash)) ?? []), wave.record.epoch]);
    }
  }
  return epochs;
}

const allIn = (network: TestNetwork, epoch: number) => (): boolean =>
  network.nodes.every((node) => node.isUp && node.epoch >= epoch);

describe('nodes of many', () => {
  it('go from epoch to epoch, with other seats, and what is in flight runs exactly once', async () => {
    const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS));
    const sent: { readonly bytes: Uint8Array; readonly epoch: number }[] = [];
    for (let epoch = 0; epoch < 4; epoch++) {
      await network.run(allIn(network, epoch));
      // Until the epoch is over, so that some are on their way when it ends.
      for (let i = 0; network.nodes.some((node) => node.epoch === epoch) && i < 40; i++) {
        const bytes = transfer(sent.length % 4, BigInt(Math.floor(sent.length / 4)));
        sent.push({ bytes, epoch });
        const request = sent.length;
        await network.node(request % 4).step({ kind: 'submit', request, bytes });
        const after = network.now.monotonicMs + EPOCH_MS / 24;
        await network.run(() => network.now.monotonicMs >= after);
      }
    }
    await network.run(allIn(network, 4));
    expect(sent.length).toBeGreaterThan(40);
    for (const [i] of sent.entries()) {
      expect(network.node((i + 1) % 4).replies.get(i + 1)).toMatchObject({ ok: true });
    }
    // What is still pending now was put back into the pools when its epoch ended.
    await network.run(() => network.nodes.every(({ open }) => open.machine.poolSize === 0));
    await network.run(allIn(network, 5));
    for (const node of network.nodes) {
      const epochs = epochsOfExecuted(node);
      for (const { bytes } of sent) expect(epochs.get(toHex(hashOf(bytes)))).toHaveLength(1);
    }
    const epochs = epochsOfExecuted(network.node(0));
    const carriedOver = sent.filter(({ bytes, epoch }) => {
      const [executedIn = -1] = epochs.get(toHex(hashOf(bytes))) ?? [];
      return executedIn > epoch;
    });
    expect(carriedOver.length).toBeGreaterThan(0);
    expectOneHistory(network);
    expect(network.nodes.map(({ halted }) => halted)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('name the next committee in a certified record, and it is that which signs from then on', async () => {
    const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS));
    await network.run(allIn(network, 3));
    const { genesis } = network;
    const node = network.node(0);
    let seats: readonly number[] = [0, 1, 2, 3];
    const drawn: string[] = [];
    for (const { record, digest } of node.executed) {
      const cert = node.certs.find((c) => c.record.waveId === record.waveId);
      if (cert !== undefined) {
        const members = seats.map((i) => {
          const validator = genesis.validators[i];
          if (validator === undefined) throw new Error('a validator of genesis');
          return validator;
        });
        const options = { chainId: genesis.chainId, verify: verifyTagged };
        expect(verifyCert(cert, { epoch: record.epoch, members }, options)).toEqual(digest);
      }
      if (record.nextBeacon === undefined) continue;
      expect(cert).toBeDefined();
      const next = node.executed.find((w) => w.record.waveId === record.waveId + 1n)?.record;
      if (next !== undefined) {
        expect(next).toMatchObject({ epoch: record.epoch + 1, priorAnchorRound: 0 });
      }
      const state = node.open.state;
      const current = readEpochState(state)?.current;
      if (current?.closingWave === record.waveId) {
        const members = current.committee.map((index) => {
          const publicKey = genesis.validators[index]?.publicKey;
          if (publicKey === undefined) throw new Error('a validator of genesis');
          return { index, publicKey };
        });
        expect(record.nextCommitteeHash).toEqual(committeeHash(current.epoch, members));
      }
      seats = selectCommittee(record.nextBeacon, [0, 1, 2, 3].map(toValidatorIndex));
      drawn.push(String(seats));
    }
    expect(drawn.length).toBeGreaterThanOrEqual(3);
    expect(new Set(drawn).size).toBeGreaterThan(1);
  });

  it('that miss the closing certificate ask for it, and enter with the others', async () => {
    const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS));
    // Node 2 hears nothing more of the old epoch once it is ending, and no certificate is pushed.
    await network.run(() => network.node(2).open.epochs.consensus.isEnding);
    network.cutOff.add(2);
    await network.run(() => [0, 1, 3].every((i) => network.node(i).epoch === 1));
    expect(network.node(2).epoch).toBe(0);
    network.cutOff.delete(2);
    await network.run(() => network.node(2).epoch >= 1);
    expectOneHistory(network);
  });

  it('that never hear the certificate but by asking are served it', async () => {
    const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS));
    const others = [0, 1, 3].map((i) => network.node(i));
    let pushed = 0;
    let answered = 0;
    network.lose = ({ to, bytes }) => {
      if (to !== 2 || network.node(2).epoch > 0) return false;
      const isClosing = bytes[0] === CLOSING_TAG;
      if (others.every((node) => node.epoch > 0)) {
        if (isClosing) answered++;
        return false;
      }
      if (isClosing) pushed++;
      return network.node(2).open.epochs.consensus.isEnding;
    };
    await network.run(() => network.node(2).epoch >= 1);
    expect(pushed).toBeGreaterThan(0);
    expect(answered).toBeGreaterThan(0);
    expectOneHistory(network);
  });

  it('keep the records of the epoch before, and drop those before it', async () => {
    const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS));
    await network.run(allIn(network, 4));
    const wait = network.now.monotonicMs + EPOCH_MS / 2;
    await network.run(() => network.now.monotonicMs >= wait);
    const epochs = new Set<number>();
    for await (const [key] of new Table(network.node(1).store, TABLE.vertices).range()) {
      epochs.add(key[7] ?? -1);
    }
    const now = network.node(1).epoch;
    expect([...epochs].sort()).toEqual([now - 1, now]);
  });

  it('without a seat follow through every epoch', async () => {
    const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS), 1);
    const bytes = transfer(0, 0n);
    await network.node(0).step({ kind: 'submit', request: 1, bytes });
    await network.run(allIn(network, 2));
    expect(readTransactionOf(network.node(4).store, hashOf(bytes))).toBeDefined();
    expectOneHistory(network);
  });
});
