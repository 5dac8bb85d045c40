/**
 * The records of one wave, tens of thousands of them, as writes for the store: the same bytes as
 * `Table.put` gives, laid side by side in a few large buffers, with checksums hashed in batches.
 */
import { invariant } from '../bytes/index.ts';
import { blake3Batch } from '../crypto/index.ts';
import type { StoreWrite } from '../platform/index.ts';
import { CHECKSUM_BYTES, RECORD_DOMAIN } from './table.ts';

/** Most waves hold a few records, and memory for more would be cleared for nothing. */
const FIRST_BUFFER_BYTES = 4096;
const MAX_BUFFER_BYTES = 1 << 20;
const DIGEST_BYTES = 32;

export class RecordBatch {
  #buffer = new Uint8Array(0);
  #used = 0;
  readonly #writes: StoreWrite[] = [];
  /** Of the records in the buffer: what their checksums are of, domain ‖ key ‖ value. */
  #messages: Uint8Array[] = [];
  /** Of the same records: the value, with room for the checksum at its end. */
  #values: Uint8Array[] = [];

  /** @param table one of `TABLE`; the value is first ‖ second */
  put(table: number, suffix: Uint8Array, first: Uint8Array, second?: Uint8Array): void {
    const keyBytes = 1 + suffix.length;
    const valueBytes = first.length + (second === undefined ? 0 : second.length);
    const start = this.#room(RECORD_DOMAIN.length + keyBytes + valueBytes + CHECKSUM_BYTES);
    const keyAt = start + RECORD_DOMAIN.length;
    const valueAt = keyAt + keyBytes;
    const end = valueAt + valueBytes;
    const buffer = this.#buffer;
    buffer.set(RECORD_DOMAIN, start);
    buffer[keyAt] = table;
    buffer.set(suffix, keyAt + 1);
    buffer.set(first, valueAt);
    if (second !== undefined) buffer.set(second, valueAt + first.length);
    const key = buffer.subarray(keyAt, valueAt);
    const value = buffer.subarray(valueAt, end + CHECKSUM_BYTES);
    this.#writes.push({ kind: 'put', key, value });
    this.#messages.push(buffer.subarray(start, end));
    this.#values.push(value);
  }

  /** A write that is complete already. */
  add(write: StoreWrite): void {
    this.#writes.push(write);
  }

  /** Everything that was put, sealed. Nothing can be put afterwards. */
  seal(): StoreWrite[] {
    this.#sealBuffer();
    return this.#writes;
  }

  #sealBuffer(): void {
    const digests = blake3Batch(this.#messages);
    this.#values.forEach((value, i) => {
      const at = value.length - CHECKSUM_BYTES;
      for (let k = 0; k < CHECKSUM_BYTES; k++) value[at + k] = digests[i * DIGEST_BYTES + k] ?? 0;
    });
    this.#messages = [];
    this.#values = [];
  }

  #room(length: number): number {
    if (this.#used + length > this.#buffer.length) {
      this.#sealBuffer();
      const next = Math.min(
        Math.max(2 * this.#buffer.length, FIRST_BUFFER_BYTES),
        MAX_BUFFER_BYTES,
      );
      this.#buffer = new Uint8Array(Math.max(next, length));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    invariant(this.#used <= this.#buffer.length, 'a buffer has room for the record');
    return start;
  }
}
