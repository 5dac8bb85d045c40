/** The machine as other members and its own platform see it; seat 0 of four, unless said otherwise. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/index.ts';
import { ManualClock } from '../platform/index.ts';
import { TABLE } from '../state/index.ts';
import {
  type Attestation,
  batchHash,
  decodeVertex,
  encodeBatch,
  encodeVertex,
  genesisVertexHash,
  MAX_BATCH_BYTES,
  type ParentRef,
  toEpoch,
  toHash,
  toMemberIndex,
  toRound,
  type UnsignedVertex,
  type VertexHash,
  vertexHash,
  waveDigest,
} from '../types/index.ts';
import { AnchorSchedule } from './anchor-schedule.ts';
import { MAX_STALLED_WAVES, MAX_WAITING_WAVES } from './commit-log.ts';
import type { ConsensusEffect } from './events.ts';
import { frameMessage, openMessage } from './message.ts';
import {
  CHAIN_ID,
  executeStandIn,
  GENESIS_MS,
  GENESIS_RECORD,
  nameOf,
  PARAMETERS,
  START,
  signVertex,
  TestMember,
  testCommittee,
  testSigner,
  testTransaction,
} from './testing.ts';
import { MAX_BUFFERED_PER_AUTHOR } from './vertex-buffer.ts';

const four = testCommittee(4);
const signers = [0, 1, 2, 3].map((seat) => testSigner(seat));
const genesisParents: ParentRef[] = [0, 1, 2, 3].map((seat) => ({
  author: toMemberIndex(seat),
  name: genesisVertexHash(START, toEpoch(0), toMemberIndex(seat)),
}));

interface Made {
  readonly name: VertexHash;
  readonly bytes: Uint8Array;
  readonly ref: ParentRef;
}

function make(author: number, round: number, changes: Partial<UnsignedVertex> = {}): Made {
  const signer = signers[author];
  if (signer === undefined) throw new Error(`no member ${author}`);
  const unsigned: UnsignedVertex = {
    chainId: CHAIN_ID,
    epoch: toEpoch(0),
    round: toRound(round),
    author: toMemberIndex(author),
    timestampMs: GENESIS_MS,
    parents: genesisParents,
    weakParents: [],
    batches: [],
    attestations: [],
    ...changes,
  };
  const name = vertexHash(unsigned);
  const bytes = encodeVertex(signVertex(unsigned, signer));
  return { name, bytes, ref: { author: unsigned.author, name } };
}

const open = async (
  over: Partial<Parameters<typeof TestMember.open>[0]> = {},
): Promise<TestMember> => {
  const clock = new ManualClock(Number(GENESIS_MS) + 10);
  const member = await TestMember.open({ committee: four, self: 0, clock, ...over });
  await member.step({ kind: 'start' });
  return member;
};
const give = (
  member: TestMember,
  { bytes }: { bytes: Uint8Array },
  from = 1,
): Promise<ConsensusEffect[]> =>
  member.step({
    kind: 'message',
    bytes: frameMessage('vertex', bytes),
    from: toMemberIndex(from),
  });
const giveBatch = (
  member: TestMember,
  bytes: Uint8Array,
  from: number,
): Promise<ConsensusEffect[]> =>
  member.step({ kind: 'message', bytes: frameMessage('batch', bytes), from: toMemberIndex(from) });
const refusals = (member: TestMember): Record<string, number> =>
  Object.fromEntries(member.machine.status.refused);
/** Author and round of every vertex that reached the store. */
function kept(effects: readonly ConsensusEffect[]): string[] {
  return effects.flatMap((effect) =>
    effect.kind !== 'persist'
      ? []
      : effect.writes.flatMap((write) => {
          if (write.kind === 'delete' || write.key[0] !== TABLE.vertices) return [];
          const vertex = decodeVertex(write.value.subarray(0, -8));
          return [`${'ABCD'[vertex.author]}${vertex.round}`];
        }),
  );
}

/** Gives the vertices of these authors, each with all of the round before as parents. */
async function giveRounds(
  member: TestMember,
  count: number,
  seats: readonly number[],
): Promise<void> {
  let parents: readonly ParentRef[] = genesisParents;
  for (let round = 1; round <= count; round++) {
    const made = seats.map((seat) => make(seat, round, { parents }));
    for (const vertex of made) await give(member, vertex);
    parents = made.map(({ ref }) => ref);
  }
}

describe('a vertex of another member', () => {
  it('is accepted and kept once its parents are held, lowest round first', async () => {
    const member = await open({ self: undefined });
    const first = [1, 2, 3].map((seat) => make(seat, 1));
    const parents = first.map(({ ref }) => ref);
    const second = make(2, 2, { parents });
    expect(kept(await give(member, second))).toEqual([]);
    expect(member.machine.status.bufferedVertices).toBe(1);
    expect(kept(await give(member, make(1, 1)))).toEqual(['B1']);
    expect(kept(await give(member, make(3, 1)))).toEqual(['D1']);
    // The same vertex signed again has the same name.
    expect(kept(await give(member, make(2, 1)))).toEqual(['C1', 'C2']);
    expect(kept(await give(member, second))).toEqual([]);
    expect(refusals(member)).toEqual({});
  });

  it('waits for its batches', async () => {
    const member = await open({ self: undefined });
    const bytes = encodeBatch({ transactions: [testTransaction(1)] });
    const ref = { hash: batchHash(bytes), bytes: bytes.length, count: 1 };
    expect(kept(await give(member, make(1, 1, { batches: [ref] })))).toEqual([]);
    const effects = await giveBatch(member, bytes, 2);
    expect(kept(effects)).toEqual(['B1']);
    const stored = effects.flatMap((e) => (e.kind === 'persist' ? e.writes : []));
    expect(stored.some((write) => write.key[0] === TABLE.batches)).toBe(true);
  });

  it('stamped more than 2 s ahead waits for the clock, and a timer is set for it', async () => {
    const member = await open({ self: undefined });
    const aheadMs = BigInt(member.clock.now().unixMs) + 2_000n;
    expect(kept(await give(member, make(1, 1, { timestampMs: aheadMs })))).toEqual(['B1']);
    expect(kept(await give(member, make(2, 1, { timestampMs: aheadMs + 30n })))).toEqual([]);
    expect(member.timerMs).toBe(30);
    member.clock.advance(29);
    expect(kept(await member.step({ kind: 'timer' }))).toEqual([]);
    expect(member.timerMs).toBe(30);
    member.clock.advance(1);
    expect(kept(await member.step({ kind: 'timer' }))).toEqual(['C1']);
  });

  it('that is not valid is refused and counted by its code', async () => {
    const member = await open();
    await give(member, make(1, 1, { chainId: 1n }));
    await give(member, make(1, 1, { parents: genesisParents.slice(2) }));
    await give(member, { bytes: Uint8Array.of(1, 2, 3) });
    const bad = make(2, 1).bytes.slice();
    bad[bad.length - 300] = (bad[bad.length - 300] ?? 0) ^ 1;
    await give(member, { bytes: bad });
    expect(refusals(member)).toEqual({
      'consensus.chain-id': 1,
      'consensus.parent-quorum': 1,
      'borsh.truncated': 1,
      'consensus.signature': 1,
    });
    expect(member.machine.status.bufferedVertices).toBe(0);
  });

  it('beyond the GC window above the newest round is refused', async () => {
    const member = await open({ self: undefined });
    await give(member, make(1, PARAMETERS.gcRounds));
    expect(refusals(member)).toEqual({});
    await give(member, make(2, PARAMETERS.gcRounds + 1));
    expect(refusals(member)).toEqual({ 'consensus.round-too-high': 1 });
  });

  it('of a round that has one of its author is refused, unless a waiting vertex names it', async () => {
    const member = await open({ self: undefined });
    const other = make(1, 1, { timestampMs: GENESIS_MS + 1n });
    await give(member, make(1, 1));
    await give(member, other);
    expect(refusals(member)).toEqual({ 'consensus.second-vertex': 1 });
    const [c, d] = [make(2, 1), make(3, 1)];
    await give(member, make(3, 2, { parents: [other.ref, c.ref, d.ref] }));
    await give(member, c);
    await give(member, d);
    expect(kept(await give(member, other))).toEqual(['B1', 'D2']);
  });

  it("signed with this member's own key and not in its store is refused", async () => {
    const member = await open();
    await give(member, make(0, 7));
    expect(refusals(member)).toEqual({ 'consensus.own-vertex': 1 });
  });

  it('finds no room when its author has filled its share', async () => {
    const member = await open({ self: undefined });
    const missing = genesisParents.map(({ author }) => ({ author, name: nameOf('nowhere') }));
    for (let i = 0; i < MAX_BUFFERED_PER_AUTHOR; i++)
      await give(member, make(1, 2 + i, { parents: missing }));
    expect(member.machine.status.bufferedVertices).toBe(MAX_BUFFERED_PER_AUTHOR);
    await give(member, make(1, 50, { parents: missing }));
    expect(refusals(member)).toEqual({ 'consensus.buffer-full': 1 });
  });

  it('of any bytes at all makes the machine neither throw nor accept', async () => {
    const member = await open();
    const good = make(1, 1).bytes;
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }),
      fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, bits]) => {
        const bent = good.slice();
        bent[at] = (bent[at] ?? 0) ^ bits;
        return bent;
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        bytes,
        fc.constantFrom('vertex' as const, 'batch' as const),
        async (b, kind) => {
          const bytes = frameMessage(kind, b);
          const from = toMemberIndex(1);
          const effects = await member.step({ kind: 'message', bytes, from });
          return kept(effects).length === 0;
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a batch of another member', () => {
  it('above 4 MiB is refused', async () => {
    const member = await open();
    const bytes = new Uint8Array(MAX_BATCH_BYTES + 1);
    await giveBatch(member, bytes, 1);
    expect(refusals(member)).toEqual({ 'consensus.message': 1 });
    expect(member.machine.status.batchesInMemory).toBe(0);
  });
});

describe('own vertices', () => {
  it('are kept durably before they are sent, with their batch in front of them', async () => {
    const member = await open();
    member.clock.advance(PARAMETERS.minRoundDelayMs);
    member.pool.push(testTransaction(1));
    const effects = await member.step({ kind: 'work', pending: true });
    expect(effects.map(({ kind }) => kind)).toEqual([
      'persist',
      'broadcast',
      'broadcast',
      'set-timer',
    ]);
    expect(effects[0]).toMatchObject({ sync: true });
    const sent = effects.flatMap((e) =>
      e.kind === 'broadcast' ? [openMessage(e.message).kind] : [],
    );
    expect(sent).toEqual(['batch', 'vertex']);
  });

  it('keep the minimum delay between rounds', async () => {
    const member = await open();
    member.pool.push(testTransaction(1));
    await member.step({ kind: 'work', pending: true });
    expect(member.machine.status.ownRound).toBe(0);
    expect(member.timerMs).toBe(PARAMETERS.minRoundDelayMs);
  });

  it('are not delayed for a member that is behind', async () => {
    const member = await open();
    for (const seat of [1, 2, 3]) await give(member, make(seat, 1), seat);
    expect(member.machine.status.ownRound).toBe(1);
  });

  it('take every vertex of the round before as a parent, the own one among them', async () => {
    const member = await open();
    for (const seat of [1, 2, 3]) await give(member, make(seat, 1), seat);
    member.clock.advance(10_000);
    await member.step({ kind: 'timer' });
    const own = member.sent.map((message) => decodeVertex(openMessage(message).bytes));
    expect(own.map(({ round }) => round)).toEqual([1, 2]);
    expect(own[1]?.parents.map(({ author }) => author)).toEqual([0, 1, 2, 3]);
  });

  it('are made for every round by a member that is behind, none left out', async () => {
    const member = await open();
    let parents: readonly ParentRef[] = genesisParents;
    const rounds: Made[][] = [];
    for (let round = 1; round <= 6; round++) {
      const made = [1, 2, 3].map((seat) => make(seat, round, { parents }));
      rounds.push(made);
      parents = made.map(({ ref }) => ref);
    }
    // The newest come first, and the lowest round that they wait for at the end.
    const [first = [], ...later] = rounds;
    for (const made of later) for (const [i, one] of made.entries()) await give(member, one, i + 1);
    for (const [i, one] of first.entries()) await give(member, one, i + 1);
    const own = member.sent.flatMap((message) => {
      const { kind, bytes } = openMessage(message);
      return kind === 'vertex' ? decodeVertex(bytes).round : [];
    });
    expect(own).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('wait for the anchor of the round before, up to the leader timeout', async () => {
    const beacons = Array.from({ length: 64 }, (_, i) => toHash(new Uint8Array(32).fill(i)));
    const beacon = beacons.find((b) => new AnchorSchedule(b, four.epoch, 4).anchorOf(1) === 3);
    if (beacon === undefined) throw new Error('one beacon in four has this anchor');
    const member = await open({ beacon });
    member.pool.push(testTransaction(1));
    member.clock.advance(PARAMETERS.minRoundDelayMs);
    await member.step({ kind: 'work', pending: true });
    await give(member, make(1, 1), 1);
    await give(member, make(2, 1), 2);
    member.clock.advance(249);
    await member.step({ kind: 'timer' });
    expect(member.machine.status.ownRound).toBe(1);
    const missing = await open({ beacon });
    missing.pool.push(testTransaction(1));
    missing.clock.advance(PARAMETERS.minRoundDelayMs);
    await missing.step({ kind: 'work', pending: true });
    for (const seat of [1, 2, 3]) await give(missing, make(seat, 1), seat);
    missing.clock.advance(PARAMETERS.minRoundDelayMs);
    await missing.step({ kind: 'timer' });
    expect(missing.machine.status.ownRound).toBe(2);
    member.clock.advance(1);
    await member.step({ kind: 'timer' });
    expect(member.machine.status.ownRound).toBe(2);
  });

  it('begin above the GC round for a member that was away longer', async () => {
    const parameters = { ...PARAMETERS, gcRounds: 10 };
    const follower = await open({ self: undefined, parameters });
    await giveRounds(follower, 20, [1, 2, 3]);
    await follower.executeAll();
    const { store, head } = follower;
    const anchor = head.anchorRound;
    const made = await open({ parameters, store, head });
    const rounds = made.effects.flatMap((e) => kept([e])).filter((label) => label.startsWith('A'));
    expect(anchor).toBeGreaterThan(12);
    expect(rounds[0]).toBe(`A${anchor - 10 + 1}`);
  });

  it('go out again on a new connection and at every leader timeout', async () => {
    const member = await open();
    member.clock.advance(500);
    await member.step({ kind: 'timer' });
    expect(member.sent.length).toBe(1);
    const again = await member.step({ kind: 'connected', member: toMemberIndex(2) });
    expect(again).toMatchObject([{ kind: 'send', member: 2, message: member.sent[0] }]);
    // The timeout is four times the one round seen so far.
    member.clock.advance(1_999);
    await member.step({ kind: 'timer' });
    expect(member.sent.length).toBe(1);
    member.clock.advance(1);
    await member.step({ kind: 'timer' });
    expect(member.sent).toEqual([member.sent[0], member.sent[0]]);
    expect(member.machine.status.ownRound).toBe(1);
  });

  it('are made by no node without a seat', async () => {
    const member = await open({ self: undefined });
    for (const seat of [0, 1, 2, 3]) await give(member, make(seat, 1), seat);
    member.clock.advance(10_000);
    await member.step({ kind: 'timer' });
    await member.step({ kind: 'work', pending: true });
    expect(member.sent).toEqual([]);
    expect(member.machine.status.ownRound).toBe(0);
    expect(member.machine.status.highestRound).toBe(1);
  });
});

describe('back-pressure', () => {
  const one = testCommittee(1);

  it('stops batches and slows rounds when more than 32 waves wait for execution', async () => {
    const member = await open({ committee: one });
    for (let i = 0; i < 60; i++) {
      member.pool.push(testTransaction(i));
      await member.step({ kind: 'work', pending: true });
    }
    expect(member.waiting).toBe(MAX_WAITING_WAVES + 1);
    expect(member.pool.length).toBeGreaterThan(0);
    const round = member.machine.status.ownRound;
    const left = member.pool.length;
    member.clock.advance(249);
    await member.step({ kind: 'timer' });
    expect(member.machine.status.ownRound).toBe(round);
    member.clock.advance(1);
    await member.step({ kind: 'timer' });
    expect(member.machine.status.ownRound).toBe(round + 1);
    expect(member.pool.length).toBe(left);
    await member.executeAll();
    expect(member.pool.length).toBe(0);
    const all = member.committed.flatMap(({ transactions }) => transactions);
    expect(all).toEqual(Array.from({ length: 60 }, (_, i) => testTransaction(i)));
  });

  it('stops rounds altogether when 512 waves wait', async () => {
    const member = await open({ committee: one });
    for (let i = 0; i < MAX_STALLED_WAVES + 50; i++) {
      member.clock.advance(5_000);
      await member.step({ kind: 'timer' });
    }
    expect(member.waiting).toBe(MAX_STALLED_WAVES);
    expect(member.machine.status.ownRound).toBe(MAX_STALLED_WAVES + 2);
  });

  it('makes a bounded number of rounds a step and goes on by a timer due at once', async () => {
    const big = new Uint8Array(1_000_000);
    const pool = Array.from({ length: 80 }, (_, i) => concatBytes(big, Uint8Array.of(i)));
    const member = await open({ committee: one, pool });
    await member.step({ kind: 'work', pending: true });
    expect(member.machine.status.ownRound).toBe(8);
    expect(member.timerMs).toBe(member.clock.now().monotonicMs);
    await member.step({ kind: 'timer' });
    expect(member.machine.status.ownRound).toBe(16);
  });
});

describe('what is kept', () => {
  it('stays within two GC windows, in memory and in the store', async () => {
    const parameters = { ...PARAMETERS, gcRounds: 10 };
    const member = await open({ committee: testCommittee(1), parameters });
    for (let i = 0; i < 100; i++) {
      if (i % 2 === 0) member.pool.push(testTransaction(i));
      member.clock.advance(500);
      await member.step(i % 2 === 0 ? { kind: 'work', pending: true } : { kind: 'timer' });
      await member.executeAll();
    }
    const { lowestRound, highestRound, batchesInMemory } = member.machine.status;
    expect(highestRound).toBeGreaterThan(150);
    expect(highestRound - lowestRound).toBeLessThanOrEqual(2 * 10 + 3);
    expect(batchesInMemory).toBe(0);
    const count = async (table: number): Promise<number> => {
      let entries = 0;
      for await (const _ of member.store.range({ prefix: Uint8Array.of(table) })) entries++;
      return entries;
    };
    expect(await count(TABLE.vertices)).toBe(highestRound - lowestRound + 1);
    expect(await count(TABLE.batches)).toBeLessThanOrEqual(highestRound - lowestRound);
    expect(await count(TABLE.batches)).toBeGreaterThan(0);
  });
});

describe('a vertex that no wave takes', () => {
  const parameters = { ...PARAMETERS, gcRounds: 10 };
  const bytes = encodeBatch({ transactions: [testTransaction(1)] });
  const batches = [{ hash: batchHash(bytes), bytes: bytes.length, count: 1 }];

  it('gives its batch free when the GC round passes it', async () => {
    const member = await open({ self: undefined, parameters });
    await giveBatch(member, bytes, 0);
    await give(member, make(0, 1, { batches }));
    await giveRounds(member, 10, [1, 2, 3]);
    expect(member.machine.status.batchesInMemory).toBe(1);
    await giveRounds(member, 20, [1, 2, 3]);
    expect(member.machine.status.batchesInMemory).toBe(0);
    expect(member.committed.flatMap(({ transactions }) => transactions)).toEqual([]);
  });

  it('does not hold its batch when it comes after the GC round has passed it', async () => {
    const member = await open({ self: undefined, parameters });
    await giveRounds(member, 18, [1, 2, 3]);
    await giveBatch(member, bytes, 0);
    const effects = await give(member, make(0, 1, { batches }));
    expect(kept(effects)).toEqual(['A1']);
    const stored = effects.flatMap((e) => (e.kind === 'persist' ? e.writes : []));
    expect(stored.some((write) => write.key[0] === TABLE.batches)).toBe(true);
    expect(member.machine.status.batchesInMemory).toBe(0);
  });
});

describe('a result that others dispute', () => {
  it('halts this node at f + 1 members: it makes, commits and sends nothing more', async () => {
    const member = await open();
    // The others run three rounds; this member follows and executes wave 1.
    let parents = genesisParents;
    for (let round = 1; round <= 4; round++) {
      const made = [1, 2, 3].map((seat) => make(seat, round, { parents }));
      for (const [i, vertex] of made.entries()) await give(member, vertex, i + 1);
      parents = made.map(({ ref }) => ref);
    }
    const [wave] = member.committed;
    if (wave === undefined) throw new Error('nothing committed');
    const record = executeStandIn(wave, GENESIS_RECORD);
    const digest = waveDigest(record);
    await member.step({ kind: 'wave-executed', record, digest });
    const wrong = toHash(nameOf('another result'));
    const attestation = (seat: number): Attestation => {
      const signature = signers[seat]?.sign(wrong);
      if (signature === undefined) throw new Error('no signer');
      return { waveId: record.waveId, digest: wrong, signature };
    };
    const first = await give(member, make(1, 5, { parents, attestations: [attestation(1)] }));
    expect(first.some(({ kind }) => kind === 'halt')).toBe(false);
    const second = await give(member, make(2, 5, { parents, attestations: [attestation(2)] }), 2);
    expect(second.find(({ kind }) => kind === 'halt')).toMatchObject({
      reason: expect.stringContaining('members 1, 2 attest another result of wave 1'),
    });
    member.clock.advance(10_000);
    expect(await member.step({ kind: 'timer' })).toEqual([]);
    expect(await give(member, make(3, 5, { parents }), 3)).toEqual([]);
  });
});

describe('the platform', () => {
  it('must start the machine first, report waves in order, and give the signer of the seat', async () => {
    const clock = new ManualClock(Number(GENESIS_MS));
    const member = await TestMember.open({ committee: testCommittee(1), self: 0, clock });
    expect(() => member.machine.step({ kind: 'timer' }, clock.now())).toThrow(/first event/);
    await member.step({ kind: 'start' });
    const digest = waveDigest(GENESIS_RECORD);
    const event = { kind: 'wave-executed', record: GENESIS_RECORD, digest } as const;
    expect(() => member.machine.step(event, clock.now())).toThrow(/oldest that waits/);
    await expect(TestMember.open({ committee: testCommittee(1), self: 1, clock })).rejects.toThrow(
      /signer/,
    );
  });
});
