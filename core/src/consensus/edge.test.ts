/**
 * Whole members and what one Byzantine member, seat 3, names as parents: inventions at the GC edge,
 * vertices that nobody can have any more, and vertices that only some were given.
 */
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { ManualClock } from '../platform/index.ts';
import {
  decodeVertex,
  encodeVertex,
  genesisVertexHash,
  type ParentRef,
  toEpoch,
  toMemberIndex,
  toRound,
  type UnsignedVertex,
  type VertexHash,
  vertexHash,
  type WeakParentRef,
} from '../types/index.ts';
import { decodeRefs, encodeRefs } from './fetch-message.ts';
import { frameMessage, type MessageKind, openMessage } from './message.ts';
import { ASK_NEXT_MS } from './synchroniser.ts';
import { FaultyNetwork, NO_FAULTS } from './testing/faulty-network.ts';
import {
  CHAIN_ID,
  GENESIS_MS,
  nameOf,
  PARAMETERS,
  START,
  signVertex,
  TestMember,
  testCommittee,
  testSigner,
  testTransaction,
} from './testing.ts';

const GC_ROUNDS = 10;
const BYZANTINE = 3;
const HONEST = [0, 1, 2];
const signers = [0, 1, 2, 3].map((seat) => testSigner(seat));
const genesisParents: ParentRef[] = [0, 1, 2, 3].map((seat) => ({
  author: toMemberIndex(seat),
  name: genesisVertexHash(START, toEpoch(0), toMemberIndex(seat)),
}));

interface Made {
  readonly ref: WeakParentRef;
  readonly bytes: Uint8Array;
}

function make(
  author: number,
  round: number,
  parents: readonly ParentRef[],
  changes: Partial<UnsignedVertex> = {},
): Made {
  const signer = signers[author];
  if (signer === undefined) throw new Error(`no member ${author}`);
  const unsigned: UnsignedVertex = {
    chainId: CHAIN_ID,
    epoch: toEpoch(0),
    round: toRound(round),
    author: toMemberIndex(author),
    timestampMs: GENESIS_MS,
    parents: parents.map(({ author, name }) => ({ author, name })),
    weakParents: [],
    batches: [],
    attestations: [],
    ...changes,
  };
  const ref = { round: unsigned.round, author: unsigned.author, name: vertexHash(unsigned) };
  return { ref, bytes: encodeVertex(signVertex(unsigned, signer)) };
}

const message = (kind: MessageKind, bytes: Uint8Array, from: number) => ({
  kind: 'message' as const,
  bytes: frameMessage(kind, bytes),
  from: toMemberIndex(from),
});

/** Three honest members whose vertices are seen; the fourth is silent but for what the test sends. */
class Observed {
  readonly network: FaultyNetwork;
  /** By round, the honest members' vertices. */
  readonly made = new Map<number, Map<number, VertexHash>>();

  private constructor(network: FaultyNetwork) {
    this.network = network;
    network.filter = ({ from, message }) => {
      const { kind, bytes } = openMessage(message);
      if (kind === 'vertex') {
        const { round, author, ...rest } = decodeVertex(bytes);
        const row = this.made.get(round) ?? new Map<number, VertexHash>();
        this.made.set(round, row);
        row.set(author, vertexHash({ round, author, ...rest }));
      }
      return from !== BYZANTINE;
    };
  }

  static async start(seed: string): Promise<Observed> {
    const parameters = { gcRounds: GC_ROUNDS };
    const network = await FaultyNetwork.start(seed, NO_FAULTS, { parameters });
    network.cut.add(BYZANTINE);
    return new Observed(network);
  }

  /** Names of the honest vertices of a round. */
  row(round: number): ParentRef[] {
    const row = this.made.get(round) ?? new Map<number, VertexHash>();
    return HONEST.flatMap((seat) => {
      const name = row.get(seat);
      return name === undefined ? [] : { author: toMemberIndex(seat), name };
    });
  }

  async give(to: readonly number[], { bytes }: Made): Promise<void> {
    for (const seat of to) await this.network.member(seat).step(message('vertex', bytes, 3));
  }

  /** Rounds with work, so that they are quick. */
  async runTo(round: number): Promise<void> {
    for (let i = 0; this.highestRound < round; i++) {
      await this.network.submit(i % 3, testTransaction(1_000 * round + i));
      await this.network.run(20);
    }
  }

  get highestRound(): number {
    return this.network.member(0).machine.status.highestRound;
  }

  statuses() {
    return HONEST.map((seat) => this.network.member(seat).machine.status);
  }

  waves(): string[][] {
    return HONEST.map((seat) =>
      this.network.member(seat).committed.map(({ anchorHash }) => toHex(anchorHash)),
    );
  }
}

/** Transactions that came back to a member since this was asked last. */
function returnedOf({ effects }: TestMember): Uint8Array[] {
  return effects
    .splice(0)
    .flatMap((effect) => (effect.kind === 'returned' ? effect.transactions : []));
}

describe('invented parents at the GC edge', () => {
  it('jam nobody: the vertex is never accepted, others go on, and it makes room', async () => {
    const observed = await Observed.start('edge');
    await observed.runTo(40);
    const [status] = observed.statuses();
    const lowest = status?.lowestRound ?? 0;
    expect(lowest).toBeGreaterThan(0);
    const own = { author: toMemberIndex(BYZANTINE), name: nameOf('never made') };
    const bad: Made[] = [];
    // From the lowest round that is kept, over the GC round, up to the newest.
    for (let round = lowest + 1; round <= observed.highestRound; round++) {
      const parents = observed.row(round - 1);
      expect(parents).toHaveLength(3);
      bad.push(make(BYZANTINE, round, [...parents, own]));
    }
    for (const one of bad) await observed.give(HONEST, one);
    expect(observed.statuses().every(({ bufferedVertices }) => bufferedVertices > 0)).toBe(true);
    const before = observed.waves()[0]?.length ?? 0;
    await observed.runTo(observed.highestRound + 3 * GC_ROUNDS + 5);
    const [first = [], ...others] = observed.waves();
    expect(first.length).toBeGreaterThan(before + 2 * GC_ROUNDS);
    for (const waves of others) {
      const both = Math.min(waves.length, first.length);
      expect(waves.slice(0, both)).toEqual(first.slice(0, both));
    }
    for (const { bufferedVertices, missing } of observed.statuses()) {
      expect([bufferedVertices, missing]).toEqual([0, 0]);
    }
    // Nobody took one of them in.
    const asked = encodeRefs(bad.map(({ ref }) => ref));
    for (const seat of HONEST) {
      const effects = await observed.network.member(seat).step(message('want-accepted', asked, 3));
      const answers = effects.filter(({ kind }) => kind === 'send');
      expect(answers).toEqual([]);
    }
  });

  it('do not keep others from fetching what they miss', async () => {
    const observed = await Observed.start('edge and loss');
    await observed.runTo(30);
    const own = { author: toMemberIndex(BYZANTINE), name: nameOf('never made') };
    const { highestRound } = observed;
    for (let round = highestRound - 8; round <= highestRound; round++) {
      await observed.give([2], make(BYZANTINE, round, [...observed.row(round - 1), own]));
    }
    // Seat 2 misses vertices and has to ask for them, while it asks for the inventions.
    observed.network.cut.add(2);
    await observed.network.run(1_200);
    await observed.network.reconnect(2);
    await observed.runTo(highestRound + 10);
    const [a = [], , c = []] = observed.waves();
    expect(c.length).toBeGreaterThan(a.length - 5);
  });
});

describe('two vertices of one author and round, each given to some', () => {
  it('both come to everybody through those that have them, with evidence, and waves are the same', async () => {
    const observed = await Observed.start('equivocator');
    await observed.runTo(5);
    // Until rounds rest: the newest is not built upon yet.
    await observed.network.run(300);
    const round = observed.highestRound;
    const parents = observed.row(round - 1);
    expect(parents).toHaveLength(3);
    const mine = make(BYZANTINE, round, parents);
    const other = make(BYZANTINE, round, parents, { timestampMs: GENESIS_MS + 1n });
    await observed.give([0, 1], mine);
    await observed.give([2], other);
    await observed.runTo(round + 12);
    await observed.network.run(100);
    const [first = [], ...others] = observed.waves();
    expect(first.length).toBeGreaterThan(5);
    for (const waves of others) {
      const both = Math.min(waves.length, first.length);
      expect(waves.slice(0, both)).toEqual(first.slice(0, both));
    }
    for (const seat of HONEST) {
      const member = observed.network.member(seat);
      expect(member.evidence).toMatchObject([{ kind: 'vertex', author: BYZANTINE }]);
      expect(member.machine.status.bufferedVertices).toBe(0);
      const asked = encodeRefs([mine.ref, other.ref]);
      const answers = (await member.step(message('want-accepted', asked, 3))).flatMap((effect) =>
        effect.kind === 'send' ? decodeRefs(openMessage(effect.message).bytes).length : [],
      );
      expect(answers).toEqual([2]);
    }
  });
});

describe('a member that hears the others and was not heard', () => {
  it('for longer than they keep their DAG is heard again, over lossy links too', async () => {
    for (const lossPercent of [0, 20]) {
      const parameters = { gcRounds: GC_ROUNDS };
      const network = await FaultyNetwork.start(`unheard ${lossPercent}`, NO_FAULTS, {
        parameters,
      });
      network.filter = ({ from }) => from !== 1;
      const work = async (until: () => boolean): Promise<void> => {
        const from = network.member(0).machine.status.highestRound;
        for (let i = 0; !until(); i++) {
          await network.submit(0, testTransaction(1_000 * from + i));
          await network.run(30);
          const rounds = network.member(0).machine.status.highestRound - from;
          if (rounds > 12 * GC_ROUNDS) throw new Error('it is not heard');
        }
      };
      const round = (): number => network.member(0).machine.status.highestRound;
      await work(() => round() > 6 * GC_ROUNDS);
      network.faults = { ...NO_FAULTS, lossPercent, maxDelayMs: 60 };
      network.filter = () => true;
      const late = testTransaction(7);
      await network.submit(1, late);
      // Two GC windows: until what fell out of waves is known to, and a while to be heard.
      const limit = round() + 2 * GC_ROUNDS + 10;
      const isIn = (): boolean =>
        network.members.every(({ committed }) =>
          committed.some(({ transactions }) =>
            transactions.some((bytes) => toHex(bytes) === toHex(late)),
          ),
        );
      const mine = network.member(1);
      await work(() => {
        mine.pool.push(...returnedOf(mine));
        return isIn();
      });
      if (lossPercent === 0) expect(round()).toBeLessThan(limit);
    }
  });
});

describe('a vertex that counts as held because f + 1 members accepted it', () => {
  it('still does after a restart, for its child in the store and for new ones', async () => {
    const clock = new ManualClock(Number(GENESIS_MS) + 10);
    const options = {
      committee: testCommittee(4),
      self: undefined,
      clock,
      parameters: { ...PARAMETERS, gcRounds: GC_ROUNDS },
    };
    const member = await TestMember.open(options);
    await member.step({ kind: 'start' });
    const rows: Made[][] = [];
    let parents: readonly ParentRef[] = genesisParents;
    for (let round = 1; round <= 24; round++) {
      const row = HONEST.map((seat) => make(seat, round, parents));
      rows.push(row);
      for (const { bytes } of row) await member.step(message('vertex', bytes, 1));
      await member.executeAll();
      parents = row.map(({ ref }) => ref);
    }
    const edge = 9;
    const gone: WeakParentRef = {
      round: toRound(edge),
      author: toMemberIndex(BYZANTINE),
      name: nameOf('had by others'),
    };
    const below = (rows[edge - 1] ?? []).map(({ ref }) => ref);
    const child = make(BYZANTINE, edge + 1, [...below, gone]);
    await member.step(message('vertex', child.bytes, 3));
    expect(member.machine.status.bufferedVertices).toBe(1);
    // Nobody serves it; then all are asked, and f + 1 of them had it.
    for (let i = 0; i < 5; i++) {
      clock.advance(ASK_NEXT_MS);
      await member.step({ kind: 'timer' });
    }
    for (const seat of [0, 1]) {
      await member.step(message('accepted', encodeRefs([gone]), seat));
      expect(member.machine.status.bufferedVertices).toBe(1 - seat);
    }
    const { store, head } = member;
    const again = await TestMember.open({ ...options, store, head });
    await again.step({ kind: 'start' });
    const next = make(0, 25, parents, { weakParents: [gone] });
    await again.step(message('vertex', next.bytes, 0));
    expect(again.machine.status).toMatchObject({
      highestRound: 25,
      bufferedVertices: 0,
      missing: 0,
    });
    const grandchild = make(BYZANTINE, edge + 2, [
      ...(rows[edge] ?? []).map(({ ref }) => ref),
      child.ref,
    ]);
    await again.step(message('vertex', grandchild.bytes, 3));
    expect(again.machine.status).toMatchObject({ bufferedVertices: 0, missing: 0 });
    expect(again.machine.status.refused.size).toBe(0);
  });
});
