/** A node that fetches what earlier waves carried, from peers that serve it well, badly or not. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import {
  decodeRefs,
  decodeWantRounds,
  encodeRounds,
  openMessage,
  type StoredVertex,
} from '../consensus/index.ts';
import { ManualClock } from '../platform/index.ts';
import {
  encodeVertex,
  toEpoch,
  toFalconSignature,
  toMemberIndex,
  toRound,
  toVertexHash,
  vertexHash,
  type WeakParentRef,
} from '../types/index.ts';
import { DagJoin, type DagJoinEffect } from './dag-join.ts';

const SIZE = 4;
const HIGHEST = 30;
const GC_ROUND = 10;
const signature = toFalconSignature(new Uint8Array(666).fill(0x39));
const nowhere = toVertexHash(new Uint8Array(32));

/**
 * Every member makes every round on the vertices of all, but that member 3 is seen by nobody from
 * round 12 on until its vertex of round 15 is a weak parent in round 20.
 */
function buildDag(): StoredVertex[][] {
  const rounds: StoredVertex[][] = [[]];
  for (let round = 1; round <= HIGHEST; round++) {
    const below = rounds[round - 1] ?? [];
    rounds.push(
      Array.from({ length: SIZE }, (_, author) => {
        const seen = below.filter((one) => one.vertex.author !== 3 || round < 12 || author === 3);
        const weak = round === 20 && author === 0 ? rounds[15]?.[3] : undefined;
        const vertex = {
          chainId: 1n,
          epoch: toEpoch(0),
          round: toRound(round),
          author: toMemberIndex(author),
          timestampMs: BigInt(round),
          parents:
            round === 1
              ? [0, 1, 2, 3].map((seat) => ({ author: toMemberIndex(seat), name: nowhere }))
              : seen.map((one) => ({ author: one.vertex.author, name: one.name })),
          weakParents: weak === undefined ? [] : [refOf(weak)],
          batches: [],
          attestations: [],
          signature,
        };
        return { vertex, name: vertexHash(vertex) };
      }),
    );
  }
  return rounds;
}
const refOf = ({ vertex, name }: StoredVertex): WeakParentRef => ({
  round: vertex.round,
  author: vertex.author,
  name,
});
const dag = buildDag();
const at = (round: number, author: number): StoredVertex => {
  const found = dag[round]?.[author];
  if (found === undefined) throw new Error(`no vertex ${author} of round ${round}`);
  return found;
};
const anchors = [refOf(at(HIGHEST, 1)), refOf(at(HIGHEST - 1, 2))];

/** What a peer keeps, and how many vertices it puts into one answer. */
interface Peer {
  readonly keepsFrom: number;
  readonly perAnswer: number;
  readonly junk?: boolean;
}
const whole: Peer = { keepsFrom: 1, perAnswer: 1_000 };

function join(peers: readonly Peer[], gcRound = GC_ROUND): { end: DagJoinEffect; asked: number } {
  const clock = new ManualClock(0);
  const machine = new DagJoin({ peers: peers.map((_, i) => i), anchors, gcRound, size: SIZE });
  const queue = machine.start(clock.now());
  let asked = 0;
  let timerMs = 0;
  for (let steps = 0; steps < 5_000; steps++) {
    const effect = queue.shift();
    if (effect === undefined) {
      clock.advance(Math.max(0, timerMs - clock.now().monotonicMs));
      queue.push(...machine.timer(clock.now()));
    } else if (effect.kind === 'set-timer') timerMs = effect.atMonotonicMs;
    else if (effect.kind === 'send') {
      asked++;
      const peer = peers[effect.peer];
      if (peer === undefined) throw new Error('it asks those it was given');
      queue.push(...answer(peer, effect.peer, effect.message, machine, clock));
    } else return { end: effect, asked };
  }
  throw new Error('it comes to an end');
}

function answer(
  peer: Peer,
  index: number,
  message: Uint8Array,
  machine: DagJoin,
  clock: ManualClock,
): DagJoinEffect[] {
  const { kind, bytes } = openMessage(message);
  if (kind === 'want-rounds') {
    const { fromRound, fromAuthor, toRound: to } = decodeWantRounds(bytes);
    const found = dag
      .slice(Math.max(fromRound, peer.keepsFrom), to + 1)
      .flat()
      .filter(({ vertex }) => vertex.round > fromRound || vertex.author >= fromAuthor);
    const sent = found.slice(0, peer.perAnswer).map(({ vertex }) => encodeVertex(vertex));
    const complete = found.length <= peer.perAnswer;
    const vertices = peer.junk ? sent.map((one) => one.with(30, 9)) : sent;
    return machine.rounds(index, encodeRounds({ complete, vertices }), clock.now());
  }
  expect(kind).toBe('want-vertices');
  const held = dag.slice(peer.keepsFrom).flat();
  return decodeRefs(bytes)
    .flatMap((ref) => held.filter(({ name }) => toHex(name) === toHex(ref.name)))
    .flatMap(({ vertex }) => {
      const one = encodeVertex(vertex);
      return machine.vertex(peer.junk ? one.with(30, 9) : one, clock.now());
    });
}

/** The ancestries, by the definition. */
function ancestry(gcRound = GC_ROUND): string[] {
  const names = new Set<string>();
  const visit = (ref: { round: number; author: number }): void => {
    const { vertex, name } = at(ref.round, ref.author);
    if (vertex.round <= gcRound || names.has(toHex(name))) return;
    names.add(toHex(name));
    for (const weak of vertex.weakParents) visit(weak);
    if (vertex.round > 1) {
      for (const { author } of vertex.parents) visit({ round: vertex.round - 1, author });
    }
  };
  for (const anchor of anchors) visit(anchor);
  return [...names].sort();
}
const namesOf = (end: DagJoinEffect): string[] =>
  end.kind === 'joined' ? end.vertices.map(({ name }) => toHex(name)).sort() : [end.kind];

describe('joining the DAG', () => {
  it('fetches both ancestries above the GC round and nothing else, lowest round first', () => {
    const { end, asked } = join([whole]);
    expect(namesOf(end)).toEqual(ancestry());
    expect(asked).toBe(1);
    if (end.kind !== 'joined') throw new Error('it joined');
    const rounds = end.vertices.map(({ vertex }) => vertex.round);
    expect(rounds).toEqual([...rounds].sort((a, b) => a - b));
    // The weak parent and what only it refers to are part of it.
    expect(namesOf(end)).toContain(toHex(at(15, 3).name));
    expect(namesOf(end)).not.toContain(toHex(at(16, 3).name));
  });

  it('of a young chain goes down to round 1', () => {
    expect(namesOf(join([whole], 0).end)).toEqual(ancestry(0));
  });

  it('goes on where an answer was cut off', () => {
    const { end, asked } = join([{ ...whole, perAnswer: 7 }]);
    expect(namesOf(end)).toEqual(ancestry());
    expect(asked).toBeGreaterThan(5);
  });

  it('asks others by name for what one peer has not, or bends', () => {
    for (const bad of [
      { keepsFrom: 20, perAnswer: 1_000 },
      { keepsFrom: 1_000, perAnswer: 1 },
      { ...whole, junk: true },
    ]) {
      expect(namesOf(join([bad, whole, whole]).end), `${bad.keepsFrom}`).toEqual(ancestry());
    }
  });

  it('gives up when nobody serves it', () => {
    const bad = { keepsFrom: 15, perAnswer: 1_000 };
    expect(join([bad, bad, bad]).end).toEqual({ kind: 'out-of-reach' });
  });
});
