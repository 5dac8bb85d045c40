/** What one member can do to another by what it sends: nothing that grows, nothing that stays. */
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../platform/index.ts';
import {
  type Attestation,
  encodeVertex,
  genesisVertexHash,
  type ParentRef,
  toEpoch,
  toHash,
  toMemberIndex,
  toRound,
  toWaveId,
  type UnsignedVertex,
  vertexHash,
} from '../types/index.ts';
import { type Equivocation, EvidenceRecords, MAX_EVIDENCE_PER_AUTHOR } from './equivocation.ts';
import { encodeRefs, encodeRounds, type VertexRef } from './fetch-message.ts';
import { frameMessage, type MessageKind, openMessage } from './message.ts';
import {
  CHAIN_ID,
  GENESIS_MS,
  nameOf,
  START,
  signVertex,
  TestMember,
  testCommittee,
  testSigner,
} from './testing.ts';
import { MAX_BUFFERED_PER_AUTHOR } from './vertex-buffer.ts';

const signers = [0, 1, 2, 3].map((seat) => testSigner(seat));
const genesisParents: ParentRef[] = [0, 1, 2, 3].map((seat) => ({
  author: toMemberIndex(seat),
  name: genesisVertexHash(START, toEpoch(0), toMemberIndex(seat)),
}));
const invented = (label: string): ParentRef[] =>
  [0, 1, 2].map((seat) => ({ author: toMemberIndex(seat), name: nameOf(`${label} ${seat}`) }));

function make(author: number, round: number, changes: Partial<UnsignedVertex> = {}) {
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
  const ref: VertexRef = { ...unsigned, name: vertexHash(unsigned) };
  return { ref, bytes: encodeVertex(signVertex(unsigned, signer)) };
}

async function open(): Promise<TestMember> {
  const clock = new ManualClock(Number(GENESIS_MS) + 10);
  const member = await TestMember.open({ committee: testCommittee(4), self: undefined, clock });
  await member.step({ kind: 'start' });
  return member;
}

const send = (member: TestMember, kind: MessageKind, bytes: Uint8Array, from = 1) =>
  member.step({ kind: 'message', bytes: frameMessage(kind, bytes), from: toMemberIndex(from) });

async function evidenceOf(member: TestMember): Promise<Equivocation[]> {
  const kept: Equivocation[] = [];
  for await (const evidence of new EvidenceRecords(member.store).all()) kept.push(evidence);
  return kept;
}

describe('evidence', () => {
  it('is kept of two vertices of one author and round, once, and told', async () => {
    const member = await open();
    const first = make(1, 1);
    const second = make(1, 1, { timestampMs: GENESIS_MS + 1n });
    await send(member, 'vertex', first.bytes);
    for (let i = 0; i < 3; i++) await send(member, 'vertex', second.bytes, 2);
    await send(member, 'vertex', make(1, 1, { timestampMs: GENESIS_MS + 2n }).bytes);
    const expected = {
      kind: 'vertex',
      author: 1,
      at: 1n,
      first: first.bytes,
      second: second.bytes,
    };
    expect(member.evidence).toMatchObject([expected]);
    expect(await evidenceOf(member)).toMatchObject([expected]);
    // The second was refused all the same.
    expect(member.machine.status.refused.get('consensus.second-vertex')).toBe(4);
  });

  it('is not made of a vertex that its author did not sign', async () => {
    const member = await open();
    await send(member, 'vertex', make(1, 1).bytes);
    const { bytes } = make(1, 1, { timestampMs: GENESIS_MS + 1n });
    bytes[bytes.length - 300] = (bytes[bytes.length - 300] ?? 0) ^ 1;
    await send(member, 'vertex', bytes);
    expect(member.evidence).toEqual([]);
    expect(member.machine.status.refused.get('consensus.signature')).toBe(1);
  });

  it('is kept of two digests of one wave, in the vertices that attest them', async () => {
    const member = await open();
    const attest = (label: string): Attestation => {
      const digest = toHash(nameOf(label));
      const signature = signers[1]?.sign(digest);
      if (signature === undefined) throw new Error('no signer');
      return { waveId: toWaveId(1n), digest, signature };
    };
    const first = [1, 2, 3].map((seat) =>
      make(seat, 1, seat === 1 ? { attestations: [attest('one')] } : {}),
    );
    for (const { bytes } of first) await send(member, 'vertex', bytes);
    const parents = first.map(({ ref: { author, name } }) => ({ author, name }));
    const second = make(1, 2, { parents, attestations: [attest('other')] });
    await send(member, 'vertex', second.bytes);
    expect(await evidenceOf(member)).toMatchObject([
      { kind: 'attestation', author: 1, at: 1n, first: first[0]?.bytes, second: second.bytes },
    ]);
    expect(member.evidence.length).toBe(1);
  });

  it('is kept of two digests of one wave in one vertex, which is both halves of it', async () => {
    const member = await open();
    const attest = (label: string): Attestation => {
      const digest = toHash(nameOf(label));
      const signature = signers[1]?.sign(digest);
      if (signature === undefined) throw new Error('no signer');
      return { waveId: toWaveId(1n), digest, signature };
    };
    const both = make(1, 1, { attestations: [attest('one'), attest('other')] });
    await send(member, 'vertex', both.bytes);
    const expected = { kind: 'attestation', author: 1, at: 1n, first: both.bytes };
    expect(await evidenceOf(member)).toMatchObject([{ ...expected, second: both.bytes }]);
    expect(member.evidence.length).toBe(1);
  });

  it('is bounded for each author', async () => {
    const member = await open();
    for (let round = 2; round < 12; round++) {
      const parents = invented(`${round}`);
      await send(member, 'vertex', make(1, round, { parents }).bytes);
      await send(member, 'vertex', make(1, round, { parents, timestampMs: GENESIS_MS + 1n }).bytes);
    }
    expect((await evidenceOf(member)).length).toBe(MAX_EVIDENCE_PER_AUTHOR);
    expect(member.machine.status.bufferedVertices).toBe(10);
  });
});

describe('a member that floods', () => {
  it('fills its own share of the buffer and no more, and others get in', async () => {
    const member = await open();
    for (let round = 2; round <= 60; round++) {
      await send(member, 'vertex', make(1, round, { parents: invented(`${round}`) }).bytes);
    }
    const { bufferedVertices, missing } = member.machine.status;
    expect(bufferedVertices).toBe(MAX_BUFFERED_PER_AUTHOR);
    expect(missing).toBe(3 * MAX_BUFFERED_PER_AUTHOR);
    for (const seat of [0, 2, 3]) await send(member, 'vertex', make(seat, 1).bytes, seat);
    expect(member.machine.status.highestRound).toBe(1);
    expect(member.machine.status.bufferedVertices).toBe(MAX_BUFFERED_PER_AUTHOR);
  });

  it('gets no answer to what it was not asked, nor more than it may draw', async () => {
    const member = await open();
    const vertex = make(1, 1);
    await send(member, 'vertex', vertex.bytes);
    const rounds = encodeRounds({ complete: true, vertices: [make(2, 1).bytes] });
    await send(member, 'rounds', rounds, 2);
    expect(member.machine.status.highestRound).toBe(1);
    expect(member.machine.status.refused.get('consensus.message')).toBe(1);
    const want = encodeRefs(Array.from({ length: 256 }, () => vertex.ref));
    let drawn = 0;
    for (let i = 0; i < 400; i++) {
      for (const effect of await send(member, 'want-vertices', want, 3)) {
        if (effect.kind === 'send') drawn += effect.message.length;
      }
    }
    expect(drawn).toBeGreaterThan(256 * vertex.bytes.length);
    expect(drawn).toBeLessThanOrEqual(33 * 1024 * 1024);
    // Another member is served, and this one again after a while.
    expect((await send(member, 'want-vertices', want, 2)).length).toBeGreaterThan(0);
    member.clock.advance(100);
    expect((await send(member, 'want-vertices', want, 3)).length).toBeGreaterThan(0);
  });
});

describe('vertices that come together', () => {
  it('are taken in as one by one, with one write for all', async () => {
    const [together, alone] = [await open(), await open()];
    const made = [1, 2, 3].map((seat) => make(seat, 1));
    const second = make(1, 1, { timestampMs: GENESIS_MS + 1n });
    const messages = [...made, second].map(({ bytes }) => {
      return { from: toMemberIndex(1), bytes: frameMessage('vertex', bytes) };
    });
    const effects = await together.step({ kind: 'vertices', messages });
    for (const message of messages) await alone.step({ kind: 'message', ...message });
    expect(effects.filter(({ kind }) => kind === 'persist').length).toBe(1);
    expect(together.machine.status).toEqual(alone.machine.status);
    expect(together.machine.status.highestRound).toBe(1);
    expect(together.machine.status.refused.get('consensus.second-vertex')).toBe(1);
    expect(await evidenceOf(together)).toEqual(await evidenceOf(alone));
  });
});

describe('what was accepted', () => {
  it('is told to whoever asks, and nothing else', async () => {
    const member = await open();
    const vertex = make(1, 1);
    await send(member, 'vertex', vertex.bytes);
    const waiting = make(2, 5, { parents: invented('5') });
    await send(member, 'vertex', waiting.bytes);
    const asked = [vertex.ref, waiting.ref, { ...vertex.ref, name: nameOf('x') }];
    const effects = await send(member, 'want-accepted', encodeRefs(asked), 3);
    const answers = effects.flatMap((e) =>
      e.kind === 'send' && e.member === 3 ? [e.message] : [],
    );
    const opened = answers.map(openMessage).filter(({ kind }) => kind === 'accepted');
    expect(opened.map(({ bytes }) => bytes)).toEqual([encodeRefs([vertex.ref])]);
  });
});
