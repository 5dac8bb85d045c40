/**
 * The four binary levels inside each node, both hash families, computed level by level over many
 * nodes at once: one call of each batch kernel a level, whatever the number of nodes.
 */
import { blake3InnerBatch, poseidon2CompressBatch } from '../crypto/index.ts';
import { copyWords, HASH_WORDS, type InnerNode } from './node.ts';

const PAIR_WORDS = 2 * HASH_WORDS;
const PAIR_BYTES = 4 * PAIR_WORDS;
/** Pairs a kernel call: a multiple of three and of four, so that no lane of a kernel idles. */
const PAIRS_AT_ONCE = 1020;
/** The slots of each level as bit masks, deepest first. */
const LEVELS = [0xff00, 0x00f0, 0x000c, 0x0002] as const;

/** Pairs on their way to the kernels, and where each of their hashes goes. */
class PairBatch {
  readonly #blake3 = new Uint32Array(PAIRS_AT_ONCE * PAIR_WORDS);
  readonly #poseidon2 = new Uint32Array(PAIRS_AT_ONCE * PAIR_WORDS);
  readonly #nodes: InnerNode[] = [];
  readonly #hashesAt = new Uint32Array(PAIRS_AT_ONCE);

  /** The halves of slot s, 2s and 2s + 1, to the hash of s. */
  add(node: InnerNode, slot: number): void {
    const at = this.#nodes.length * PAIR_WORDS;
    this.#half(node, node.hashAt(2 * slot), at);
    this.#half(node, node.hashAt(2 * slot + 1), at + HASH_WORDS);
    this.#hashesAt[this.#nodes.length] = node.ownHashAt(slot);
    this.#nodes.push(node);
    if (this.#nodes.length === PAIRS_AT_ONCE) this.flush();
  }

  flush(): void {
    const nodes = this.#nodes;
    if (nodes.length === 0) return;
    const length = nodes.length * PAIR_BYTES;
    const blake3 = blake3InnerBatch(new Uint8Array(this.#blake3.buffer, 0, length));
    const poseidon2 = poseidon2CompressBatch(new Uint8Array(this.#poseidon2.buffer, 0, length));
    const blake3Words = new Uint32Array(blake3.buffer);
    const poseidon2Words = new Uint32Array(poseidon2.buffer);
    for (let i = 0; i < nodes.length; i++) {
      const words = nodes[i]?.words;
      const at = this.#hashesAt[i] ?? 0;
      if (words === undefined) continue;
      copyWords(words, at, blake3Words, i * HASH_WORDS, HASH_WORDS);
      copyWords(words, at + HASH_WORDS, poseidon2Words, i * HASH_WORDS, HASH_WORDS);
    }
    nodes.length = 0;
  }

  #half({ words }: InnerNode, from: number, at: number): void {
    if (from < 0) {
      this.#blake3.fill(0, at, at + HASH_WORDS);
      this.#poseidon2.fill(0, at, at + HASH_WORDS);
      return;
    }
    copyWords(this.#blake3, at, words, from, HASH_WORDS);
    copyWords(this.#poseidon2, at, words, from + HASH_WORDS, HASH_WORDS);
  }
}

const batch = new PairBatch();

/** Computes the hashes of all pending slots. The hashes of all children must be there. */
export function completeHashes(nodes: readonly InnerNode[]): void {
  for (const level of LEVELS) {
    for (const node of nodes) {
      for (let rest = node.pending & level; rest !== 0; rest &= rest - 1) {
        batch.add(node, 31 - Math.clz32(rest & -rest));
      }
    }
    batch.flush();
  }
  for (const node of nodes) node.pending = 0;
}
