import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { ByteMap, hashBytes } from './byte-map.ts';

const key = fc.uint8Array({ maxLength: 2 });
const change = fc.record({ key, value: fc.option(fc.nat()) });

describe('ByteMap', () => {
  it('holds what a map by hexadecimal strings holds', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const map = new ByteMap<number>();
        const model = new Map<string, number>();
        for (const { key, value } of changes) {
          const before = model.get(toHex(key));
          expect(value === null ? map.delete(key) : map.set(key, value)).toBe(before);
          if (value === null) model.delete(toHex(key));
          else model.set(toHex(key), value);
          expect(map.get(key)).toBe(value ?? undefined);
          expect(map.size).toBe(model.size);
        }
        const entries = [...map.entries()].map(([k, v]) => [toHex(k), v] as const);
        expect(new Map(entries)).toEqual(model);
      }),
    );
  });

  it('keeps keys apart that have one hash', () => {
    const map = new ByteMap<string>();
    const a = Uint8Array.of(146, 247, 13, 7, 182);
    const b = Uint8Array.of(27, 133, 13, 7, 81);
    expect(hashBytes(a)).toBe(hashBytes(b));
    map.set(a, 'a');
    map.set(b, 'b');
    expect([map.get(a), map.get(b), map.size]).toEqual(['a', 'b', 2]);
    expect(map.delete(a)).toBe('a');
    expect([map.get(a), map.get(b), map.size]).toEqual([undefined, 'b', 1]);
  });
});
