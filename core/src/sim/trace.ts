/**
 * The digest of a run: every step of every node, every message, wave and certificate goes in, in
 * order. Two runs with one digest did the same things at the same times. Two lanes of murmur3's
 * mixing, closed by Blake3: made to notice differences, not to withstand an enemy.
 */
import { toHex, u32BigEndian } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';

const DOMAIN = new TextEncoder().encode('pyde/sim/1');

function mix(lane: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = lane ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

export class Trace {
  #first = 0x2545f491;
  #second = 0x5bd1e995;
  #words = 0;

  word(value: number): void {
    this.#first = mix(this.#first, value | 0);
    this.#second = mix(this.#second, this.#first ^ value);
    this.#words++;
  }

  /** A time or a count above 32 bits. */
  number(value: number): void {
    this.word(value % 4_294_967_296);
    this.word(Math.floor(value / 4_294_967_296));
  }

  bytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 4) {
      const a = bytes[at] ?? 0;
      const b = bytes[at + 1] ?? 0;
      const c = bytes[at + 2] ?? 0;
      this.word(a | (b << 8) | (c << 16) | ((bytes[at + 3] ?? 0) << 24));
    }
    this.word(bytes.length);
  }

  digest(): string {
    const words = [this.#first, this.#second, this.#words].map((word) => u32BigEndian(word >>> 0));
    return toHex(blake3(DOMAIN, ...words));
  }
}
