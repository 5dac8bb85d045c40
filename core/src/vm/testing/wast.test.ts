/// <reference path="../../webassembly.d.ts" />
import { describe, expect, it } from 'vitest';
import { rawModule } from './module-builder.ts';
import { modulesOf } from './wast.ts';
import { wat } from './wat.ts';
import { withoutImports } from './without-imports.ts';

const SCRIPT = String.raw`
;; (module) in a comment
(module $a (func (export "(;") nop)) (; (module (; nested ;)) ;)
(module binary "\00asm" "\01\00\00\00")
(assert_return (invoke "f") (i32.const 1))
(assert_invalid (module (func drop)) "type \"mismatch\"")
(assert_malformed (module binary "\00as") "unexpected end")
(assert_malformed (module quote "(func nonsense)") "unknown operator")
(assert_unlinkable (module (import "x" "y" (func))) "unknown import")
(assert_trap (invoke "f") "unreachable")
(assert_trap (module (func $f unreachable) (start $f)) "unreachable")
`;

describe('wast', () => {
  it('finds the modules of a script and what it says of them', () => {
    const found = modulesOf(SCRIPT);
    expect(found.map(({ line, expectation, reason }) => [line, expectation, reason])).toEqual([
      [3, 'valid', ''],
      [4, 'valid', ''],
      [6, 'invalid', 'type "mismatch"'],
      [7, 'malformed', 'unexpected end'],
      [8, 'malformed', 'unknown operator'],
      [9, 'valid', ''],
      [11, 'valid', ''],
    ]);
    const bytes = found.map((module) => module.bytes);
    expect(bytes[0]).toEqual(wat('(module (func (export "(;") nop))'));
    expect(bytes[1]).toEqual(rawModule());
    expect(bytes[3]).toEqual(Uint8Array.of(0, 0x61, 0x73));
    expect(bytes[4]).toBeUndefined();
  });

  it('refuses scripts whose parentheses do not close', () => {
    expect(() => modulesOf('(module')).toThrow('not closed');
    expect(() => modulesOf('(module))')).toThrow('too many');
  });
});

describe('withoutImports', () => {
  it('makes imports into definitions, with every index as it was', () => {
    const imported = `
      (import "a" "f" (func $f (param i32) (result i32)))
      (import "a" "t" (table 3 funcref))
      (import "a" "m" (memory 2 4))
      (import "a" "g" (global $g (mut i64)))`;
    const defined = `
      (func $f (param i32) (result i32) unreachable)
      (table 3 funcref) (memory 2 4) (global $g (mut i64) (i64.const 0))`;
    const rest = `
      (global $h i32 (i32.const 1))
      (func (export "run") (global.set $g (i64.extend_i32_s (call $f (global.get $h)))))
      (elem (i32.const 0) $f)
      (data (i32.const 0) "x")`;
    const bytes = withoutImports(wat(`(module ${imported} ${rest})`));
    expect(bytes).toEqual(withoutImports(bytes));
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(bytes).toEqual(
      wat(`(module (type (func (param i32) (result i32))) ${defined} ${rest})`),
    );
  });

  it('leaves alone what is too broken to tell', () => {
    const broken = Uint8Array.of(...rawModule(), 2, 1, 9);
    expect(withoutImports(broken)).toEqual(broken);
  });
});
