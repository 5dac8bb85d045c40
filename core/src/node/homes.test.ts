/** Whole nodes and the homes of senders: who puts a transaction in, whatever the home does. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { frameMessage } from '../consensus/index.ts';
import { AdmittedRecords, homeOf, TAKE_OVER_MS } from '../mempool/index.ts';
import { decodeTx, txHash } from '../tx/index.ts';
import { addressOf, wireBy } from '../tx/testing.ts';
import { encodeBatch, toEpoch, toNonce, toQuanta, toValidatorIndex } from '../types/index.ts';
import { networkGenesis, TestNetwork, type TestNode } from './testing.ts';

/** No epoch ends here. */
const EPOCH_MS = 10_800_000;
const BATCH_TAG = 1;
const TRANSACTION_TAG = 14;
const ACCOUNT = 0;
const HOME = homeOf(addressOf(ACCOUNT), toEpoch(0), 4);
const ADMITTING = (HOME + 1) % 4;
const FOLLOWER = 4;

const transfer = (nonce = 0n): Uint8Array =>
  wireBy(ACCOUNT, { to: addressOf(9), value: toQuanta(1n), nonce: toNonce(nonce) });
const nameOf = (bytes: Uint8Array): string => toHex(txHash(decodeTx(bytes)));

/** How often a node executed a transaction. */
const runs = ({ executed }: TestNode, bytes: Uint8Array): number =>
  executed.flatMap((wave) => wave.executed).filter(({ hash }) => toHex(hash) === nameOf(bytes))
    .length;

const ranOnAll = (network: TestNetwork, bytes: Uint8Array) => (): boolean =>
  network.nodes.every((node) => network.cutOff.has(node.index) || runs(node, bytes) > 0);

const records = async (node: TestNode): Promise<string[]> =>
  (await new AdmittedRecords(node.store).all()).map(nameOf);

const submit = (node: TestNode, bytes: Uint8Array, request = 1): Promise<void> =>
  node.step({ kind: 'submit', request, bytes });

const passTime = async (network: TestNetwork, ms: number): Promise<void> => {
  const endMs = network.now.monotonicMs + ms;
  await network.run(() => network.now.monotonicMs >= endMs);
};

/** Who sent batches and forwarded transactions, to whom, and when. */
interface Seen {
  readonly tag: number;
  readonly from: number;
  readonly to: number;
  readonly atMs: number;
}

class Watched {
  readonly network: TestNetwork;
  readonly seen: Seen[] = [];
  /** Also what is passed on by gossip. */
  losesForwarded: (to: number) => boolean = () => false;

  private constructor(network: TestNetwork) {
    this.network = network;
    network.lose = ({ from, to, bytes }) => {
      const tag = bytes[0] ?? 255;
      if (tag !== BATCH_TAG && tag !== TRANSACTION_TAG) return false;
      this.seen.push({ tag, from, to, atMs: network.now.monotonicMs });
      return tag === TRANSACTION_TAG && this.losesForwarded(to);
    };
    network.loseGossip = ({ to, topic }) => topic === 'tx' && this.losesForwarded(to);
  }

  static async start(followers = 0): Promise<Watched> {
    const network = await TestNetwork.start(networkGenesis(4, EPOCH_MS), followers);
    await network.run(() => network.nodes.every(({ head }) => head.waveId >= 3n));
    return new Watched(network);
  }

  get batchesFrom(): number[] {
    return [...new Set(this.#of(BATCH_TAG).map(({ from }) => from))];
  }

  get forwardedTo(): number[] {
    return this.#of(TRANSACTION_TAG).map(({ to }) => to);
  }

  get firstBatchMs(): number {
    return this.#of(BATCH_TAG)[0]?.atMs ?? Number.NaN;
  }

  #of(wanted: number): Seen[] {
    return this.seen.filter(({ tag }) => tag === wanted);
  }
}

describe('a transaction that comes in at a member which is not its home', () => {
  it('is forwarded to its home, which puts it in, and kept by who acknowledged it until it ran', async () => {
    const watched = await Watched.start();
    const { network } = watched;
    const bytes = transfer();
    await submit(network.node(ADMITTING), bytes);
    await network.node(ADMITTING).step({ kind: 'turn' });
    expect(network.node(ADMITTING).replies.get(1)).toMatchObject({ ok: true });
    expect(await records(network.node(ADMITTING))).toEqual([nameOf(bytes)]);
    await network.run(ranOnAll(network, bytes));
    expect(watched.forwardedTo).toEqual([HOME]);
    expect(watched.batchesFrom).toEqual([HOME]);
    expect(await records(network.node(HOME))).toEqual([]);
    await passTime(network, 2 * TAKE_OVER_MS);
    expect(watched.batchesFrom).toEqual([HOME]);
    expect(network.nodes.map((node) => runs(node, bytes))).toEqual([1, 1, 1, 1]);
    // Its record goes with the next write that is made anyway.
    expect(await records(network.node(ADMITTING))).toEqual([]);
  });

  it('is put in there at once when the home is silent', async () => {
    const watched = await Watched.start();
    const { network } = watched;
    network.cutOff.add(HOME);
    const { status } = network.node(ADMITTING).open.epochs.consensus;
    await network.run(
      () =>
        network.node(ADMITTING).open.epochs.consensus.status.highestRound >
        status.highestRound + 12,
    );
    const bytes = transfer();
    const atMs = network.now.monotonicMs;
    await submit(network.node(ADMITTING), bytes);
    await network.run(ranOnAll(network, bytes));
    expect(watched.forwardedTo).toEqual([]);
    expect(watched.batchesFrom).toEqual([ADMITTING]);
    expect(watched.firstBatchMs - atMs).toBeLessThan(500);
  });

  it('is put in there after two seconds when the home drops it, and rounds go on meanwhile', async () => {
    const watched = await Watched.start();
    const { network } = watched;
    watched.losesForwarded = () => true;
    const bytes = transfer();
    const atMs = network.now.monotonicMs;
    const { ownRound } = network.node(ADMITTING).open.epochs.consensus.status;
    await submit(network.node(ADMITTING), bytes);
    await network.run(ranOnAll(network, bytes));
    expect(watched.batchesFrom).toEqual([ADMITTING]);
    // The take-over has a timer of its own beside that of the rounds, and comes when it is due.
    expect(watched.firstBatchMs - atMs).toBe(TAKE_OVER_MS);
    const rounds = network.node(ADMITTING).open.epochs.consensus.status.ownRound - ownRound;
    expect(rounds).toBeGreaterThanOrEqual(TAKE_OVER_MS / 100);
    expect(rounds).toBeLessThan(TAKE_OVER_MS / 100 + 20);
    expect(network.nodes.map((node) => runs(node, bytes))).toEqual([1, 1, 1, 1]);
  });

  it('runs once, at however many nodes it came in and whoever took it over', async () => {
    const watched = await Watched.start(1);
    const { network } = watched;
    watched.losesForwarded = () => network.now.monotonicMs < 1_000;
    const bytes = transfer();
    for (const node of network.nodes) await submit(node, bytes);
    await passTime(network, 3 * TAKE_OVER_MS);
    expect(watched.batchesFrom).toContain(HOME);
    expect(network.nodes.map((node) => runs(node, bytes))).toEqual([1, 1, 1, 1, 1]);
    for (const node of network.nodes) expect(node.machine.poolSize).toBe(0);
  });

  it('runs when that member restarts in between, whatever it was doing', async () => {
    for (const losesFirst of [false, true]) {
      const watched = await Watched.start();
      const { network } = watched;
      const node = network.node(ADMITTING);
      watched.losesForwarded = () => losesFirst;
      const bytes = transfer();
      await submit(node, bytes);
      await node.step({ kind: 'turn' });
      expect(node.replies.get(1)).toMatchObject({ ok: true });
      if (losesFirst) await passTime(network, TAKE_OVER_MS / 2);
      node.kill();
      await passTime(network, 200);
      await node.boot();
      await network.run(() => network.nodes.every((each) => runs(each, bytes) === 1));
      expect(node.machine.poolSize).toBe(0);
    }
  });
});

describe('a home that took in what was forwarded to it', () => {
  it('and crashes before its batch is out leaves it to the member that acknowledged it', async () => {
    const watched = await Watched.start();
    const { network } = watched;
    const bytes = transfer();
    await submit(network.node(ADMITTING), bytes);
    await network.node(ADMITTING).step({ kind: 'turn' });
    const home = network.node(HOME);
    await network.run(() => home.machine.poolSize === 1);
    home.kill();
    network.cutOff.add(HOME);
    await network.run(ranOnAll(network, bytes));
    expect(watched.batchesFrom).toEqual([ADMITTING]);
  });

  it('and crashes loses nothing that a node without a seat acknowledged', async () => {
    const watched = await Watched.start(1);
    const { network } = watched;
    const bytes = transfer();
    const follower = network.node(FOLLOWER);
    await submit(follower, bytes);
    await follower.step({ kind: 'turn' });
    expect(follower.replies.get(1)).toMatchObject({ ok: true });
    const home = network.node(HOME);
    await network.run(() => home.machine.poolSize === 1);
    home.kill();
    network.cutOff.add(HOME);
    await network.run(ranOnAll(network, bytes));
    expect(watched.forwardedTo).toEqual([]);
    expect(watched.batchesFrom).toEqual([(HOME + 1) % 4]);
    expect(runs(follower, bytes)).toBe(1);
  });

  it('keeps a record of it once it acknowledges it to a client of its own', async () => {
    const watched = await Watched.start();
    const { network } = watched;
    const home = network.node(HOME);
    const bytes = transfer();
    const message = frameMessage('transaction', encodeBatch({ transactions: [bytes] }));
    await home.step({ kind: 'message', from: toValidatorIndex(ADMITTING), bytes: message });
    await submit(home, bytes);
    // Before anything is put into a batch.
    home.effectsLeft = 2;
    await home.step({ kind: 'turn' });
    expect(home.isUp).toBe(false);
    expect(home.replies.get(1)).toMatchObject({ ok: true });
    expect(await records(home)).toEqual([nameOf(bytes)]);
    await home.boot();
    await network.run(ranOnAll(network, bytes));
  });
});

describe('a node without a key', () => {
  it('tells all members, of whom the home alone puts it in', async () => {
    const watched = await Watched.start(1);
    const { network } = watched;
    const bytes = transfer();
    await submit(network.node(FOLLOWER), bytes);
    await network.run(ranOnAll(network, bytes));
    await passTime(network, 2 * TAKE_OVER_MS);
    expect(watched.forwardedTo).toEqual([]);
    expect(watched.batchesFrom).toEqual([HOME]);
    expect(network.nodes.map((node) => runs(node, bytes))).toEqual([1, 1, 1, 1, 1]);
    expect(network.nodes.map(({ machine }) => machine.poolSize)).toEqual([0, 0, 0, 0, 0]);
  });

  it('leaves it to the seats after a home that drops it, a few more every two seconds', async () => {
    const watched = await Watched.start(1);
    const { network } = watched;
    watched.losesForwarded = (to) => to === HOME || to === (HOME + 1) % 4;
    const bytes = transfer();
    const atMs = network.now.monotonicMs;
    await submit(network.node(FOLLOWER), bytes);
    await network.run(ranOnAll(network, bytes));
    const taking = [2, 3].map((step) => (HOME + step) % 4);
    expect(watched.forwardedTo).toEqual([]);
    expect(watched.batchesFrom.sort()).toEqual(taking.sort());
    const tookMs = watched.firstBatchMs - atMs;
    expect(tookMs).toBeGreaterThanOrEqual(2 * TAKE_OVER_MS);
    expect(tookMs).toBeLessThan(2 * TAKE_OVER_MS + 100);
  });

  it('tells them again what it had acknowledged before a restart', async () => {
    const watched = await Watched.start(1);
    const { network } = watched;
    const follower = network.node(FOLLOWER);
    watched.losesForwarded = () => true;
    const bytes = transfer();
    await submit(follower, bytes);
    await follower.step({ kind: 'turn' });
    follower.kill();
    await passTime(network, 50);
    watched.losesForwarded = () => false;
    await follower.boot();
    await network.run(ranOnAll(network, bytes));
    expect(network.published.filter(({ from }) => from === FOLLOWER)).toHaveLength(2);
    expect(watched.batchesFrom).toEqual([HOME]);
  });
});

describe('a member that hears the others and is not heard', () => {
  /** Rounds that it stays so; the GC window is 20, so that others keep 40. */
  const unheardFor = async (watched: Watched, rounds: number, bytes: Uint8Array): Promise<void> => {
    const { network } = watched;
    const home = network.node(HOME);
    network.lose = ({ from }) => from === HOME;
    await submit(home, bytes);
    await network.run(() => home.machine.poolSize === 1);
    const { ownRound } = home.open.epochs.consensus.status;
    await network.run(() => home.open.epochs.consensus.status.ownRound > ownRound + rounds);
    expect(home.machine.phase).toBe('following');
    expect(network.nodes.map((node) => runs(node, bytes))).toEqual([0, 0, 0, 0]);
    network.lose = () => false;
  };

  for (const rounds of [10, 30, 100]) {
    it(`for ${rounds} rounds puts its batch in again when it is, and it runs once`, async () => {
      const watched = await Watched.start();
      const { network } = watched;
      const bytes = transfer();
      await unheardFor(watched, rounds, bytes);
      const home = network.node(HOME);
      const backMs = network.now.monotonicMs;
      await network.run(ranOnAll(network, bytes));
      // At most one window of idle rounds, and what it takes to be heard.
      expect(network.now.monotonicMs - backMs).toBeLessThan(4_000);
      await passTime(network, 2 * TAKE_OVER_MS);
      expect(network.nodes.map((node) => runs(node, bytes))).toEqual([1, 1, 1, 1]);
      expect(home.machine.poolSize).toBe(0);
      // What nobody can take in any more makes room once the DAG is past it.
      const status = () => network.node(ADMITTING).open.epochs.consensus.status;
      await network.run(() => status().bufferedVertices === 0);
      expect(status().missing).toBe(0);
    });
  }
});
