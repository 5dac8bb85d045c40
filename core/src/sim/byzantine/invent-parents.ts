/**
 * Names parents that nobody has: in twins of its own vertices, in weak parents, and in vertices of
 * rounds at the GC edge that it left out for the purpose.
 */
import { toMemberIndex, toRound, type UnsignedVertex } from '../../types/index.ts';
import type { Behaviour, Stage, Version } from './behaviour.ts';
import { inRound, inventedName } from './forgery.ts';

const SO_OFTEN = 300_000;
const LEFT_OUT = 100_000;
const AT_THE_EDGE = 30_000;
const EDGE_ROUNDS = 6;
const DEEPEST_WEAK = 50;

export const inventParents = (): Behaviour => {
  /** Rounds in which nobody saw a vertex of this member. */
  const leftOut = new Set<number>();
  return {
    versions(draft, stage) {
      const vertex = draft.on(0);
      const { prng } = stage;
      if (prng.chance(LEFT_OUT)) {
        leftOut.add(vertex.round);
        if (leftOut.size > DEEPEST_WEAK) leftOut.delete([...leftOut][0] ?? 0);
        return [];
      }
      const versions: Version[] = [{ line: 0, vertex }];
      if (prng.chance(SO_OFTEN)) {
        const bent = bend(vertex, stage);
        const version = { line: 1, vertex: bent, isDeadEnd: true };
        // Before the real one or after it.
        if (prng.chance(500_000)) versions.push(version);
        else versions.unshift(version);
      }
      return versions;
    },
    act(stage) {
      const { newest, prng, highestRound, gcRounds } = stage;
      if (newest === undefined || !prng.chance(AT_THE_EDGE)) return [];
      const edge = highestRound - gcRounds;
      const near = [...leftOut].filter((round) => Math.abs(round - edge) <= EDGE_ROUNDS);
      const round = prng.pick(near) ?? edge + prng.below(EDGE_ROUNDS);
      if (round < 2) return [];
      return [{ to: undefined, message: stage.signed(inRound(newest, round, stage)) }];
    },
  };
};

function bend(vertex: UnsignedVertex, stage: Stage): UnsignedVertex {
  const { prng, members } = stage;
  if (vertex.round > 3 && prng.chance(500_000)) {
    const depth = 2 + prng.below(Math.min(DEEPEST_WEAK, vertex.round - 1) - 1);
    const weak = {
      round: toRound(vertex.round - depth),
      author: toMemberIndex(prng.below(members)),
      name: inventedName(stage),
    };
    return { ...vertex, weakParents: [weak] };
  }
  const at = prng.below(vertex.parents.length);
  const parents = vertex.parents.map((parent, i) =>
    i === at ? { ...parent, name: inventedName(stage) } : parent,
  );
  return { ...vertex, parents };
}
