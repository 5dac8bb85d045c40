/**
 * How fast one peer's gossip stream may come: its bytes, and something for each RPC in them, since
 * a tiny one costs nearly as much work as one of a kilobyte. The stream is a row of RPCs, each
 * behind its length (an unsigned LEB128); only lengths are read here.
 */

const BYTES_PER_SECOND = 4 * 1024 * 1024;
const BURST_BYTES = 16 * 1024 * 1024;
/** Of each RPC, besides its bytes: some thousands a second. */
const RPC_COST_BYTES = 2 * 1024;
/** A length of more has no end that matters: the library's own limit is far below 2^35. */
const MAX_LENGTH_BYTES = 5;

export class RpcMeter {
  #tokens = BURST_BYTES;
  #atMs: number;
  /** Bytes of the RPC at hand that are still to come; while 0 a length is read. */
  #rest = 0;
  #length = 0;
  #lengthBytes = 0;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** Takes a chunk from the budget: 0, or the milliseconds for which nothing more should be read. */
  pass(chunk: Uint8Array, nowMs: number): number {
    const regained = (Math.max(0, nowMs - this.#atMs) * BYTES_PER_SECOND) / 1_000;
    this.#tokens = Math.min(BURST_BYTES, this.#tokens + regained);
    this.#atMs = Math.max(this.#atMs, nowMs);
    this.#tokens -= chunk.length + this.#countRpcs(chunk) * RPC_COST_BYTES;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1_000) / BYTES_PER_SECOND);
  }

  /** RPCs that begin in this chunk. */
  #countRpcs(chunk: Uint8Array): number {
    let rpcs = 0;
    for (let at = 0; at < chunk.length; ) {
      if (this.#rest > 0) {
        const skipped = Math.min(this.#rest, chunk.length - at);
        this.#rest -= skipped;
        at += skipped;
        continue;
      }
      const byte = chunk[at++] ?? 0;
      this.#length += (byte & 0x7f) * 2 ** (7 * this.#lengthBytes);
      this.#lengthBytes++;
      if (byte >= 0x80 && this.#lengthBytes < MAX_LENGTH_BYTES) continue;
      this.#rest = this.#length;
      this.#length = 0;
      this.#lengthBytes = 0;
      rpcs++;
    }
    return rpcs;
  }
}
