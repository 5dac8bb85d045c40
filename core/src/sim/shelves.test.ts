import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { SimDisk } from './disk.ts';
import { Shelves } from './shelves.ts';

const KEYS = [1, 2, 3].map((byte) => Uint8Array.of(byte));
/** Some writes are the same object for all disks, others only equal. */
const SHARED = KEYS.map((key) => ({ kind: 'put', key, value: Uint8Array.of(7) }) as const);

const act = fc.record({
  disk: fc.nat(2),
  key: fc.nat(2),
  what: fc.constantFrom('shared', 'own', 'delete', 'clear', 'crash'),
  sync: fc.boolean(),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

function carryOut(disk: SimDisk, { key, what, sync, disk: index }: Act): void {
  const at = KEYS[key] ?? Uint8Array.of(0);
  const shared = SHARED[key];
  if (what === 'shared' && shared !== undefined) disk.apply([shared], sync);
  else if (what === 'own') {
    disk.apply([{ kind: 'put', key: at, value: Uint8Array.of(index) }], sync);
  } else if (what === 'delete') disk.apply([{ kind: 'delete', key: at }], sync);
  else if (what === 'crash') disk.crash(1);
  else disk.replace([]);
}

const contents = (disk: SimDisk): string[] =>
  disk.image().map(([key, { value }]) => `${toHex(key)} ${toHex(value)}`);

describe('Shelves', () => {
  it('let no disk see what another does', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const shelves = new Shelves();
        const together = [0, 1, 2].map((index) => new SimDisk(shelves, index));
        const alone = [0, 1, 2].map(() => new SimDisk());
        for (const one of acts) {
          for (const disks of [together, alone]) {
            const disk = disks[one.disk];
            if (disk !== undefined) carryOut(disk, one);
          }
        }
        together.forEach((disk, i) => {
          const other = alone[i] ?? new SimDisk();
          expect(contents(disk).sort()).toEqual(contents(other).sort());
          expect(disk.size).toBe(other.size);
          for (const key of KEYS) {
            expect(disk.get(key)).toEqual(other.get(key));
            expect(disk.isDurable(key)).toBe(other.isDurable(key));
          }
        });
      }),
    );
  });
});
