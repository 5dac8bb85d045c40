import { beforeAll, describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { falconVerifyBatch } from '../crypto/index.ts';
import { MemoryStore } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import {
  encodeVertex,
  genesisVertexHash,
  toEpoch,
  toHash,
  toMemberIndex,
  toRound,
  vertexHash,
} from '../types/index.ts';
import {
  checkNewest,
  LEAST_ANSWER_GAP_MS,
  NewestAnswers,
  type NewestHeld,
} from './newest-answers.ts';
import { decodeNewest, encodeNewest, encodeWantNewest } from './newest-message.ts';
import { OwnStore, StandingRecords } from './standing-records.ts';
import { CHAIN_ID, GENESIS_MS, START, signVertex, testCommittee, testSigner } from './testing.ts';

const committee = testCommittee(4);
const signers = [0, 1, 2, 3].map((seat) => testSigner(seat));
const epoch = toEpoch(0);
const asker = toMemberIndex(0);
const answerer = toMemberIndex(1);
const hash = (fill: number) => toHash(new Uint8Array(32).fill(fill));
const nonce = hash(7);
const ask = encodeWantNewest({ nonce, storeId: hash(1) });
const rules = { chainId: CHAIN_ID, committee, self: asker, nonce, verify: falconVerifyBatch };

function vertexOf(author: number, round = 1) {
  const signer = signers[author];
  if (signer === undefined) throw new Error('there are four signers');
  const unsigned = {
    chainId: CHAIN_ID,
    epoch,
    round: toRound(round),
    author: toMemberIndex(author),
    timestampMs: GENESIS_MS,
    parents: [0, 1, 2, 3].map((seat) => ({
      author: toMemberIndex(seat),
      name: genesisVertexHash(START, epoch, toMemberIndex(seat)),
    })),
    weakParents: [],
    batches: [],
    attestations: [],
  };
  return { name: vertexHash(unsigned), bytes: encodeVertex(signVertex(unsigned, signer)) };
}
const own = vertexOf(1);
const yours = vertexOf(0);
const held: NewestHeld = { standing: 'whole', own: own.bytes, yours: yours.bytes };

function answersOf(seat: number, store = new MemoryStore()) {
  const signer = signers[seat];
  if (signer === undefined) throw new Error('there are four signers');
  const member = { chainId: CHAIN_ID, committee, self: toMemberIndex(seat), signer };
  return new NewestAnswers(member, new StandingRecords(store));
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (error) {
    return isPydeError(error) ? error.code : `defect: ${error}`;
  }
}

describe('an answer', () => {
  let good: Uint8Array;
  beforeAll(() => {
    const given = answersOf(1).answer(asker, ask, held, 0);
    if (given === undefined) throw new Error('the first question is answered');
    good = given.newest;
  });

  it('shows the newest own vertex and the copy, checked', () => {
    const { answer, vertex } = checkNewest(answerer, good, rules);
    expect(answer.own).toEqual({ round: 1, author: 1, name: own.name });
    expect(answer.yours).toEqual({ round: 1, author: 0, name: yours.name });
    expect(answer).toMatchObject({ epoch, standing: 'whole', otherStore: false });
    expect(vertex).toEqual(own.bytes);
  });

  it('survives its encoding', () => {
    expect(encodeNewest(decodeNewest(good))).toEqual(good);
  });

  it('to another question, member or chain, or of another member, is refused', () => {
    const refusal = (change: object, from = answerer): string =>
      codeOf(() => checkNewest(from, good, { ...rules, ...change }));
    expect(refusal({ nonce: hash(8) })).toBe('consensus.nonce');
    expect(refusal({ self: toMemberIndex(2) })).toBe('consensus.signature');
    expect(refusal({ chainId: 1n })).toBe('consensus.signature');
    expect(refusal({}, toMemberIndex(2))).toBe('consensus.signature');
    expect(refusal({}, asker)).toBe('consensus.author');
    expect(refusal({}, toMemberIndex(9))).toBe('consensus.author');
  });

  it('with any word changed is refused', () => {
    const newest = decodeNewest(good);
    for (const change of [
      { standing: 'lost' as const },
      { otherStore: true },
      { own: undefined },
      { yours: undefined },
      { epoch: toEpoch(1) },
    ]) {
      const bent = encodeNewest({ ...newest, ...change });
      expect(codeOf(() => checkNewest(answerer, bent, rules))).toBe('consensus.signature');
    }
  });

  it('that shows vertices of others is refused, signed as it may be', () => {
    const lie = (change: Partial<NewestHeld>): string => {
      const given = answersOf(1).answer(asker, ask, { ...held, ...change }, 0);
      return codeOf(() => checkNewest(answerer, given?.newest ?? good, rules));
    };
    expect(lie({ own: vertexOf(2).bytes })).toBe('consensus.author');
    expect(lie({ yours: vertexOf(2).bytes })).toBe('consensus.author');
    const forged = own.bytes.slice();
    forged[forged.length - 5] = (forged[forged.length - 5] ?? 0) ^ 1;
    expect(lie({ own: forged })).toBe('consensus.signature');
    expect(lie({ own: Uint8Array.of(1, 2, 3) })).toMatch(/^borsh\./);
  });

  it('about another epoch has no vertices that say anything here', () => {
    const later = { ...committee, epoch: toEpoch(1) };
    const { answer, vertex } = checkNewest(answerer, good, { ...rules, committee: later });
    expect(answer).toMatchObject({ epoch: 0, own: undefined, yours: undefined });
    expect(vertex).toBeUndefined();
  });
});

describe('answering', () => {
  it('keeps the first store that it sees of a member, and tells when it is another', async () => {
    const store = new MemoryStore();
    const first = answersOf(1, store).answer(asker, ask, held, 0);
    expect(first?.writes.length).toBe(1);
    await store.batch(first?.writes ?? []);
    const otherAsk = encodeWantNewest({ nonce, storeId: hash(2) });
    for (const [bytes, isOther] of [
      [ask, false],
      [otherAsk, true],
      [ask, false],
    ] as const) {
      const again = answersOf(1, store).answer(asker, bytes, held, 0);
      expect(again?.writes).toEqual([]);
      expect(decodeNewest(again?.newest ?? new Uint8Array()).otherStore).toBe(isOther);
    }
    const member = toMemberIndex(2);
    const elsewhere = answersOf(1, store).answer(member, otherAsk, held, 0);
    expect(decodeNewest(elsewhere?.newest ?? new Uint8Array()).otherStore).toBe(false);
  });

  it('goes to one member no more often than the gap allows', () => {
    const answers = answersOf(1);
    expect(answers.answer(asker, ask, held, 0)).toBeDefined();
    expect(answers.answer(asker, ask, held, LEAST_ANSWER_GAP_MS - 1)).toBeUndefined();
    expect(answers.answer(toMemberIndex(2), ask, held, 1)).toBeDefined();
    expect(answers.answer(asker, ask, held, LEAST_ANSWER_GAP_MS)).toBeDefined();
  });

  it('goes to members alone', () => {
    for (const from of [1, 4]) {
      const run = () => answersOf(1).answer(toMemberIndex(from), ask, held, 0);
      expect(codeOf(run)).toBe('consensus.author');
    }
  });
});

describe('the standing of a store', () => {
  const random = { bytes: (length: number) => new Uint8Array(length).fill(9) };
  const open = (store: MemoryStore, hasOwn = false, isRestored = false) =>
    new OwnStore(store, random, { hasOwn, isRestored });

  it('is new when it is empty, whole when it holds own vertices, lost when it was put back', () => {
    expect(open(new MemoryStore())).toMatchObject({ standing: 'new', id: hash(9) });
    expect(open(new MemoryStore(), true).standing).toBe('whole');
    expect(open(new MemoryStore(), true, true).standing).toBe('lost');
  });

  it('is kept, with the id, when it changes and only then', async () => {
    const store = new MemoryStore();
    const records = new StandingRecords(store);
    const first = open(store);
    const writes = first.takeWrites();
    expect(writes.length).toBe(1);
    expect(first.takeWrites()).toEqual([]);
    await store.batch(writes);
    expect(records.store()).toEqual({ standing: 'new', id: hash(9) });
    first.standing = 'lost';
    await store.batch(first.takeWrites());
    const second = open(store, true);
    expect(second).toMatchObject({ standing: 'lost', id: hash(9) });
    expect(second.takeWrites()).toEqual([]);
    second.standing = 'whole';
    await store.batch(second.takeWrites());
    expect(open(store).standing).toBe('whole');
    const restored = open(store, true, true);
    expect(restored.standing).toBe('lost');
    expect(restored.takeWrites().length).toBe(1);
  });

  it('that is damaged is not taken for an empty one', async () => {
    const store = new MemoryStore();
    const key = new TextEncoder().encode('store');
    await store.batch([new Table(store, TABLE.consensus).put(key, Uint8Array.of(7))]);
    expect(codeOf(() => open(store))).toMatch(/^borsh\./);
  });
});
