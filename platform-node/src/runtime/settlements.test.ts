import { toHex } from '@pyde/core/bytes';
import { type TxHash, toTxHash } from '@pyde/core/types';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_HELD, Settlements } from './settlements.ts';

const hash = (i: number): TxHash => toTxHash(new Uint8Array(32).fill(i));
const pending = new Set<string>();
let settlements: Settlements;

beforeEach(() => {
  pending.clear();
  settlements = new Settlements((asked) => pending.has(toHex(asked)));
});

/** Whether it resolves without any time passing. */
async function isDone(promise: Promise<void>): Promise<boolean> {
  return Promise.race([
    promise.then(() => true),
    new Promise<boolean>((r) => setImmediate(r, false)),
  ]);
}

describe('callers that wait for a transaction', () => {
  it('are not held when it is not pending', async () => {
    expect(await isDone(settlements.of(hash(1)))).toBe(true);
    expect(settlements.held).toBe(0);
  });

  it('are let go by the wave that settles it, and not by another', async () => {
    pending.add(toHex(hash(1))).add(toHex(hash(2)));
    const first = settlements.of(hash(1));
    const same = settlements.of(hash(1));
    const other = settlements.of(hash(2));
    settlements.look();
    expect(settlements.held).toBe(3);
    pending.delete(toHex(hash(1)));
    settlements.look();
    await Promise.all([first, same]);
    expect(settlements.held).toBe(1);
    await other; // by the clock
    expect(settlements.held).toBe(0);
  });

  it('are no more than a bound, and all let go at the end', async () => {
    for (let i = 0; i < 8; i++) pending.add(toHex(hash(i)));
    const all = Array.from({ length: MAX_HELD }, (_, i) => settlements.of(hash(i % 8)));
    expect(settlements.held).toBe(MAX_HELD);
    expect(await isDone(settlements.of(hash(1)))).toBe(true);
    settlements.end();
    await Promise.all(all);
    expect(settlements.held).toBe(0);
  });
});
