/** Members that start, are wiped, put back or restarted together, with every message delivered. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { ManualClock, MemoryStore } from '../platform/index.ts';
import { decodeVertex, toMemberIndex, toRound, vertexHash } from '../types/index.ts';
import { openMessage } from './message.ts';
import { ConsensusRecords } from './records.ts';
import { OwnStore, StandingRecords } from './standing-records.ts';
import { GENESIS_MS, PARAMETERS, TestMember, testCommittee } from './testing.ts';

const SIZE = 4;
const committee = testCommittee(SIZE);
const parameters = { ...PARAMETERS, minRoundDelayMs: 20, idleRoundMs: 100, gcRounds: 200 };
let drawn = 0;

/** A network of four; a member that is undefined is down. */
class Network {
  readonly clock = new ManualClock(Number(GENESIS_MS) + 10);
  readonly members: (TestMember | undefined)[] = Array.from({ length: SIZE }, () => undefined);
  readonly stores = Array.from({ length: SIZE }, () => new MemoryStore());
  /** By author and round, the names of the vertices that were ever sent. */
  readonly sent = new Map<string, Set<string>>();

  async start(seats: readonly number[], isRestored = false): Promise<void> {
    for (const seat of seats) {
      const store = this.stores[seat] ?? new MemoryStore();
      const own = new ConsensusRecords(store, committee.epoch).own();
      const random = { bytes: (length: number) => new Uint8Array(length).fill(++drawn) };
      const ownStore = new OwnStore(store, random, { hasOwn: own !== undefined, isRestored });
      const clock = this.clock;
      const options = { committee, self: seat, clock, parameters, store, ownStore };
      this.members[seat] = await TestMember.open(options);
      await this.#deliver(seat, { kind: 'start' });
    }
  }

  stop(...seats: readonly number[]): void {
    for (const seat of seats) this.members[seat] = undefined;
  }

  /** Every member's timers for so long. Waves are not executed: a restart goes on from vertices. */
  async run(ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 20) {
      this.clock.advance(20);
      for (let seat = 0; seat < SIZE; seat++) await this.#deliver(seat, { kind: 'timer' });
    }
  }

  roundOf(seat: number): number {
    return this.members[seat]?.machine.status.ownRound ?? -1;
  }

  /** No member ever sent two vertices of a round. */
  get equivocations(): string[] {
    return [...this.sent].filter(([, names]) => names.size > 1).map(([place]) => place);
  }

  async #deliver(seat: number, first: Parameters<TestMember['step']>[0]): Promise<void> {
    const queue = [{ seat, event: first }];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const from = toMemberIndex(next.seat);
      const effects = await this.members[next.seat]?.step(next.event);
      for (const effect of effects ?? []) {
        if (effect.kind !== 'broadcast' && effect.kind !== 'send') continue;
        const { message: bytes } = effect;
        this.#see(next.seat, bytes);
        for (let to = 0; to < SIZE; to++) {
          if (to === next.seat || (effect.kind === 'send' && effect.member !== to)) continue;
          queue.push({ seat: to, event: { kind: 'message', from, bytes } });
        }
      }
    }
  }

  #see(from: number, message: Uint8Array): void {
    const { kind, bytes } = openMessage(message);
    if (kind !== 'vertex') return;
    const vertex = decodeVertex(bytes);
    if (vertex.author !== from) return;
    const place = `${vertex.author}/${vertex.round}`;
    const names = this.sent.get(place) ?? new Set();
    this.sent.set(place, names.add(toHex(vertexHash(vertex))));
  }
}

async function running(): Promise<Network> {
  const network = new Network();
  await network.start([0, 1, 2, 3]);
  await network.run(600);
  expect(network.roundOf(0)).toBeGreaterThan(3);
  return network;
}

describe('a chain that starts', () => {
  it('gets going with every member, and with f of them silent', async () => {
    await running();
    const network = new Network();
    await network.start([1, 2, 3]);
    await network.run(3_000);
    expect(network.roundOf(1)).toBeGreaterThan(3);
    // The last one comes late, and is no less whole for it.
    await network.start([0]);
    await network.run(3_000);
    expect(network.roundOf(0)).toBeGreaterThan(3);
    expect(network.equivocations).toEqual([]);
  });

  it('does not move before a quorum is there', async () => {
    const network = new Network();
    await network.start([0, 1]);
    await network.run(2_000);
    expect([network.roundOf(0), network.roundOf(1)]).toEqual([0, 0]);
  });
});

describe('a restart', () => {
  it('of one member goes on at its next round', async () => {
    const network = await running();
    const before = network.roundOf(2);
    network.stop(2);
    await network.start([2]);
    await network.run(600);
    expect(network.roundOf(2)).toBeGreaterThan(before);
    expect(network.sent.has(`2/${before + 1}`)).toBe(true);
    expect(network.equivocations).toEqual([]);
  });

  it('of the whole network comes back: all wait for each other, and all answer', async () => {
    const network = await running();
    const before = network.roundOf(0);
    network.stop(0, 1, 2, 3);
    await network.start([0, 1, 2, 3]);
    await network.run(1_000);
    for (const seat of [0, 1, 2, 3]) expect(network.roundOf(seat)).toBeGreaterThan(before + 3);
    expect(network.equivocations).toEqual([]);
  });

  it('waits for q - 1 others', async () => {
    const network = await running();
    network.stop(0, 1, 2, 3);
    const before = network.sent.size;
    await network.start([0, 1]);
    await network.run(3_000);
    expect(network.sent.size).toBe(before);
    await network.start([2]);
    await network.run(5_000);
    expect(network.sent.size).toBeGreaterThan(before);
  });
});

describe('a member whose store was wiped', () => {
  it('is told so by the others, and goes on two rounds above what they show', async () => {
    const network = await running();
    network.stop(3);
    const shown = Math.max(...[0, 1, 2].map((seat) => network.roundOf(seat)));
    network.stores[3] = new MemoryStore();
    await network.start([3]);
    await network.run(3_000);
    expect(network.members[3]?.machine.resumeRound).toBeGreaterThanOrEqual(shown + 2);
    expect(network.roundOf(3)).toBeGreaterThanOrEqual(shown + 2);
    expect(network.equivocations).toEqual([]);
    const store = network.stores[3] ?? new MemoryStore();
    expect(new StandingRecords(store).store()?.standing).toBe('whole');
  });

  it('comes back from a restart of the whole network', async () => {
    const network = await running();
    network.stop(0, 1, 2, 3);
    network.stores[1] = new MemoryStore();
    await network.start([0, 1, 2, 3]);
    await network.run(6_000);
    const rounds = [0, 1, 2, 3].map((seat) => network.roundOf(seat));
    expect(Math.min(...rounds)).toBeGreaterThan(Math.max(...rounds) - 3);
    expect(network.equivocations).toEqual([]);
  });

  it('needs an operator when more than f others were wiped as well', async () => {
    const network = await running();
    const before = network.sent.size;
    network.stop(0, 1, 2, 3);
    for (const seat of [1, 2]) network.stores[seat] = new MemoryStore();
    await network.start([0, 1, 2, 3]);
    await network.run(6_000);
    expect(network.sent.size).toBe(before);
  });
});

describe('a member whose store was put back from a copy', () => {
  async function staleNetwork(): Promise<Network> {
    const network = await running();
    const copy = new MemoryStore();
    const original = network.stores[3] ?? new MemoryStore();
    for await (const [key, value] of original.range({ prefix: new Uint8Array() })) {
      await copy.batch([{ kind: 'put', key, value }]);
    }
    await network.run(600);
    network.stop(3);
    network.stores[3] = copy;
    return network;
  }

  it('goes on two rounds above what others show when it is told so', async () => {
    const network = await staleNetwork();
    const before = network.roundOf(0);
    await network.start([3], true);
    await network.run(3_000);
    expect(network.roundOf(3)).toBeGreaterThanOrEqual(toRound(before + 2));
    expect(network.equivocations).toEqual([]);
  });

  it('finds out by the copies that others hold when it is not', async () => {
    const network = await staleNetwork();
    const before = network.roundOf(0);
    await network.start([3]);
    await network.run(3_000);
    expect(network.roundOf(3)).toBeGreaterThanOrEqual(before + 2);
    expect(network.equivocations).toEqual([]);
  });
});
