import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BatchRef,
  toBatchHash,
  toEpoch,
  toFalconSignature,
  toMemberIndex,
  toRound,
  type WeakParentRef,
} from '../types/index.ts';
import { CHAIN_ID, nameOf } from './testing.ts';
import {
  type BufferedVertex,
  MAX_BUFFERED_PER_AUTHOR,
  type Missing,
  VertexBuffer,
} from './vertex-buffer.ts';

const signature = toFalconSignature(Uint8Array.of(0x39, ...new Uint8Array(665)));
const sender = toMemberIndex(3);
const FAR = 1_000_000n;

const refOf = (author: number, round: number): WeakParentRef => ({
  round: toRound(round),
  author: toMemberIndex(author),
  name: nameOf(`${author}/${round}`),
});
const weak = { author: toMemberIndex(2), name: nameOf('weak'), round: toRound(3) };

function entry(author: number, round: number, parent = refOf(1, round - 1)): BufferedVertex {
  return {
    name: nameOf(`${author}/${round}`),
    vertex: {
      chainId: CHAIN_ID,
      epoch: toEpoch(0),
      round: toRound(round),
      author: toMemberIndex(author),
      timestampMs: BigInt(round),
      parents: [{ author: parent.author, name: parent.name }],
      weakParents: [weak],
      batches: [{ hash: toBatchHash(nameOf(`batch ${author}/${round}`)), bytes: 1, count: 1 }],
      attestations: [],
      signature,
    },
  };
}

/** What is missing now, as the observer was told. */
class Told {
  readonly missing = new Set<Missing>();
  readonly buffer = new VertexBuffer({
    want: (missing) => {
      expect(this.missing.has(missing)).toBe(false);
      expect(missing.children.size).toBeGreaterThan(0);
      this.missing.add(missing);
    },
    settle: (missing) => expect(this.missing.delete(missing)).toBe(true),
  });

  add(added: BufferedVertex, missing: WeakParentRef[] = [], batches: readonly BatchRef[] = []) {
    return this.buffer.add(added, sender, missing, batches);
  }

  /** Takes out all that is ready, as author/round. */
  drain(latestMs = FAR): string[] {
    const taken: string[] = [];
    for (;;) {
      const child = this.buffer.nextWhole(latestMs);
      if (child === undefined) return taken;
      this.buffer.take(child);
      taken.push(`${child.vertex.author}/${child.vertex.round}`);
      this.buffer.holdVertex({ ...child.vertex, name: child.name });
    }
  }
}

describe('the buffer of vertices', () => {
  it('gives up whole vertices lowest round first, those that became whole meanwhile included', () => {
    const told = new Told();
    told.add(entry(1, 7), [refOf(1, 6)]);
    told.add(entry(2, 6), [refOf(1, 5)]);
    told.add(entry(1, 6), [refOf(1, 5)]);
    told.add(entry(0, 9));
    expect(told.drain()).toEqual(['0/9']);
    told.buffer.holdVertex(refOf(1, 5));
    expect(told.drain()).toEqual(['2/6', '1/6', '1/7']);
    expect(told.buffer.size).toBe(0);
    expect(told.missing.size).toBe(0);
  });

  it('waits for every ancestor and every batch', () => {
    const told = new Told();
    const waiting = entry(0, 9);
    const { batches } = waiting.vertex;
    told.add(waiting, [refOf(1, 8), weak], batches);
    expect([...told.missing].map(({ kind }) => kind)).toEqual(['vertex', 'vertex', 'batch']);
    told.buffer.holdVertex(weak);
    told.buffer.holdVertex(refOf(1, 8));
    expect(told.drain()).toEqual([]);
    for (const { hash } of batches) told.buffer.holdBatch(hash);
    expect(told.buffer.nextWhole(FAR)?.name).toEqual(waiting.name);
    // A batch may go again before the vertex is accepted.
    const child = told.buffer.nextWhole(FAR);
    if (child === undefined) throw new Error('one is whole');
    told.buffer.missBatches(child, batches);
    expect(told.drain()).toEqual([]);
    for (const { hash } of batches) told.buffer.holdBatch(hash);
    expect(told.drain()).toEqual(['0/9']);
  });

  it('knows what is needed by place and name, and by whom', () => {
    const { buffer, missing, ...told } = new Told();
    buffer.add(entry(0, 9), sender, [refOf(1, 8), weak], entry(0, 9).vertex.batches);
    expect(told).toBeDefined();
    expect(buffer.needs(refOf(1, 8))).toBe(true);
    expect(buffer.needs({ ...refOf(1, 8), round: toRound(7) })).toBe(false);
    expect(buffer.needs({ ...refOf(1, 8), author: toMemberIndex(2) })).toBe(false);
    expect(buffer.needs(weak)).toBe(true);
    expect(buffer.get(9, 0)?.name).toEqual(nameOf('0/9'));
    const ref = { round: toRound(9), author: toMemberIndex(0), name: nameOf('0/9') };
    expect(buffer.find(ref)?.vertex.round).toBe(9);
    expect(buffer.find({ ...ref, author: toMemberIndex(1) })).toBeUndefined();
    expect([...missing].every(({ children }) => [...children][0]?.from === sender)).toBe(true);
  });

  it('holds a bounded number of each author, lets the highest round go, and what it missed', () => {
    const told = new Told();
    for (let round = 1; round <= MAX_BUFFERED_PER_AUTHOR; round++) {
      expect(told.add(entry(0, 2 * round), [refOf(1, 2 * round - 1)])).toBeUndefined();
    }
    const high = entry(0, 10_000);
    expect(told.add(high, [refOf(1, 9_999)])).toBe(high);
    expect(told.missing.size).toBe(MAX_BUFFERED_PER_AUTHOR);
    expect(told.add(entry(0, 3), [refOf(1, 2)])?.vertex.round).toBe(2 * MAX_BUFFERED_PER_AUTHOR);
    expect(told.missing.size).toBe(MAX_BUFFERED_PER_AUTHOR);
    expect(told.buffer.needs(refOf(1, 2 * MAX_BUFFERED_PER_AUTHOR - 1))).toBe(false);
    expect(told.add(entry(1, 9))).toBeUndefined();
    expect(told.buffer.size).toBe(MAX_BUFFERED_PER_AUTHOR + 1);
  });

  it('misses nothing that waits here itself, until that loses its place', () => {
    const told = new Told();
    const wanted = (): unknown[] =>
      [...told.missing].map((missing) => missing.kind === 'vertex' && missing.ref);
    // Of the chain of one author's vertices only the lowest misses something.
    for (const round of [3, 5, 4, 6]) {
      const parent = refOf(0, round - 1);
      told.add(entry(0, round, parent), [parent]);
    }
    expect(wanted()).toEqual([refOf(0, 2)]);
    // Same name, another place: that vertex can never come.
    const elsewhere = { ...refOf(0, 3), round: toRound(8) };
    told.add(entry(1, 9, elsewhere), [elsewhere]);
    expect(wanted()).toEqual([refOf(0, 2), elsewhere]);
    told.buffer.dropBelow(4);
    expect(wanted()).toEqual([elsewhere, refOf(0, 3)]);
  });

  it('keeps room for what vertices of others need, however many of its author wait', () => {
    const told = new Told();
    // Nothing of it can ever be accepted, and all of it is lower than what others need.
    for (let round = 2; round < 2 + MAX_BUFFERED_PER_AUTHOR; round++) {
      told.add(entry(0, round), [{ ...weak, name: nameOf(`invented ${round}`) }]);
    }
    const rounds = [100, 99, 98, 97];
    told.add(entry(1, 101, refOf(0, 100)), [refOf(0, 100)]);
    for (const round of rounds) {
      const parent = refOf(0, round - 1);
      expect(told.add(entry(0, round, parent), [parent])).toBeUndefined();
    }
    expect(told.buffer.size).toBe(MAX_BUFFERED_PER_AUTHOR + 5);
    told.buffer.holdVertex(refOf(0, 96));
    expect(told.drain()).toEqual(['0/97', '0/98', '0/99', '0/100', '1/101']);
    // Its own places are as full as before.
    const own = entry(0, 103);
    expect(told.add(own, [refOf(0, 102)])).toBe(own);
  });

  it('holds a bounded number of what a vertex needs', () => {
    const told = new Told();
    const needed = Array.from({ length: 2 * MAX_BUFFERED_PER_AUTHOR }, (_, i) => refOf(0, i + 2));
    told.add(entry(1, 200), needed);
    for (const { round } of needed) told.add(entry(0, round), [refOf(2, round - 1)]);
    expect(told.buffer.size).toBe(2 * MAX_BUFFERED_PER_AUTHOR);
  });

  it('makes room for a vertex that misses nothing, however high its round', () => {
    const told = new Told();
    for (let round = 2; round < 2 + MAX_BUFFERED_PER_AUTHOR; round++) {
      told.add(entry(0, round), [refOf(1, round - 1)]);
    }
    expect(told.add(entry(0, 10_000))?.vertex.round).toBe(1 + MAX_BUFFERED_PER_AUTHOR);
    expect(told.buffer.size).toBe(MAX_BUFFERED_PER_AUTHOR);
    expect(told.drain()).toEqual(['0/10000']);
  });

  it('keeps what lies ahead of the clock, and says when the next of it is due', () => {
    const told = new Told();
    for (const round of [9, 5, 8]) told.add(entry(0, round));
    expect(told.drain(5n)).toEqual(['0/5']);
    expect(told.buffer.nextTimestampMs).toBe(8n);
    expect(told.drain(8n)).toEqual(['0/8']);
    told.buffer.dropBelow(10);
    expect(told.buffer.nextTimestampMs).toBeUndefined();
    expect(told.buffer.size).toBe(0);
  });

  it('is told of a missing thing once and of its end once, whatever the order', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        author: fc.nat(3),
        round: fc.integer({ min: 2, max: 9 }),
      }),
      fc.record({ kind: fc.constant('hold' as const), round: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ kind: fc.constant('drop' as const), round: fc.integer({ min: 2, max: 9 }) }),
      fc.record({ kind: fc.constant('drain' as const), round: fc.constant(2) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const told = new Told();
        for (const { kind, round, ...rest } of steps) {
          const author = 'author' in rest ? rest.author : 0;
          const added = entry(author, round);
          if (
            kind === 'add' &&
            told.buffer.find({ ...added.vertex, name: added.name }) === undefined
          ) {
            told.add(added, [refOf(1, round - 1), weak], added.vertex.batches);
          } else if (kind === 'hold') {
            told.buffer.holdVertex(refOf(1, round));
            told.buffer.holdVertex(weak);
            for (let of = 0; of < 4; of++) {
              for (const { hash } of entry(of, round).vertex.batches) told.buffer.holdBatch(hash);
            }
          } else if (kind === 'drop') told.buffer.dropBelow(round);
          else told.drain();
        }
        told.buffer.dropBelow(100);
        return told.missing.size === 0 && told.buffer.size === 0;
      }),
    );
  });
});
