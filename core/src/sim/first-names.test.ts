import { describe, expect, it } from 'vitest';
import {
  toEpoch,
  toFalconSignature,
  toMemberIndex,
  toRound,
  toVertexHash,
  type Vertex,
  type VertexHash,
} from '../types/index.ts';
import { FirstNames } from './first-names.ts';

const nameOf = (number: number): VertexHash => toVertexHash(new Uint8Array(32).fill(number));

function vertexOf(
  [epoch, round, author]: readonly [number, number, number],
  parents: readonly (readonly [author: number, name: number])[] = [],
): Vertex {
  return {
    chainId: 1n,
    epoch: toEpoch(epoch),
    round: toRound(round),
    author: toMemberIndex(author),
    timestampMs: 0n,
    parents: parents.map(([seat, name]) => ({ author: toMemberIndex(seat), name: nameOf(name) })),
    weakParents: [],
    batches: [],
    attestations: [],
    signature: toFalconSignature(Uint8Array.of(0x39, ...new Uint8Array(665))),
  };
}

describe('the names seen first', () => {
  it('are those of their place, whoever brings them again, and no others are', () => {
    const names = new FirstNames();
    expect(names.see(vertexOf([0, 5, 3]), nameOf(1)).isFirst).toBe(true);
    expect(names.see(vertexOf([0, 5, 3]), nameOf(2)).isFirst).toBe(false);
    expect(names.see(vertexOf([0, 5, 3]), nameOf(1)).isFirst).toBe(true);
    expect(names.see(vertexOf([0, 5, 4]), nameOf(2)).isFirst).toBe(true);
    expect(names.see(vertexOf([1, 5, 3]), nameOf(2)).isFirst).toBe(true);
  });

  it('make a set of parents only where each of them is the first of its place', () => {
    const names = new FirstNames();
    names.see(vertexOf([0, 5, 3]), nameOf(1));
    const known = names.see(
      vertexOf(
        [0, 6, 0],
        [
          [2, 7],
          [3, 1],
        ],
      ),
      nameOf(9),
    );
    expect(known.parents?.list()).toEqual([2, 3]);
    // The parent of author 3 is its second vertex; that of author 2 was first named as another.
    expect(names.see(vertexOf([0, 6, 1], [[3, 2]]), nameOf(8)).parents).toBeUndefined();
    expect(names.see(vertexOf([0, 6, 1], [[2, 1]]), nameOf(8)).parents).toBeUndefined();
  });

  it('are never given anew: of what was forgotten nothing is first', () => {
    const names = new FirstNames();
    expect(names.see(vertexOf([0, 1, 0]), nameOf(1)).isFirst).toBe(true);
    for (let round = 1_001; round < 8_001; round += 1_000) {
      names.see(vertexOf([0, round, 0]), nameOf(1));
    }
    expect(names.see(vertexOf([0, 1, 0]), nameOf(2)).isFirst).toBe(false);
    expect(names.see(vertexOf([0, 1, 0]), nameOf(1)).isFirst).toBe(false);
    for (const epoch of [1, 2]) names.see(vertexOf([epoch, 1, 0]), nameOf(1));
    expect(names.see(vertexOf([0, 7_001, 0]), nameOf(1)).isFirst).toBe(false);
  });

  it('are not those of places far above all others, of authors that no committee has', () => {
    const names = new FirstNames();
    names.see(vertexOf([0, 5, 3]), nameOf(1));
    expect(names.see(vertexOf([0, 1_000_000, 3]), nameOf(1)).isFirst).toBe(false);
    expect(names.see(vertexOf([0, 5, 128]), nameOf(1)).isFirst).toBe(false);
    expect(names.see(vertexOf([9, 5, 3]), nameOf(1)).isFirst).toBe(false);
    expect(names.see(vertexOf([0, 5, 3]), nameOf(1)).isFirst).toBe(true);
  });
});
