/** What several behaviours make vertices of. */
import { openMessage } from '../../consensus/index.ts';
import {
  type ParentRef,
  toMemberIndex,
  toRound,
  toVertexHash,
  type UnsignedVertex,
} from '../../types/index.ts';
import type { Draft, Stage, Version } from './behaviour.ts';

/** The draft as it is, for everybody. */
export const asItIs = (draft: Draft): readonly Version[] => [{ line: 0, vertex: draft.on(0) }];

/** A name that nobody has. */
export const inventedName = ({ prng }: Stage) => toVertexHash(prng.bytes(32));

/** A quorum of parents, all invented or of those that were heard. */
export function anyParents(stage: Stage, epoch: number, round: number): ParentRef[] {
  const heard = stage.heard.round(epoch, round);
  if (heard.length >= stage.quorum && stage.prng.chance(500_000)) return [...heard];
  return Array.from({ length: stage.quorum }, (_, author) => ({
    author: toMemberIndex(author),
    name: inventedName(stage),
  }));
}

/** The newest own vertex put into another round. */
export function inRound(newest: UnsignedVertex, round: number, stage: Stage): UnsignedVertex {
  return {
    ...newest,
    round: toRound(round),
    parents: anyParents(stage, newest.epoch, round - 1),
    weakParents: [],
    batches: [],
    attestations: [],
  };
}

/**
 * The vertex without the one parent by which it would vote; other parents of that round that were
 * heard meanwhile take its place. Undefined while too few are known.
 */
export function withoutVote(
  vertex: UnsignedVertex,
  anchor: number | undefined,
  stage: Stage,
): UnsignedVertex | undefined {
  const others = new Map<number, ParentRef>();
  for (const ref of stage.heard.round(vertex.epoch, vertex.round - 1)) others.set(ref.author, ref);
  for (const ref of vertex.parents) others.set(ref.author, ref);
  if (anchor !== undefined) others.delete(anchor);
  if (others.size < stage.quorum) return undefined;
  const parents = [...others.values()].sort((a, b) => a.author - b.author);
  return { ...vertex, parents };
}

/** Another vertex of the same place that says almost the same. */
export function twinOf(vertex: UnsignedVertex, stage: Stage): UnsignedVertex {
  const isLean = vertex.parents.length > stage.quorum && stage.prng.chance(500_000);
  return {
    ...vertex,
    timestampMs: vertex.timestampMs + 1n,
    parents: isLean ? vertex.parents.slice(1) : vertex.parents,
  };
}

export function others({ members, self }: Stage): number[] {
  return Array.from({ length: members }, (_, i) => i).filter((i) => i !== self);
}

/** Two halves of the others, which overlap in one now and then. */
export function halves(stage: Stage): readonly [number[], number[]] {
  const first: number[] = [];
  const second: number[] = [];
  others(stage).forEach((member, i) => {
    if (i % 2 === 0) first.push(member);
    else second.push(member);
  });
  const [shared] = first;
  if (shared !== undefined && stage.prng.chance(250_000)) second.push(shared);
  return stage.prng.chance(500_000) ? [first, second] : [second, first];
}

export const kindOf = (message: Uint8Array): string => openMessage(message).kind;
