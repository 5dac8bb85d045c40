import { describe, expect, it } from 'vitest';
import { blake3 } from '../crypto/index.ts';
import { toEpoch, toHash } from '../types/index.ts';
import { AnchorSchedule } from './anchor-schedule.ts';

const beacon = toHash(Uint8Array.from({ length: 32 }, (_, i) => i));

describe('the anchor of a round', () => {
  it('is Blake3("pyde/anchor/1" ‖ beacon ‖ epoch ‖ round) mod n, all little-endian', () => {
    const preimage = new Uint8Array(13 + 32 + 16);
    preimage.set(new TextEncoder().encode('pyde/anchor/1'));
    preimage.set(beacon, 13);
    preimage[45] = 7;
    preimage.set([0x34, 0x12], 53);
    const digest = blake3(preimage);
    const first = new DataView(digest.buffer, digest.byteOffset).getBigUint64(0, true);
    for (const size of [1, 4, 7, 128]) {
      const schedule = new AnchorSchedule(beacon, toEpoch(7), size);
      expect(schedule.anchorOf(0x1234)).toBe(Number(first % BigInt(size)));
    }
  });

  it('comes to every member about equally often', () => {
    const schedule = new AnchorSchedule(beacon, toEpoch(0), 4);
    const counts = [0, 0, 0, 0];
    for (let round = 1; round <= 2_000; round++) {
      const seat = schedule.anchorOf(round);
      counts[seat] = (counts[seat] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(100);
  });
});
