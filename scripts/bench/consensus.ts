/**
 * The commit rule at full size: vertices of a committee of 128 are inserted one by one, the slots
 * judged after each, the waves of committed anchors taken, and old rounds dropped. Signatures and
 * decoding are left out: a member checks each vertex once, wherever that is done. For comparison,
 * the same with four members. Timed by what the thread used of its processor.
 */
import { judgeSlots } from '../../core/src/consensus/base-committer.ts';
import { Dag } from '../../core/src/consensus/dag.ts';
import { gcRoundAfter, takeWaveVertices } from '../../core/src/consensus/linearizer.ts';
import { blake3 } from '../../core/src/crypto/index.ts';
import { quorum } from '../../core/src/finality/index.ts';
import {
  genesisVertexHash,
  type MemberIndex,
  type ParentRef,
  toEpoch,
  toHash,
  toMemberIndex,
  toRound,
  toVertexHash,
  type UnsignedVertex,
  type VertexHash,
} from '../../core/src/types/index.ts';
import type { Row } from '../bench.ts';
import { median } from './rate.ts';

const ROUNDS = 160;
const GC_ROUNDS = 60;
const RUNS = 5;
const START = toHash(new Uint8Array(32));
const EPOCH = toEpoch(0);

interface Named {
  readonly vertex: UnsignedVertex;
  readonly name: VertexHash;
}

export function run(): Promise<Row[]> {
  const small = measure(4);
  const large = measure(128);
  return Promise.resolve([
    {
      name: 'committer: vertices inserted and decided, n = 128',
      value: large,
      unit: 'vertices/s',
      comparedWith: 'n = 4',
      ratio: large / small,
    },
    { name: 'committer: vertices inserted and decided, n = 4', value: small, unit: 'vertices/s' },
  ]);
}

/** Vertices a second, the median of several runs over the same vertices. */
function measure(size: number): number {
  const vertices = makeVertices(size, Math.ceil((ROUNDS * 128) / size));
  const rates = Array.from({ length: RUNS }, () => {
    const started = process.threadCpuUsage();
    const committed = decideAll(size, vertices);
    const { user, system } = process.threadCpuUsage(started);
    const seconds = (user + system) / 1e6;
    if (committed < vertices.length / size / 2) throw new Error(`only ${committed} anchors`);
    return vertices.length / seconds;
  });
  return median(rates);
}

/** How many anchors were committed. */
function decideAll(size: number, vertices: readonly Named[]): number {
  const q = quorum(size);
  const dag = new Dag(
    {
      schedule: { anchorOf: (round) => toMemberIndex((round * 31) % size) },
      ...{ size, quorum: q, epoch: EPOCH, start: START, startTimestampMs: 0n },
    },
    0,
  );
  let nextSlot = 1;
  let prior = 0;
  let committed = 0;
  for (const { vertex, name } of vertices) {
    dag.insert(vertex, name);
    for (const verdict of judgeSlots(dag, q, nextSlot)) {
      if (verdict.kind === 'undecided') break;
      nextSlot++;
      if (verdict.kind === 'skip') continue;
      takeWaveVertices(dag, verdict.anchor, gcRoundAfter(prior, GC_ROUNDS));
      prior = verdict.anchor.round;
      committed++;
      dag.prune(prior - 2 * GC_ROUNDS, 8);
    }
  }
  return committed;
}

/** Every member's vertex of every round; the last f seats are not taken as parents by half. */
function makeVertices(size: number, rounds: number): Named[] {
  const made: Named[] = [];
  let below: ParentRef[] = Array.from({ length: size }, (_, seat) => {
    const author = toMemberIndex(seat);
    return { author, name: genesisVertexHash(START, EPOCH, author) };
  });
  for (let round = 1; round <= rounds; round++) {
    const next: ParentRef[] = [];
    for (let seat = 0; seat < size; seat++) {
      const author = toMemberIndex(seat);
      const name = toVertexHash(blake3(new TextEncoder().encode(`${round}/${seat}`)));
      const isTaken = (parent: MemberIndex): boolean =>
        parent === author || parent < quorum(size) || (parent + seat) % 2 === 0;
      const parents = below
        .filter((parent) => isTaken(parent.author))
        // As decoded: bytes of their own, not the ones that the DAG holds.
        .map((parent) => ({ author: parent.author, name: toVertexHash(parent.name.slice()) }));
      made.push({
        name,
        vertex: {
          ...{ chainId: 1n, epoch: EPOCH, round: toRound(round), author, timestampMs: 0n },
          ...{ parents, weakParents: [], batches: [], attestations: [] },
        },
      });
      next.push({ author, name });
    }
    below = next;
  }
  return made;
}
