import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toValidatorIndex } from '../types/index.ts';
import { Arrivals, type Parcel } from './arrivals.ts';

const TICK_US = 5_000;
const sent = fc.record({ atUs: fc.integer({ min: 1, max: 30_000 }), to: fc.nat(3) });

describe('arrivals', () => {
  it('come at the first tick that is not before their time, each to its receiver', () => {
    fc.assert(
      fc.property(fc.array(sent), (messages) => {
        const arrivals = new Arrivals(TICK_US, 4);
        const parcels = messages.map((_, i): Parcel => {
          return { from: toValidatorIndex(0), bytes: new Uint8Array(0), hash: i };
        });
        const ticks = messages.flatMap(({ atUs, to }, i) => {
          const parcel = parcels[i];
          return parcel === undefined ? [] : (arrivals.add(atUs, to, parcel) ?? []);
        });
        // Each tick is announced once.
        expect(new Set(ticks).size).toBe(ticks.length);
        const found = ticks.flatMap((tickUs) =>
          arrivals.take(tickUs).flatMap((list, to) => list.map(({ hash }) => [hash, tickUs, to])),
        );
        const expected = messages.map(({ atUs, to }, i) => {
          return [i, Math.ceil(atUs / TICK_US) * TICK_US, to];
        });
        const byHash = (a: number[], b: number[]): number => (a[0] ?? 0) - (b[0] ?? 0);
        expect(found.sort(byHash)).toEqual(expected);
        for (const tickUs of ticks) expect(arrivals.take(tickUs)).toEqual([]);
      }),
    );
  });

  it('of a tick are in the order in which they were sent', () => {
    const arrivals = new Arrivals(TICK_US, 1);
    const parcel = (hash: number): Parcel => {
      return { from: toValidatorIndex(0), bytes: new Uint8Array(0), hash };
    };
    for (const hash of [3, 1, 2]) arrivals.add(TICK_US - hash, 0, parcel(hash));
    expect(arrivals.take(TICK_US)[0]?.map(({ hash }) => hash)).toEqual([3, 1, 2]);
  });
});
