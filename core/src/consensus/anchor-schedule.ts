/**
 * Which member's vertex is the anchor of a round (design/consensus.md, "Anchors and the commit
 * rule"): `Blake3("pyde/anchor/1" ‖ beacon ‖ epoch ‖ round) mod n`, integers u64 LE, the digest's
 * first eight bytes read LE. No state root enters it: whoever adds transactions could grind one.
 */
import { readU64LittleEndian, u64LittleEndian } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type Epoch, type Hash, type MemberIndex, toMemberIndex } from '../types/index.ts';

export class AnchorSchedule {
  readonly #seed: readonly [Uint8Array, Hash, Uint8Array];
  readonly #size: number;

  /** @param size members of the committee */
  constructor(beacon: Hash, epoch: Epoch, size: number) {
    const domain = new TextEncoder().encode('pyde/anchor/1');
    this.#seed = [domain, beacon, u64LittleEndian(BigInt(epoch))];
    this.#size = size;
  }

  anchorOf(round: number): MemberIndex {
    const digest = blake3(...this.#seed, u64LittleEndian(BigInt(round)));
    return toMemberIndex(Number(readU64LittleEndian(digest) % BigInt(this.#size)));
  }
}
