import { describe, expect, it } from 'vitest';
import { blake3 } from '../../crypto/index.ts';
import { wat } from '../testing/wat.ts';
import { HostFault } from './host-fault.ts';
import { ModuleCache } from './module-cache.ts';
import { type PreparedModule, prepareModule } from './prepared-module.ts';

const AMPLE = { maxBytes: 1 << 30 };

/** Modules that differ in one constant, all of one length. */
const codes = Array.from({ length: 64 }, (_, i) =>
  wat(`(module (func (export "e") (drop (i32.const ${i}))))`),
);
const one = prepareModule(code(0), 'contract').estimatedBytes;

function code(index: number): Uint8Array {
  const bytes = codes[index];
  if (bytes === undefined) throw new Error(`no module ${index}`);
  return bytes;
}

function prepare(cache: ModuleCache, index: number): PreparedModule {
  return cache.prepare(blake3(code(index)), code(index), 'contract');
}

describe('the module cache', () => {
  it('prepares a module once, and reads its code only then', () => {
    const cache = new ModuleCache(AMPLE);
    let reads = 0;
    const read = (): Uint8Array => {
      reads++;
      return code(1);
    };
    const first = cache.prepare(blake3(code(1)), read, 'contract');
    expect(cache.prepare(blake3(code(1)), read, 'contract')).toBe(first);
    expect(reads).toBe(1);
    expect(first.entries).toEqual(new Set(['e']));
  });

  it('keeps what was prepared for contracts from parachains, and the other way', () => {
    const cache = new ModuleCache(AMPLE);
    const bytes = wat('(module (import "pyde" "parachain_id" (func (param i32) (result i32))))');
    cache.prepare(blake3(bytes), bytes, 'parachain');
    expect(() => cache.prepare(blake3(bytes), bytes, 'contract')).toThrow(
      expect.objectContaining({ code: 'wasm.parachain-only' }),
    );
  });

  it('takes code of another hash for a fault of this machine', () => {
    const cache = new ModuleCache(AMPLE);
    expect(() => cache.prepare(blake3(code(1)), code(2), 'contract')).toThrow(HostFault);
    expect(cache.held.modules).toBe(0);
  });

  it('holds no module that was refused', () => {
    const cache = new ModuleCache(AMPLE);
    const bad = Uint8Array.of(1, 2, 3);
    for (let i = 0; i < 3; i++) {
      expect(() => cache.prepare(blake3(bad), bad, 'contract')).toThrow(
        expect.objectContaining({ name: 'PydeError' }),
      );
    }
    expect(cache.held).toEqual({ modules: 0, bytes: 0 });
  });

  it('drops the module used longest ago, by number', () => {
    const cache = new ModuleCache({ ...AMPLE, maxModules: 3 });
    const [first, second, third] = [0, 1, 2].map((index) => prepare(cache, index));
    prepare(cache, 0);
    prepare(cache, 3);
    expect(cache.held.modules).toBe(3);
    expect(prepare(cache, 0)).toBe(first);
    expect(prepare(cache, 2)).toBe(third);
    expect(prepare(cache, 1)).not.toBe(second);
  });

  it('drops the module used longest ago, by estimated bytes', () => {
    const cache = new ModuleCache({ maxBytes: 3 * one });
    for (let index = 0; index < 10; index++) prepare(cache, index);
    expect(cache.held).toEqual({ modules: 3, bytes: 3 * one });
    const newest = prepare(cache, 9);
    const large = wat(`(module (func (export "e")
      ${'(drop (i32.const 1)) '.repeat(20_000)}))`);
    const held = cache.prepare(blake3(large), large, 'contract');
    expect(held.estimatedBytes).toBeGreaterThan(3 * one);
    expect(cache.held.bytes).toBeLessThanOrEqual(3 * one);
    expect(prepare(cache, 9)).not.toBe(newest);
  });

  it('estimates more than the code itself', () => {
    expect(one).toBeGreaterThan(code(0).length);
  });
});

describe('a prepared module', () => {
  it('can be entered by functions without parameters and results alone', () => {
    const { entries } = prepareModule(
      wat(`(module (memory (export "memory") 1) (global (export "g") i32 (i32.const 1))
        (func (export "a")) (func (export "b") (param i32)) (func (export "c") (result i32)
          (i32.const 1)) (func (export "d")))`),
      'contract',
    );
    expect(entries).toEqual(new Set(['a', 'd']));
  });

  it('names every host function once, whatever its forms', () => {
    const { imports } = prepareModule(
      wat(`(module (import "pyde" "tx_hash" (func (param i32)))
        (import "pyde" "tx_hash" (func (param i32) (result i32)))
        (import "pyde" "wave_id" (func (result i64))))`),
      'contract',
    );
    expect(imports).toEqual(['tx_hash', 'wave_id']);
  });
});
