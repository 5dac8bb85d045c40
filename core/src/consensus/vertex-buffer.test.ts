import { describe, expect, it } from 'vitest';
import { toBatchHash, toEpoch, toFalconSignature, toMemberIndex, toRound } from '../types/index.ts';
import { CHAIN_ID, nameOf } from './testing.ts';
import { type BufferedVertex, MAX_BUFFERED_PER_AUTHOR, VertexBuffer } from './vertex-buffer.ts';

const signature = toFalconSignature(Uint8Array.of(0x39, ...new Uint8Array(665)));

function entry(author: number, round: number, label = `${author}/${round}`): BufferedVertex {
  return {
    name: nameOf(label),
    vertex: {
      chainId: CHAIN_ID,
      epoch: toEpoch(0),
      round: toRound(round),
      author: toMemberIndex(author),
      timestampMs: BigInt(round),
      parents: [{ author: toMemberIndex(1), name: nameOf(`1/${round - 1}`) }],
      weakParents: [{ author: toMemberIndex(2), name: nameOf('weak'), round: toRound(3) }],
      batches: [{ hash: toBatchHash(nameOf(`batch ${label}`)), bytes: 1, count: 1 }],
      attestations: [],
      signature,
    },
  };
}

describe('the buffer of vertices', () => {
  it('gives up ready vertices lowest round first, those that became ready meanwhile included', () => {
    const buffer = new VertexBuffer();
    for (const [author, round] of [
      [0, 7],
      [0, 5],
      [1, 6],
    ] as const)
      buffer.add(entry(author, round));
    const accepted: number[] = [4];
    buffer.drain(
      ({ vertex }) => accepted.includes(vertex.round - 1),
      ({ vertex }) => accepted.push(vertex.round),
    );
    expect(accepted).toEqual([4, 5, 6, 7]);
    expect(buffer.size).toBe(0);
  });

  it('holds a bounded number of each author, and lets the highest round go', () => {
    const buffer = new VertexBuffer();
    for (let round = 1; round <= MAX_BUFFERED_PER_AUTHOR; round++) {
      expect(buffer.add(entry(0, 2 * round))).toBeUndefined();
    }
    const high = entry(0, 10_000);
    expect(buffer.add(high)).toBe(high);
    expect(buffer.add(entry(0, 3))?.vertex.round).toBe(2 * MAX_BUFFERED_PER_AUTHOR);
    expect(buffer.add(entry(1, 9))).toBeUndefined();
    expect(buffer.size).toBe(MAX_BUFFERED_PER_AUTHOR + 1);
  });

  it('knows which vertices and batches its own wait for', () => {
    const buffer = new VertexBuffer();
    buffer.add(entry(0, 9));
    expect(buffer.needs(8, { author: toMemberIndex(1), name: nameOf('1/8') })).toBe(true);
    expect(buffer.needs(7, { author: toMemberIndex(1), name: nameOf('1/8') })).toBe(false);
    expect(buffer.needs(8, { author: toMemberIndex(2), name: nameOf('1/8') })).toBe(false);
    expect(buffer.needs(3, { author: toMemberIndex(2), name: nameOf('weak') })).toBe(true);
    expect(buffer.needs(4, { author: toMemberIndex(2), name: nameOf('weak') })).toBe(false);
    expect(buffer.holds(0, nameOf('0/9'))).toBe(true);
    expect(buffer.holds(1, nameOf('0/9'))).toBe(false);
    expect(buffer.get(9, 0)?.name).toEqual(nameOf('0/9'));
  });

  it('forgets what lies below a round and says when the next timestamp comes', () => {
    const buffer = new VertexBuffer();
    for (const round of [5, 8, 9]) buffer.add(entry(0, round));
    expect(buffer.nextTimestampAfter(5n)).toBe(8n);
    expect(buffer.nextTimestampAfter(9n)).toBeUndefined();
    buffer.dropBelow(8);
    expect(buffer.size).toBe(2);
  });
});
