/**
 * A batch: the transactions that one member puts into the order, in its order. Named by Blake3 of
 * its bytes, at most 4 MiB (design/consensus.md, "Waves"). A batch that does not decode counts as
 * empty; it never makes a vertex invalid.
 */
import { decodeExactly, encode } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type BatchHash, toBatchHash } from './brand.ts';

export const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** Smallest encoding of a transaction: its fixed fields, every list empty. */
export const MIN_TX_BYTES = 119;
/** Largest encoding of a transaction of any type: 1 MiB of module + 128 KiB. */
export const MAX_TX_BYTES = 1024 * 1024 + 128 * 1024;

export interface Batch {
  /** Each the exact wire bytes of one transaction. */
  readonly transactions: readonly Uint8Array[];
}

export function encodeBatch(batch: Batch): Uint8Array {
  return encode((w) => w.vec(batch.transactions, (writer, bytes) => writer.bytes(bytes)));
}

/** @throws PydeError `borsh.*` */
export function decodeBatch(bytes: Uint8Array): Batch {
  return decodeExactly(bytes, (r) => ({
    transactions: r.vec(Math.ceil(MAX_BATCH_BYTES / MIN_TX_BYTES), 4, (reader) =>
      reader.bytes(MAX_TX_BYTES),
    ),
  }));
}

export function batchHash(bytes: Uint8Array): BatchHash {
  return toBatchHash(blake3(bytes));
}
