import { describe, expect, it } from 'vitest';
import {
  toBatchHash,
  toEpoch,
  toFalconSignature,
  toMemberIndex,
  toRound,
  type Vertex,
} from '../types/index.ts';
import { decodeHashes, decodeRefs, type VertexRef } from './fetch-message.ts';
import { openMessage } from './message.ts';
import {
  ASK_AGAIN_MS,
  ASK_NEXT_MS,
  type DagEdges,
  MAX_REQUESTS_IN_FLIGHT,
  Synchroniser,
  UNSERVED_ATTEMPTS,
} from './synchroniser.ts';
import { CHAIN_ID, nameOf } from './testing.ts';
import { VertexBuffer } from './vertex-buffer.ts';

const signature = toFalconSignature(Uint8Array.of(0x39, ...new Uint8Array(665)));

const refOf = (round: number, label: string): VertexRef => ({
  round: toRound(round),
  author: toMemberIndex(0),
  name: nameOf(label),
});

function vertexOf(author: number, round: number): Vertex {
  return {
    chainId: CHAIN_ID,
    epoch: toEpoch(0),
    round: toRound(round),
    author: toMemberIndex(author),
    timestampMs: 0n,
    parents: [],
    weakParents: [],
    batches: [],
    attestations: [],
    signature,
  };
}

/** Seat 0 of a committee whose DAG is empty above round 99. */
class Asking {
  readonly vouched: VertexRef[] = [];
  readonly edges: DagEdges = { highestRound: 100, lowestRound: 20, gcRound: 50 };
  readonly synchroniser: Synchroniser;
  readonly buffer: VertexBuffer;

  constructor(size = 7, witnesses = 3) {
    this.synchroniser = new Synchroniser({
      ...{ size, witnesses, self: toMemberIndex(0) },
      edges: () => this.edges,
      onVouched: (ref) => {
        this.vouched.push(ref);
        this.buffer.holdVertex(ref);
      },
    });
    this.buffer = new VertexBuffer(this.synchroniser);
  }

  /** A vertex of `author` that was sent by `from` and misses these. */
  child(author: number, missing: readonly VertexRef[], from = author, round = 101): void {
    const name = nameOf(`child ${author}/${round}/${missing.length}`);
    const vertex = { ...vertexOf(author, round), weakParents: missing };
    this.buffer.add({ vertex, name }, toMemberIndex(from), missing, []);
  }

  /** What is sent at a time: to whom, and how many names. */
  poll(nowMs: number): (readonly [to: number | undefined, kind: string, names: number])[] {
    return this.synchroniser.poll(nowMs).map(({ to, message }) => {
      const { kind, bytes } = openMessage(message);
      const names = kind === 'want-batches' ? decodeHashes(bytes) : decodeRefs(bytes);
      return [to, kind, names.length];
    });
  }
}

describe('what a waiting vertex misses', () => {
  it('is asked of its sender at once, then of authors of children, then of the rest', () => {
    const asking = new Asking(5);
    asking.child(3, [refOf(100, 'a')], 2);
    asking.child(1, [refOf(100, 'a')], 2);
    expect(asking.poll(0)).toEqual([[2, 'want-vertices', 1]]);
    expect(asking.poll(ASK_NEXT_MS - 1)).toEqual([]);
    expect(asking.synchroniser.nextDueMs).toBe(ASK_NEXT_MS);
    expect([1, 2, 3].map((i) => asking.poll(i * ASK_NEXT_MS)[0]?.[0])).toEqual([3, 1, 4]);
    // All were asked: it rests, and begins anew.
    expect(asking.poll(4 * ASK_NEXT_MS)).toEqual([]);
    expect(asking.poll(4 * ASK_NEXT_MS + ASK_AGAIN_MS)[0]?.[0]).toBe(2);
  });

  it('is asked together, vertices and batches apart, and no more once it is held or given up', () => {
    const asking = new Asking();
    const batch = { hash: toBatchHash(nameOf('batch')), bytes: 1, count: 1 };
    const missing = [refOf(100, 'a'), refOf(100, 'b')];
    const vertex = { ...vertexOf(2, 101), weakParents: missing, batches: [batch] };
    const child = { vertex, name: nameOf('child') };
    asking.buffer.add(child, toMemberIndex(2), missing, [batch]);
    expect(asking.poll(0)).toEqual([
      [2, 'want-vertices', 2],
      [2, 'want-batches', 1],
    ]);
    asking.buffer.holdVertex(refOf(100, 'a'));
    asking.buffer.holdBatch(batch.hash);
    expect(asking.synchroniser.requestsInFlight).toBe(1);
    asking.buffer.dropBelow(102);
    expect(asking.synchroniser.requestsInFlight).toBe(0);
    expect(asking.synchroniser.wanted).toBe(0);
    expect(asking.poll(ASK_NEXT_MS)).toEqual([]);
  });

  it('fills at most eight requests, and those of a member that invents come last', () => {
    const asking = new Asking(13);
    for (let author = 1; author <= 12; author++) {
      asking.child(author, [refOf(100, `invented ${author}`)]);
    }
    expect(asking.poll(0).length).toBe(MAX_REQUESTS_IN_FLIGHT);
    expect(asking.poll(1)).toEqual([]);
    // The first eight found nothing: the four others are asked before they are again.
    expect(
      asking
        .poll(ASK_NEXT_MS)
        .slice(0, 4)
        .map(([to]) => to),
    ).toEqual([9, 10, 11, 12]);
    asking.child(12, [refOf(99, 'real')], 5, 100);
    asking.buffer.holdVertex(refOf(100, 'invented 12'));
    expect(asking.poll(ASK_NEXT_MS + 1)).toEqual([[5, 'want-vertices', 1]]);
  });

  it('far above the DAG is asked for only when the DAG has come near', () => {
    const asking = new Asking();
    asking.child(2, [refOf(110, 'far')], 2, 111);
    expect(asking.poll(0)).toEqual([]);
    Object.assign(asking.edges, { highestRound: 108 });
    expect(asking.poll(1)).toEqual([[2, 'want-vertices', 1]]);
  });
});

describe('an ancestor at the edge', () => {
  const old = refOf(50, 'old');

  it('that several did not serve counts as held once f + 1 members accepted it', () => {
    const asking = new Asking();
    asking.child(2, [old], 2, 51);
    for (let i = 0; i < UNSERVED_ATTEMPTS; i++) {
      expect(asking.poll(i * ASK_NEXT_MS).map(([, kind]) => kind)).toEqual(['want-vertices']);
    }
    const kinds = asking.poll(UNSERVED_ATTEMPTS * ASK_NEXT_MS).map(([to, kind]) => [to, kind]);
    expect(kinds).toContainEqual([undefined, 'want-accepted']);
    for (const by of [1, 1, 1, 3]) asking.synchroniser.accepted([old], toMemberIndex(by));
    expect(asking.vouched).toEqual([]);
    asking.synchroniser.accepted([refOf(50, 'another'), old], toMemberIndex(4));
    expect(asking.vouched).toEqual([old]);
    expect(asking.synchroniser.wanted).toBe(0);
  });

  it('below what is kept is never fetched, and above the GC round only fetched', () => {
    const asking = new Asking();
    asking.child(2, [refOf(20, 'gone')], 2, 21);
    expect(asking.poll(0)).toEqual([[undefined, 'want-accepted', 1]]);
    const other = new Asking();
    other.child(2, [refOf(51, 'invented')], 2, 52);
    for (let i = 0; i < 40; i++) {
      const sent = other.poll(i * ASK_NEXT_MS);
      expect(sent.every(([, kind]) => kind === 'want-vertices')).toBe(true);
    }
    for (let by = 1; by < 7; by++) {
      other.synchroniser.accepted([refOf(51, 'invented')], toMemberIndex(by));
    }
    expect(other.vouched).toEqual([]);
  });
});
