/** Members that are killed and go on from what they had kept. */
import { describe, expect, it } from 'vitest';
import { readU64BigEndian, toHex } from '../bytes/index.ts';
import { ManualClock, MemoryStore, type StoreWrite } from '../platform/index.ts';
import { TABLE } from '../state/index.ts';
import {
  batchHash,
  decodeBatch,
  decodeVertex,
  encodeBatch,
  encodeVertex,
  genesisVertexHash,
  type ParentRef,
  toEpoch,
  toMemberIndex,
  toRound,
  type UnsignedVertex,
  vertexHash,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';
import { AnchorSchedule } from './anchor-schedule.ts';
import type { ConsensusEffect, ConsensusEvent } from './events.ts';
import { frameMessage } from './message.ts';
import { ConsensusRecords } from './records.ts';
import {
  CHAIN_ID,
  executeStandIn,
  GENESIS_MS,
  GENESIS_RECORD,
  PARAMETERS,
  START,
  signVertex,
  TestMember,
  testCommittee,
  testSigner,
  testTransaction,
} from './testing.ts';
import type { CommittedWave } from './wave-builder.ts';

const committee = testCommittee(1);
const parameters = { ...PARAMETERS, gcRounds: 10 };
const CHECKSUM = 8;

/** What must hold over a life with crashes, seen from outside. */
class Witness {
  /** Own vertices that reached the store, by round. */
  readonly vertices = new Map<bigint, string>();
  /** Transactions in batches that reached the store. */
  readonly kept = new Set<string>();
  /** Waves that were handed out, by id. */
  readonly waves = new Map<bigint, CommittedWave>();

  copy(): Witness {
    const copy = new Witness();
    for (const [round, name] of this.vertices) copy.vertices.set(round, name);
    for (const transaction of this.kept) copy.kept.add(transaction);
    for (const [id, wave] of this.waves) copy.waves.set(id, wave);
    return copy;
  }

  see(effect: ConsensusEffect): void {
    if (effect.kind === 'persist') for (const write of effect.writes) this.#seeWrite(write);
    if (effect.kind !== 'commit') return;
    const known = this.waves.get(effect.wave.waveId);
    if (known === undefined) {
      expect(effect.wave.waveId).toBe(BigInt(this.waves.size + 1));
      this.waves.set(effect.wave.waveId, effect.wave);
    } else expect(effect.wave).toEqual(known);
  }

  #seeWrite(write: StoreWrite): void {
    if (write.kind === 'delete') return;
    if (write.key[0] === TABLE.batches) {
      const { transactions } = decodeBatch(write.value.subarray(0, -CHECKSUM));
      for (const transaction of transactions) this.kept.add(toHex(transaction));
    }
    if (write.key[0] !== TABLE.vertices) return;
    const round = readU64BigEndian(write.key, 9);
    const name = toHex(write.key.subarray(-32));
    expect(this.vertices.get(round) ?? name, `own vertices of round ${round}`).toBe(name);
    this.vertices.set(round, name);
  }
}

async function copyStore(store: MemoryStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  const writes: StoreWrite[] = [];
  for await (const [key, value] of store.range({ prefix: new Uint8Array() })) {
    writes.push({ kind: 'put', key, value });
  }
  await copy.batch(writes);
  return copy;
}

/** Opens what a crash left, submits again what no batch had kept, and runs until all is certified. */
async function goOn(
  store: MemoryStore,
  records: readonly WaveCommitRecord[],
  witness: Witness,
  submitted: readonly Uint8Array[],
  unixMs: number,
): Promise<void> {
  const pool = submitted.filter((transaction) => !witness.kept.has(toHex(transaction)));
  const clock = new ManualClock(unixMs);
  const head = records.at(-1) ?? GENESIS_RECORD;
  const member = await TestMember.open({
    committee,
    self: 0,
    clock,
    parameters,
    store,
    head,
    pool,
  });
  const step = async (event: ConsensusEvent): Promise<void> => {
    for (const effect of await member.step(event)) witness.see(effect);
  };
  await step({ kind: 'start' });
  if (pool.length > 0) await step({ kind: 'work', pending: true });
  let last = head;
  const runWaves = async (): Promise<void> => {
    for (let at = Number(last.waveId - head.waveId); at < member.committed.length; at++) {
      const wave = member.committed[at];
      if (wave === undefined) return;
      last = executeStandIn(wave, last);
      await step({ kind: 'wave-executed', record: last, digest: waveDigest(last) });
    }
  };
  for (let round = 0; round < 4; round++) {
    await runWaves();
    clock.advance(parameters.idleRoundMs);
    await step({ kind: 'timer' });
  }
  const executed = [...witness.waves.values()]
    .filter(({ waveId }) => waveId <= last.waveId)
    .flatMap(({ transactions }) => transactions.map(toHex));
  expect(executed.toSorted()).toEqual(submitted.map(toHex).toSorted());
  // What was executed and not certified before the crash is certified now.
  if (head.waveId > 0n)
    expect(new ConsensusRecords(store, toEpoch(0)).hasCert(head.waveId)).toBe(true);
  expect(member.certs.length).toBeGreaterThan(0);
}

describe('a restart of a committee of one', () => {
  it('at any effect of any step makes no second vertex, loses no wave and no transaction', async () => {
    const clock = new ManualClock(Number(GENESIS_MS) + 10);
    const member = await TestMember.open({ committee, self: 0, clock, parameters });
    const witness = new Witness();
    const submitted: Uint8Array[] = [];
    let crashes = 0;
    const run = async (
      event: ConsensusEvent,
      records: readonly WaveCommitRecord[],
    ): Promise<void> => {
      const effects = member.machine.step(event, clock.now());
      for (let done = 0; done <= effects.length; done++) {
        const store = await copyStore(member.store);
        await goOn(store, records, witness.copy(), submitted, clock.now().unixMs + 5);
        crashes++;
        const effect = effects[done];
        if (effect === undefined) break;
        witness.see(effect);
        await member.carry(effect);
      }
    };
    const records: WaveCommitRecord[] = [GENESIS_RECORD];
    const executeOne = async (): Promise<void> => {
      const wave = member.committed[records.length - 1];
      const last = records.at(-1);
      if (wave === undefined || last === undefined) return;
      const record = executeStandIn(wave, last);
      records.push(record);
      await run({ kind: 'wave-executed', record, digest: waveDigest(record) }, records);
    };
    await run({ kind: 'start' }, records);
    // Long enough for the GC windows of ten rounds to delete vertices.
    for (let turn = 0; turn < 12; turn++) {
      clock.advance(turn % 3 === 2 ? parameters.idleRoundMs : 7);
      if (turn % 3 === 2) await run({ kind: 'timer' }, records);
      else {
        const transaction = testTransaction(turn);
        submitted.push(transaction);
        member.pool.push(transaction);
        await run({ kind: 'work', pending: true }, records);
      }
      // Sometimes waves pile up before they are executed.
      for (let i = 0; i < (turn % 4 === 0 ? 0 : 6); i++) await executeOne();
    }
    expect(crashes).toBeGreaterThan(80);
    expect(member.machine.status.lowestRound).toBeGreaterThan(0);
  });

  it('refuses a store that has lost its newest vertex', async () => {
    const clock = new ManualClock(Number(GENESIS_MS) + 10);
    const member = await TestMember.open({ committee, self: 0, clock });
    await member.step({ kind: 'start' });
    member.pool.push(testTransaction(1));
    await member.step({ kind: 'work', pending: true });
    const vertices: Uint8Array[] = [];
    for await (const [key] of member.store.range({ prefix: Uint8Array.of(TABLE.vertices) })) {
      vertices.push(key);
    }
    expect(vertices.length).toBe(3);
    await member.store.batch([{ kind: 'delete', key: vertices[2] ?? new Uint8Array() }]);
    await expect(
      TestMember.open({ committee, self: 0, clock, store: member.store }),
    ).rejects.toMatchObject({ code: 'consensus.store' });
  });

  it('goes on after its newest vertex also where a second one of the round is kept', async () => {
    const clock = new ManualClock(Number(GENESIS_MS) + 10);
    const member = await TestMember.open({ committee, self: 0, clock });
    await member.step({ kind: 'start' });
    member.pool.push(testTransaction(1));
    await member.step({ kind: 'work', pending: true });
    const records = new ConsensusRecords(member.store, toEpoch(0));
    const own = records.own();
    const bytes =
      own === undefined
        ? undefined
        : records.vertexBytes(own.round, { ...own, author: toMemberIndex(0) });
    if (own === undefined || bytes === undefined) throw new Error('a vertex was made');
    // Somebody else with the key made others; of several one comes behind the own one.
    for (let i = 0n; i < 8n; i++) {
      const { signature: _, ...vertex } = decodeVertex(bytes);
      const second = signVertex(
        { ...vertex, timestampMs: vertex.timestampMs + 1n + i },
        testSigner(0),
      );
      await member.store.batch([records.putVertex(second, vertexHash(second))]);
    }
    const { store } = member;
    const again = await TestMember.open({ committee, self: 0, clock, store });
    expect(again.machine.status.ownRound).toBe(own.round);
    expect(again.machine.newestOwn).toEqual(bytes);
  });

  it('refuses a store that has lost a batch of a wave not executed', async () => {
    const clock = new ManualClock(Number(GENESIS_MS) + 10);
    const member = await TestMember.open({ committee, self: 0, clock });
    await member.step({ kind: 'start' });
    member.pool.push(testTransaction(1));
    await member.step({ kind: 'work', pending: true });
    for await (const [key] of member.store.range({ prefix: Uint8Array.of(TABLE.batches) })) {
      await member.store.batch([{ kind: 'delete', key }]);
    }
    await expect(
      TestMember.open({ committee, self: 0, clock, store: member.store }),
    ).rejects.toMatchObject({ code: 'consensus.store' });
  });

  it('with more waves waiting than the DAG keeps still comes to the same waves', async () => {
    const clock = new ManualClock(Number(GENESIS_MS) + 10);
    const member = await TestMember.open({ committee, self: 0, clock, parameters });
    await member.step({ kind: 'start' });
    for (let i = 0; i < 50; i++) {
      clock.advance(5_000);
      await member.step({ kind: 'timer' });
    }
    expect(member.waiting).toBe(48);
    const { store } = member;
    const again = await TestMember.open({ committee, self: 0, clock, parameters, store });
    await again.step({ kind: 'start' });
    expect(again.committed).toEqual(member.committed);
  });
});

describe('a restart in a committee of four', () => {
  const four = testCommittee(4);
  const signers = [0, 1, 2, 3].map((seat) => testSigner(seat));
  const schedule = new AnchorSchedule(START, four.epoch, 4);

  /** Rounds of all four, a batch in every vertex; `parentsOf` may leave parents out. */
  function rounds(
    count: number,
    parentsOf: (round: number, author: number, all: readonly ParentRef[]) => readonly ParentRef[],
  ): { readonly bytes: Uint8Array; readonly batch: Uint8Array }[] {
    const made: { bytes: Uint8Array; batch: Uint8Array }[] = [];
    let all: ParentRef[] = [0, 1, 2, 3].map((seat) => {
      const author = toMemberIndex(seat);
      return { author, name: genesisVertexHash(START, four.epoch, author) };
    });
    for (let round = 1; round <= count; round++) {
      all = signers.map((signer, seat) => {
        const batch = encodeBatch({ transactions: [testTransaction(100 * round + seat)] });
        const unsigned: UnsignedVertex = {
          chainId: CHAIN_ID,
          epoch: four.epoch,
          round: toRound(round),
          author: toMemberIndex(seat),
          timestampMs: GENESIS_MS,
          parents: parentsOf(round, seat, all),
          weakParents: [],
          batches: [{ hash: batchHash(batch), bytes: batch.length, count: 1 }],
          attestations: [],
        };
        made.push({ bytes: encodeVertex(signVertex(unsigned, signer)), batch });
        return { author: unsigned.author, name: vertexHash(unsigned) };
      });
    }
    return made;
  }

  it('carries no vertex again, also not those of an anchor that the last one did not refer to', async () => {
    // Every anchor leaves out the anchor of the round before.
    const made = rounds(9, (round, author, all) => {
      const before = schedule.anchorOf(round - 1);
      const leavesOut = author === schedule.anchorOf(round) && author !== before;
      return leavesOut ? all.filter((ref) => ref.author !== before) : all;
    });
    const clock = new ManualClock(Number(GENESIS_MS) + 10);
    let member = await TestMember.open({ committee: four, self: undefined, clock });
    const steady = await TestMember.open({ committee: four, self: undefined, clock });
    await member.step({ kind: 'start' });
    await steady.step({ kind: 'start' });
    const executed: CommittedWave[] = [];
    for (const { bytes, batch } of made) {
      for (const one of [member, steady]) {
        const from = toMemberIndex(1);
        await one.step({ kind: 'message', bytes: frameMessage('batch', batch), from });
        await one.step({ kind: 'message', bytes: frameMessage('vertex', bytes), from });
        await one.executeAll();
      }
      executed.push(...member.committed);
      const { store, head } = member;
      member = await TestMember.open({ committee: four, self: undefined, clock, store, head });
      await member.step({ kind: 'start' });
    }
    expect(executed).toEqual(steady.committed);
    expect(executed.length).toBe(7);
  });
});
