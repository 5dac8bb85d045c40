import { falconSign } from '@pyde/core/crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { testKey } from '../../../core/src/crypto/testing.ts';
import { VerificationPool } from './verification-pool.ts';

const key = testKey(0);
const message = (i: number): Uint8Array => new Uint8Array(32).fill(i);
const signatures = [0, 1, 2].map((i) =>
  falconSign(key.secretKey, message(i), new Uint8Array(88).fill(i + 1)),
);
const check = (of: number, over: number) => ({
  publicKey: key.publicKey,
  message: message(over),
  signature: signatures[of] ?? new Uint8Array(0),
});

describe('VerificationPool', () => {
  const pool = new VerificationPool(1);
  afterAll(() => pool.close());

  it('answers each call its own verdicts in order, over batch edges and mixed calls', async () => {
    const plan = Array.from({ length: 400 }, (_, i) => [i % 3, (i * 7) % 4 === 0 ? 3 : i % 3]);
    const calls = [];
    for (let from = 0, size = 1; from < plan.length; from += size, size = (size % 150) + 37) {
      const part = plan.slice(from, from + size);
      calls.push(
        pool.verify(part.map(([of = 0, over = 0]) => check(of, over))).then((verdicts) => {
          expect(verdicts).toEqual(part.map(([of, over]) => of === over));
        }),
      );
    }
    await Promise.all(calls);
    expect(pool.queued).toBe(0);
  });

  it('gives the same verdicts on the spot and on a thread', async () => {
    const few = [check(0, 0), check(0, 1), check(2, 2)];
    const flood = Array.from({ length: 200 }, (_, i) => check(i % 3, 0));
    const [spot, thread] = await Promise.all([pool.verify(few), pool.verify(flood)]);
    expect(spot).toEqual([true, false, true]);
    expect(thread).toEqual(flood.map((_, i) => i % 3 === 0));
  });

  it('refuses what would overfill its queue and goes on', async () => {
    const many = Array.from({ length: 16_385 }, () => check(0, 0));
    await expect(pool.verify(many)).rejects.toMatchObject({ code: 'pool.full' });
    expect(await pool.verify([check(0, 0)])).toEqual([true]);
  });

  it('rejects what is under way when it closes', async () => {
    const closing = new VerificationPool(1);
    const flood = Array.from({ length: 200 }, () => check(0, 0));
    const pending = expect(closing.verify(flood)).rejects.toMatchObject({
      code: 'pool.closed',
    });
    await closing.close();
    await pending;
    await expect(closing.verify([check(0, 0)])).rejects.toMatchObject({ code: 'pool.closed' });
  });
});
