/// <reference path="../../webassembly.d.ts" />
import { describe, expect, test } from 'vitest';
import { decodeModule } from '../decode/index.ts';
import { LIMITS } from '../limits.ts';
import { functionModule, OP } from '../testing/module-builder.ts';
import { programOfSeed } from '../testing/random-program.ts';
import { wat } from '../testing/wat.ts';
import { validateModule } from '../validate/index.ts';
import { INTERNAL, rewriteModule } from './index.ts';
import { Metered, rewritten, runOnce } from './testing/metered.ts';

const fromBytes = (bytes: Uint8Array) =>
  rewriteModule(validateModule(decodeModule(bytes), 'contract'));

const SAMPLES: Record<string, string> = {
  nothing: '',
  'several results': `
    (func $two (param i32) (result i32 i64) (if (local.get 0) (then (return (i32.const 1) (i64.const 2))))
      (br 0 (i32.const 3) (i64.const 4)))
    (func (export "f") (result i64) (local i64)
      (call $two (i32.const 0)) (local.set 0) (drop) (local.get 0))`,
  'block types with params': `
    (func (export "f") (param i32) (result i32) (local.get 0) (local.get 0)
      (block (param i32 i32) (result i32) (i32.add))
      (loop (param i32) (result i32) (br_if 0 (i32.const 0)))
      (if (param i32) (result i32) (i32.const 1) (then) (else (drop) (i32.const 2))))`,
  'code that is never reached': `
    (func (export "f") (result i32) (block (result i32)
      (br 0 (i32.const 1)) (i32.add) (block (unreachable) (drop)) (if (result i32) (then (i32.const 1)) (else (unreachable))))
      (loop (br 0) (drop)) (unreachable) (f64.add) (drop))`,
  'everything a module can have': `
    (type (func)) (import "pyde" "caller" (func (param i32) (result i32)))
    (table 3 10 funcref) (memory 1 2) (global i32 (i32.const 5)) (global (mut f64) (f64.const nan:0x4))
    (export "m" (memory 0)) (export "t" (table 0)) (export "g" (global 0)) (export "h" (func 0))
    (start 1) (elem (i32.const 1) 0 1) (data (i32.const 4) "abc") (data "passive")
    (func) (func (export "f") (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 7)) (data.drop 1))`,
};

describe('a rewritten module', () => {
  test.each(Object.entries(SAMPLES))('is valid and always the same: %s', (_, text) => {
    const { bytes } = rewritten(text);
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(rewritten(text).bytes).toEqual(bytes);
  });

  test('is valid and always the same for random programs', () => {
    for (let seed = 0; seed < 200; seed++) {
      const { bytes } = programOfSeed(seed);
      const first = fromBytes(bytes).bytes;
      expect(WebAssembly.validate(first)).toBe(true);
      expect(fromBytes(bytes).bytes).toEqual(first);
    }
  });

  test('of a module with nothing in it has these bytes', () => {
    const expected = wat(`(module
      (type (func (param i32)))
      (global (mut i64) (i64.const 0)) (global (mut i32) (i32.const 0)) (global (mut i32) (i32.const 0))
      (export "\\00fuel" (global 0)) (export "\\00stack" (global 1)) (export "\\00status" (global 2))
      (export "\\00charge" (func 0))
      (func (type 0)
        (global.set 0 (i64.sub (global.get 0) (i64.extend_i32_u (local.get 0))))
        (if (i64.lt_s (global.get 0) (i64.const 0))
          (then (global.set 2 (i32.const 1)) (unreachable)))))`);
    expect(rewritten('').bytes).toEqual(expected);
  });

  test('takes gas and slots in these bytes', () => {
    const original = '(func (export "f") (param i32) (result i32) (i32.load (local.get 0)))';
    const { bytes } = rewritten(`(memory 1) ${original}`);
    expect(hex(bytes)).toContain(
      // if stack < 11 { status = 2; trap }
      '2301410b48044041022402000b' +
        // fuel = local 1 = fuel − 2; if < 0 { fuel = local 1; status = 1; trap }
        '230042027d220142005304402001240041012402000b' +
        // fuel = local 1, before the load
        '200020012400280200' +
        '0b',
    );
  });

  test('has no custom sections', () => {
    const plain = wat('(module (func (export "f")))');
    const custom = [0x00, 0x05, 0x04, ...new TextEncoder().encode('name')];
    expect(fromBytes(Uint8Array.from([...plain, ...custom])).bytes).toEqual(fromBytes(plain).bytes);
  });

  test('never runs its start function by itself', () => {
    const text =
      '(global $g (mut i32) (i32.const 0)) (export "g" (global $g)) ' +
      '(func $s (global.set $g (i32.const 9))) (start $s)';
    const module = rewritten(text);
    const metered = new Metered(module);
    expect(module.hasStart).toBe(true);
    expect(globalOf(metered, 'g')).toBe(0);
    expect(metered.run(INTERNAL.start, [], { fuel: 100n })).toMatchObject({ fuelLeft: 98n });
    expect(globalOf(metered, 'g')).toBe(9);
  });

  test('asks for a memory only when the module has one', () => {
    expect(rewritten('').memory).toBeUndefined();
    expect(rewritten('(memory 3 5)').memory).toEqual({ minPages: 3, maxPages: 5 });
    expect(rewritten('(memory 0 0)').memory).toEqual({ minPages: 0, maxPages: 0 });
  });

  test('keeps the numbers of functions, globals and types', () => {
    const metered = new Metered(rewritten(SAMPLES['everything a module can have'] ?? ''), {
      caller: () => 3,
    });
    expect(globalOf(metered, 'g')).toBe(5);
    expect(metered.run('f')).toMatchObject({ end: 'returned' });
    expect(metered.run('h', [1]).result).toBe(3);
    const bytes = new Uint8Array(metered.memory?.buffer ?? new ArrayBuffer(0)).subarray(0, 7);
    expect(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)).toBe(
      'passive',
    );
  });

  test('returns several results on every way out', () => {
    expect(runOnce(SAMPLES['several results'] ?? '')).toMatchObject({ result: 4n });
  });

  test('is accepted by the engine at the bounds of what a module may have', () => {
    const locals = `(func (export "f") ${`(local ${'i64 '.repeat(1_000)})`.repeat(LIMITS.locals / 1_000)} (drop (i32.const 1)))`;
    expect(WebAssembly.validate(rewritten(locals).bytes)).toBe(true);
    const depth = LIMITS.blockDepth - 1;
    const nested = Uint8Array.from(
      [
        ...Array<number[]>(depth).fill([OP.block, 0x40]),
        ...Array<number[]>(depth).fill([OP.end]),
      ].flat(),
    );
    expect(WebAssembly.validate(fromBytes(functionModule(nested)).bytes)).toBe(true);
    const results = `(result ${'i32 '.repeat(LIMITS.results)})`;
    const many = `(func (export "f") ${results} (return ${'(i32.const 1)'.repeat(LIMITS.results)}))`;
    expect(
      WebAssembly.validate(
        rewritten(`${many} (func (call 0) ${'(drop)'.repeat(LIMITS.results)})`).bytes,
      ),
    ).toBe(true);
    // Of everything that fits into a body, calls grow most.
    const calls = `(func $f) (func (export "f") ${'(call $f)'.repeat(LIMITS.bodyBytes / 2 - 8)})`;
    expect(WebAssembly.validate(rewritten(calls).bytes)).toBe(true);
  });
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const globalOf = (metered: Metered, name: string): unknown =>
  (metered.exports[name] as WebAssembly.Global).value;
