import { describe, expect, it } from 'vitest';
import { type BatchRef, batchHash, encodeBatch, MAX_BATCH_BYTES } from '../types/index.ts';
import { BatchStore, MAX_LOOSE_BATCHES, MAX_WANTED_BYTES } from './batch-store.ts';
import { testTransaction } from './testing.ts';

const batch = (...transactions: Uint8Array[]): { ref: BatchRef; bytes: Uint8Array } => {
  const bytes = encodeBatch({ transactions });
  return {
    bytes,
    ref: { hash: batchHash(bytes), bytes: bytes.length, count: transactions.length },
  };
};

describe('the batch store', () => {
  it('asks to store a batch once, and hands its transactions to every vertex that refers to it', () => {
    const store = new BatchStore();
    const { ref, bytes } = batch(testTransaction(1), testTransaction(2));
    store.putLoose(1, ref.hash, bytes);
    expect(store.refer(ref.hash, true)).toBe(bytes);
    expect(store.refer(ref.hash, true)).toBeUndefined();
    expect(store.take(ref)).toEqual([testTransaction(1), testTransaction(2)]);
    expect(store.has(ref.hash)).toBe(true);
    expect(store.take(ref).length).toBe(2);
    expect(store.has(ref.hash)).toBe(false);
    expect(store.inMemory).toBe(0);
    expect(store.release(ref.hash)).toBe(false);
    expect(store.release(ref.hash)).toBe(true);
    expect(() => store.take(ref)).toThrow(/invariant/);
  });

  it('counts a batch as empty that does not decode, or differs from its reference', () => {
    const { ref, bytes } = batch(testTransaction(1));
    const garbage = Uint8Array.of(9, 9, 9, 9, 9);
    const cases: readonly (readonly [BatchRef, Uint8Array])[] = [
      [{ ...ref, bytes: ref.bytes + 1 }, bytes],
      [{ ...ref, count: 2 }, bytes],
      [{ hash: batchHash(garbage), bytes: garbage.length, count: 1 }, garbage],
    ];
    for (const [wrong, held] of cases) {
      const store = new BatchStore();
      store.put(wrong.hash, held);
      store.refer(wrong.hash, true);
      expect(store.take(wrong)).toEqual([]);
    }
  });

  it('drops the oldest loose batches of a sender that sends too many or too much', () => {
    const store = new BatchStore();
    const many = Array.from({ length: MAX_LOOSE_BATCHES + 1 }, (_, i) => batch(testTransaction(i)));
    for (const { ref, bytes } of many) store.putLoose(1, ref.hash, bytes);
    expect(many.map(({ ref }) => store.has(ref.hash))).toEqual([false, ...Array(8).fill(true)]);
    const other = batch(testTransaction(100));
    store.putLoose(2, other.ref.hash, other.bytes);
    for (let i = 0; i < 3; i++) {
      const bytes = new Uint8Array(MAX_BATCH_BYTES).fill(i);
      store.putLoose(1, batchHash(bytes), bytes);
    }
    expect(store.has(other.ref.hash)).toBe(true);
    expect(store.inMemory).toBe(3);
  });

  it('keeps what a vertex refers to, whatever its sender sends', () => {
    const store = new BatchStore();
    const kept = batch(testTransaction(1));
    store.putLoose(1, kept.ref.hash, kept.bytes);
    store.refer(kept.ref.hash, true);
    for (let i = 2; i < 20; i++) {
      const { ref, bytes } = batch(testTransaction(i));
      store.putLoose(1, ref.hash, bytes);
    }
    expect(store.take(kept.ref).length).toBe(1);
  });

  it('keeps what waiting vertices want within a budget of each author', () => {
    const store = new BatchStore();
    const full = (i: number): Uint8Array => new Uint8Array(MAX_BATCH_BYTES).fill(i);
    const put = (author: number, i: number, urgent = false): boolean =>
      store.putWanted(author, batchHash(full(i)), full(i), urgent);
    const has = (i: number): boolean => store.has(batchHash(full(i)));
    const room = MAX_WANTED_BYTES / MAX_BATCH_BYTES;
    for (let i = 0; i < room; i++) expect(put(1, i)).toBe(true);
    expect(put(1, 100)).toBe(false);
    expect(has(100)).toBe(false);
    // One that is here needs no room, and another author has its own.
    expect(put(1, 0)).toBe(true);
    expect(put(2, 101)).toBe(true);
    // A vertex that waits for nothing else gets in, and the oldest makes room.
    expect(put(1, 102, true)).toBe(true);
    expect([0, 1, 101, 102].map(has)).toEqual([false, true, true, true]);
    // One that a vertex refers to leaves the budget, and is not let go.
    store.refer(batchHash(full(1)), true);
    expect(put(1, 103)).toBe(true);
    expect(put(1, 104, true)).toBe(true);
    expect([1, 2, 104].map(has)).toEqual([true, false, true]);
    expect(store.inMemory).toBe(room + 2);
  });

  it('lets bytes go when the vertex can be in no wave any more', () => {
    const store = new BatchStore();
    const { ref, bytes } = batch(testTransaction(1));
    store.put(ref.hash, bytes);
    store.refer(ref.hash, true);
    store.settle(ref.hash);
    expect(store.has(ref.hash)).toBe(false);
    expect(store.release(ref.hash)).toBe(true);
  });
});
