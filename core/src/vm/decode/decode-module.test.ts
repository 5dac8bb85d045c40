import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../../bytes/index.ts';
import { LIMITS } from '../limits.ts';
import { VALUE_TYPE, type WasmModule } from '../module.ts';
import {
  customSection,
  dataAt,
  elementsAt,
  exportOf,
  f32,
  f64,
  flat,
  funcType,
  globalOf,
  i32,
  i64,
  importOf,
  leb,
  limits,
  moduleOf,
  OP,
  passiveData,
  rawModule,
  SECTION,
  section,
  sectionsOf,
  T,
} from '../testing/module-builder.ts';
import { decodeModule } from './decode-module.ts';

const { i32: I32, i64: I64, f32: F32, f64: F64 } = VALUE_TYPE;

const PARTS = {
  types: [funcType(), funcType([T.i32, T.i64], [T.f32, T.f64])],
  imports: [importOf('pyde', 'caller', leb(1))],
  functions: [
    { type: 0, code: [] },
    {
      type: 0,
      locals: [
        [3, T.i32],
        [0, T.f32],
        [2, T.f64],
      ] as const,
      code: [OP.nop],
    },
  ],
  table: limits(2, 7),
  memory: limits(1),
  globals: [
    globalOf(T.i32, true, i32(-1)),
    globalOf(T.i64, false, i64(-(2n ** 63n))),
    globalOf(T.f32, false, f32(0x7fa0_0001)),
    globalOf(T.f64, true, f64(0xfff0_0000_0000_0001n)),
  ],
  exports: [
    exportOf('run', 'function', 2),
    exportOf('memory', 'memory'),
    exportOf('', 'global', 3),
  ],
  start: 1,
  elements: [
    elementsAt(i32(1), [2, 0]),
    // Form 2: table 0, in a longer encoding, and the kind of element written out.
    flat(2, leb(0, 5), i32(0), OP.end, 0, 1, 1),
  ],
  dataCount: 3,
  data: [dataAt(i32(8), [1, 2, 3]), passiveData([4, 5]), flat(2, 0, i32(9), OP.end, 1, 6)],
  customs: [['notes', [7, 7]]] as const,
};

const slice = (module: WasmModule, range: { start: number; end: number }): number[] => [
  ...module.bytes.subarray(range.start, range.end),
];

function codeOf(bytes: Uint8Array): string {
  try {
    decodeModule(bytes);
  } catch (error) {
    return isPydeError(error) ? error.code : String(error);
  }
  return 'decoded';
}

describe('decodeModule', () => {
  const module = decodeModule(moduleOf(PARTS));

  it('decodes the module of no sections', () => {
    expect(decodeModule(rawModule())).toEqual({
      bytes: rawModule(),
      types: [],
      imports: [],
      functions: [],
      table: undefined,
      memory: undefined,
      globals: [],
      exports: [],
      start: undefined,
      startOffset: 0,
      elements: [],
      dataCount: undefined,
      data: [],
      customs: [],
    });
  });

  it('reads types, imports and limits', () => {
    expect(module.types).toEqual([
      { params: [], results: [] },
      { params: [I32, I64], results: [F32, F64] },
    ]);
    expect(module.imports).toMatchObject([{ module: 'pyde', name: 'caller', typeIndex: 1 }]);
    expect(module.table).toEqual({ min: 2, max: 7 });
    expect(module.memory).toEqual({ min: 1, max: undefined });
    expect(module.start).toBe(1);
    expect(module.bytes.subarray(module.startOffset - 2, module.startOffset + 1)).toEqual(
      Uint8Array.of(SECTION.start, 1, 1),
    );
  });

  it('reads constants to the bit', () => {
    expect(
      module.globals.map(({ type, isMutable, init }) => [type, isMutable, init.value]),
    ).toEqual([
      [I32, true, 0xffff_ffffn],
      [I64, false, 0x8000_0000_0000_0000n],
      [F32, false, 0x7fa0_0001n],
      [F64, true, 0xfff0_0000_0000_0001n],
    ]);
    expect(module.globals.map(({ init }) => init.kind)).toEqual(['i32', 'i64', 'f32', 'f64']);
    const [first] = module.globals;
    expect(first && slice(module, first.init.range)).toEqual([OP.i32_const, 0x7f]);
  });

  it('says where bodies, segments and custom sections lie', () => {
    const [, body] = module.functions;
    expect(body?.locals).toEqual([
      { count: 3, type: I32 },
      { count: 0, type: F32 },
      { count: 2, type: F64 },
    ]);
    expect(body && slice(module, body.code)).toEqual([OP.nop, OP.end]);
    expect(body && slice(module, body.declaration)).toEqual([
      ...[3, 3, T.i32, 0, T.f32, 2, T.f64],
      ...[OP.nop, OP.end],
    ]);
    expect(module.elements.map(({ functions }) => functions)).toEqual([[2, 0], [1]]);
    expect(module.elements.map(({ offset }) => offset.value)).toEqual([1n, 0n]);
    expect(module.data.map(({ offset }) => offset?.value)).toEqual([8n, undefined, 9n]);
    expect(module.data.map(({ bytes }) => slice(module, bytes))).toEqual([[1, 2, 3], [4, 5], [6]]);
    expect(module.customs.map((c) => [c.name, slice(module, c.payload)])).toEqual([
      ['notes', [7, 7]],
    ]);
  });

  it('reads exports of every kind', () => {
    expect(module.exports.map(({ name, kind, index }) => [name, kind, index])).toEqual([
      ['run', 'function', 2],
      ['memory', 'memory', 0],
      ['', 'global', 3],
    ]);
  });

  it('accepts custom sections anywhere, of one name too', () => {
    const sections = sectionsOf(PARTS).flatMap((one) => [customSection('x', [1]), one]);
    expect(decodeModule(rawModule(sections)).customs).toHaveLength(sections.length / 2 + 1);
  });

  it('refuses every pair of sections in the wrong order, and every section twice', () => {
    const sections = sectionsOf({ ...PARTS, customs: [] });
    for (const [i, one] of sections.entries()) {
      expect(codeOf(rawModule(sections.slice(0, i + 1), one))).toBe('wasm.section-order');
      for (const later of sections.slice(i + 1)) {
        expect(['wasm.section-order', 'wasm.index', 'wasm.count']).toContain(
          codeOf(rawModule(later, one)),
        );
      }
    }
  });

  it('refuses every prefix of a module that does not end between two sections', () => {
    const bytes = moduleOf(PARTS);
    const between = new Set([8]);
    let at = 8;
    for (const one of sectionsOf(PARTS)) {
      at += one.length;
      between.add(at);
    }
    for (let length = 0; length < bytes.length; length++) {
      const code = codeOf(bytes.subarray(0, length));
      if (between.has(length)) expect(['decoded', 'wasm.count']).toContain(code);
      else expect(code, `${length}`).toBe('wasm.truncated');
    }
  });

  it('reads a module that lies inside a larger buffer', () => {
    const bytes = moduleOf(PARTS);
    const wide = new Uint8Array(bytes.length + 20).fill(0xff);
    wide.set(bytes, 10);
    const inner = decodeModule(wide.subarray(10, 10 + bytes.length));
    expect(inner.types).toEqual(module.types);
    expect(inner.bytes).toEqual(bytes);
  });

  it('refuses a module above 1 MiB before it reads a byte', () => {
    expect(codeOf(new Uint8Array(LIMITS.moduleBytes + 1))).toBe('wasm.limit');
    const filler = LIMITS.moduleBytes - 8 - 1 - 3 - 2;
    const largest = rawModule(section(SECTION.custom, [1, 0x78, new Uint8Array(filler)]));
    expect(largest).toHaveLength(LIMITS.moduleBytes);
    expect(codeOf(largest)).toBe('decoded');
  });

  it('lets nothing but its own errors out, whatever bytes follow the preamble', () => {
    const id = fc.integer({ min: 0, max: 13 });
    const sections = fc.array(fc.tuple(id, fc.uint8Array({ maxLength: 40 })), { maxLength: 6 });
    fc.assert(
      fc.property(sections, (list) => {
        const code = codeOf(rawModule(list.map(([which, content]) => section(which, content))));
        expect(code).toMatch(/^(decoded|wasm\.[a-z0-9-]+)$/);
      }),
      { numRuns: 2_000 },
    );
  });
});
