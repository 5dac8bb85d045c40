/**
 * The feature gate from text: every sample is compiled with its feature switched on, and the gate
 * accepts it or refuses it by name. With the feature off the compiler refuses the text, wherever its
 * parser looks at the feature, so the samples do need it.
 */
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { decodeModule, validateModule } from './index.ts';
import { functionModule, rawModule, SECTION, section } from './testing/module-builder.ts';
import { wat } from './testing/wat.ts';

/** The compiler knows one flag more than its types say. */
type Flag = keyof NonNullable<Parameters<typeof wat>[1]> | 'multi_memory';

interface Sample {
  readonly flag: Flag;
  readonly text: string;
  /** The text parser lets it pass with the flag off. */
  readonly parses?: true;
}

const check = (bytes: Uint8Array) => validateModule(decodeModule(bytes), 'contract');

function refusal(bytes: Uint8Array): unknown {
  try {
    check(bytes);
  } catch (error) {
    return isPydeError(error) ? [error.code, error.details['feature']] : error;
  }
  return 'accepted';
}

const inFunction = (code: string): string =>
  `(module (memory 1) (table 1 funcref) (type $t (func)) (func $f ${code}))`;

const ACCEPTED: readonly Sample[] = [
  { flag: 'sign_extension', text: inFunction('(drop (i32.extend8_s (i32.const 1)))') },
  { flag: 'sign_extension', text: inFunction('(drop (i64.extend32_s (i64.const 1)))') },
  { flag: 'sat_float_to_int', text: inFunction('(drop (i32.trunc_sat_f32_s (f32.const 1)))') },
  { flag: 'sat_float_to_int', text: inFunction('(drop (i64.trunc_sat_f64_u (f64.const 1)))') },
  {
    flag: 'multi_value',
    parses: true,
    text: '(module (func (result i32 i64) i32.const 1 i64.const 2))',
  },
  {
    flag: 'multi_value',
    parses: true,
    text: inFunction('i32.const 1 (block (param i32) (result i32 i32) i32.const 2) drop drop'),
  },
  {
    flag: 'mutable_globals',
    parses: true,
    text: '(module (global (export "g") (mut i32) (i32.const 1)))',
  },
  {
    flag: 'bulk_memory',
    text: inFunction('(memory.copy (i32.const 0) (i32.const 1) (i32.const 2))'),
  },
  {
    flag: 'bulk_memory',
    text: inFunction('(memory.fill (i32.const 0) (i32.const 1) (i32.const 2))'),
  },
  {
    flag: 'bulk_memory',
    text: `(module (memory 1) (data $d "passive")
      (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $d)))`,
  },
];

const REFUSED: readonly (Sample & { readonly feature: string })[] = [
  { flag: 'simd', feature: 'SIMD', text: inFunction('(drop (v128.const i64x2 0 0))') },
  { flag: 'simd', feature: 'SIMD', text: '(module (func (param v128)))' },
  { flag: 'simd', feature: 'SIMD', text: '(module (func (local v128)))' },
  { flag: 'simd', feature: 'SIMD', text: '(module (global v128 (v128.const i64x2 0 0)))' },
  {
    flag: 'relaxed_simd',
    feature: 'SIMD',
    text: inFunction(
      '(drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0)))',
    ),
  },
  { flag: 'threads', feature: 'threads', parses: true, text: '(module (memory 1 2 shared))' },
  {
    flag: 'threads',
    feature: 'threads',
    text: inFunction('(drop (i32.atomic.load (i32.const 0)))'),
  },
  { flag: 'threads', feature: 'threads', text: inFunction('(atomic.fence)') },
  {
    flag: 'reference_types',
    feature: 'reference types',
    text: '(module (func (param externref)))',
  },
  { flag: 'reference_types', feature: 'reference types', text: '(module (table 1 externref))' },
  {
    flag: 'reference_types',
    feature: 'reference types',
    text: inFunction('(drop (ref.null func))'),
  },
  {
    flag: 'reference_types',
    feature: 'reference types',
    text: inFunction('(drop (table.size 0))'),
  },
  {
    flag: 'reference_types',
    feature: 'reference types',
    text: inFunction('(drop (table.grow 0 (ref.null func) (i32.const 1)))'),
  },
  {
    flag: 'reference_types',
    feature: 'reference types',
    text: inFunction('(drop (table.get 0 (i32.const 0)))'),
  },
  {
    flag: 'reference_types',
    feature: 'reference types',
    text: inFunction('(drop (select (result i32) (i32.const 1) (i32.const 2) (i32.const 3)))'),
  },
  {
    flag: 'reference_types',
    feature: 'reference types',
    text: '(module (func $f) (elem declare func $f))',
  },
  {
    flag: 'reference_types',
    feature: 'multiple tables',
    parses: true,
    text: '(module (table 1 funcref) (table 1 funcref))',
  },
  {
    flag: 'reference_types',
    feature: 'reference types',
    text: '(module (table 1 funcref) (elem (i32.const 0) funcref (ref.null func)))',
  },
  {
    flag: 'bulk_memory',
    feature: 'passive element segments',
    text: '(module (table 1 funcref) (func $f) (elem func $f))',
  },
  {
    flag: 'bulk_memory',
    feature: 'passive element segments',
    text: inFunction('(table.copy (i32.const 0) (i32.const 0) (i32.const 0))'),
  },
  { flag: 'tail_call', feature: 'tail calls', text: inFunction('(return_call $f)') },
  {
    flag: 'tail_call',
    feature: 'tail calls',
    text: inFunction('(return_call_indirect (type $t) (i32.const 0))'),
  },
  { flag: 'exceptions', feature: 'exception handling', text: '(module (tag))' },
  {
    flag: 'exceptions',
    feature: 'exception handling',
    parses: true,
    text: '(module (import "pyde" "tag" (tag)))',
  },
  { flag: 'exceptions', feature: 'exception handling', text: inFunction('(try (do) (catch_all))') },
  {
    flag: 'multi_memory',
    feature: 'multiple memories',
    parses: true,
    text: '(module (memory 1) (memory 1))',
  },
  { flag: 'memory64', feature: '64-bit memories', parses: true, text: '(module (memory i64 1))' },
  {
    flag: 'extended_const',
    feature: 'extended constant expressions',
    parses: true,
    text: '(module (global i32 (i32.add (i32.const 1) (i32.const 2))))',
  },
];

describe('the feature gate', () => {
  it.each(ACCEPTED)('accepts what needs $flag: $text', ({ flag, text }) => {
    expect(refusal(wat(text, { [flag]: true }))).toBe('accepted');
  });

  it.each(REFUSED)('refuses $feature: $text', ({ flag, feature, text }) => {
    expect(refusal(wat(text, { [flag]: true }))).toEqual(['wasm.feature', feature]);
  });

  it.each([...ACCEPTED, ...REFUSED].filter(({ parses }) => parses !== true))(
    'has a sample that needs $flag: $text',
    ({ flag, text }) => {
      expect(() => wat(text, { [flag]: false })).toThrow();
    },
  );

  it.each([
    'simd',
    'threads',
    'tail_call',
    'exceptions',
    'multi_memory',
    'extended_const',
    'gc',
    'reference_types',
    'function_references',
  ] as const)('accepts a module that was compiled with %s on and does not use it', (flag) => {
    const text = `(module (import "pyde" "caller" (func $caller (param i32) (result i32)))
      (memory 1) (table 2 funcref) (elem (i32.const 0) $run $caller)
      (func $run (export "run") (local i32)
        (drop (call $caller (i32.const 0)))
        (call_indirect (i32.const 0))
        (drop (memory.grow (i32.const 1)))
        (drop (select (i32.const 1) (i32.const 2) (local.get 0)))))`;
    expect(refusal(wat(text, { [flag]: true }))).toBe('accepted');
  });

  it.each([
    ['struct.new', [0xfb, 0x00, 0x00], 'garbage collection'],
    ['ref.eq', [0xd3], 'garbage collection'],
    ['throw_ref', [0x0a], 'exception handling'],
    ['try_table', [0x1f, 0x40, 0x00, 0x0b], 'exception handling'],
    ['cont.new', [0xe0, 0x00], 'stack switching'],
    ['resume', [0xe3, 0x00, 0x00], 'stack switching'],
    ['i64.add128', [0xfc, 19], '128-bit arithmetic'],
    ['call_ref', [0x14, 0x00], 'typed function references'],
    ['br_on_null', [0xd5, 0x00], 'typed function references'],
  ])('refuses %s, for which there is no text', (_, code, feature) => {
    expect(refusal(functionModule(code))).toEqual(['wasm.feature', feature]);
  });

  it.each([
    ['a struct', [0x5f, 0x00], 'garbage collection'],
    ['a recursive group', [0x4e, 0x00], 'garbage collection'],
    ['a continuation', [0x5d, 0x00], 'stack switching'],
    ['a parameter of a typed reference', [0x60, 1, 0x64, 0, 0], 'typed function references'],
    ['a parameter of any reference', [0x60, 0x01, 0x6e, 0x00], 'garbage collection'],
    ['a parameter of a caught exception', [0x60, 0x01, 0x69, 0x00], 'exception handling'],
  ])('refuses the type of %s', (_, type, feature) => {
    const bytes = rawModule(section(SECTION.type, [1, type]));
    expect(refusal(bytes)).toEqual(['wasm.feature', feature]);
  });

  it.each([0x16, 0x17, 0x1d, 0x27, 0xc5, 0xff])('knows no operator %i', (code) => {
    expect(refusal(functionModule([code]))).toEqual(['wasm.operator', undefined]);
  });
});
