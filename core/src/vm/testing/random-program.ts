/**
 * Random modules of the accepted language that are valid, run for a while and touch everything the
 * rewriter changes. A module exports `run : (i32, i64) → (i64)` and for every global a function
 * that gives its bits, so that no float has to pass through JavaScript to be compared.
 */
import fc from 'fast-check';
import { LIMITS } from '../limits.ts';
import { type FuncType, VALUE_TYPE, type ValueType } from '../module.ts';
import {
  i32 as constI32,
  dataAt,
  elementsAt,
  exportOf,
  flat,
  funcType,
  globalOf,
  importOf,
  leb,
  limits,
  moduleOf,
  passiveData,
  sleb,
} from './module-builder.ts';
import { Choices, numbersOf, randomBits, VALUE_TYPES } from './random-program-choices.ts';
import { randomBody, type Surroundings, typeIndex } from './random-program-code.ts';
import { HOST_IMPORTS } from './random-program-hosts.ts';

const { i32, i64, f32, f64 } = VALUE_TYPE;
const MOST_NUMBERS = 400;
const START: FuncType = { params: [], results: [] };
const ENTRY: FuncType = { params: [i32, i64], results: [i64] };

export interface RandomProgram {
  readonly bytes: Uint8Array;
  /** The same with the chain's bound of memory stated, which the engine alone would not keep. */
  readonly bounded: Uint8Array;
  /** Whether a start function runs first. */
  readonly hasStart: boolean;
  readonly args: readonly [i32: number, i64: bigint];
  /** Names of the exported functions that give a global's bits. */
  readonly globals: readonly string[];
}

/** The program that a row of numbers stands for. */
export function programOf(numbers: ArrayLike<number>): RandomProgram {
  const choices = new Choices(numbers);
  const args = [
    Number(BigInt.asIntN(32, randomBits(i32, choices))),
    BigInt.asIntN(64, randomBits(i64, choices)),
  ] as const;
  const types = [ENTRY];
  const imports = choices.once(2) ? HOST_IMPORTS : [];
  const hasStart = choices.once(5);
  const anyType = (): ValueType => choices.pick(VALUE_TYPES);
  const own = [
    ENTRY,
    ...choices.several(4, () => ({
      params: choices.several(3, anyType),
      results: choices.several(3, anyType),
    })),
    ...(hasStart ? [START] : []),
  ];
  const functions = [...imports.map(({ type }) => type), ...own];
  const globals = choices.several(4, () => ({
    type: anyType(),
    isMutable: !choices.once(5),
    bits: 0n,
  }));
  for (const global of globals) global.bits = randomBits(global.type, choices);
  const hasMemory = !choices.once(8);
  const pages = choices.pick([1, 2, 1, 1, 0, 1, 1, 2]);
  const maxPages = choices.once(2) ? undefined : pages + choices.next(3);
  const tableSize = choices.next(8);
  const slots = choices.several(tableSize, () => choices.next(functions.length));
  const passive = hasMemory ? choices.several(2, () => choices.next(40)) : [];
  const active = hasMemory && pages > 0 ? choices.several(2, () => choices.next(60_000)) : [];
  const around: Surroundings = {
    types,
    functions,
    globals,
    hasMemory,
    table:
      tableSize > 0
        ? [...Array.from({ length: tableSize - slots.length }, () => undefined), ...slots]
        : undefined,
    dataSegments: passive.length + active.length,
  };
  const bodies = own.map((type) => randomBody(type, around, choices));
  const getters = globals.map(({ type }, i) => flat(0x23, leb(i), BITS_OF[type]));
  const getter = typeIndex(types, { params: [], results: [i64] });
  const defined = [
    ...bodies.map(({ locals, code }, i) => ({
      type: typeIndex(types, own[i] ?? ENTRY),
      locals: locals.map((type) => [1, type] as const),
      code,
    })),
    ...getters.map((code) => ({ type: getter, code })),
  ];
  const imported = imports.map(({ name, type }) =>
    importOf('pyde', name, leb(typeIndex(types, type))),
  );
  const bytesWith = (most: number | undefined): Uint8Array =>
    moduleOf({
      types: types.map(({ params, results }) => funcType(params, results)),
      ...(imported.length === 0 ? {} : { imports: imported }),
      functions: defined,
      ...(tableSize === 0 ? {} : { table: limits(tableSize) }),
      ...(hasMemory ? { memory: limits(pages, most) } : {}),
      globals: globals.map(({ type, isMutable, bits }) =>
        globalOf(type, isMutable, constant(type, bits)),
      ),
      exports: [
        exportOf('run', 'function', imports.length),
        ...(hasMemory ? [exportOf('memory', 'memory')] : []),
        ...globals.map((_, i) => exportOf(`global${i}`, 'function', functions.length + i)),
      ],
      ...(hasStart ? { start: functions.length - 1 } : {}),
      ...(slots.length === 0
        ? {}
        : { elements: [elementsAt(constI32(tableSize - slots.length), slots)] }),
      ...(around.dataSegments === 0 ? {} : { dataCount: around.dataSegments }),
      data: [
        ...passive.map((length) => passiveData(patternOf(length))),
        ...active.map((at) => dataAt(constI32(at), patternOf(at % 50))),
      ],
    });
  const bytes = bytesWith(maxPages);
  const bounded = maxPages === undefined ? bytesWith(LIMITS.memoryPages) : bytes;
  return { bytes, bounded, hasStart, args, globals: globals.map((_, i) => `global${i}`) };
}

/** The program of a seed. */
export const programOfSeed = (seed: number): RandomProgram =>
  programOf(numbersOf(seed, 20 + (seed % MOST_NUMBERS)));

/** Any program; a failing one shrinks with the row of numbers it is made from. */
export const randomProgram: fc.Arbitrary<RandomProgram> = fc
  .array(fc.nat(2 ** 32 - 1), { maxLength: MOST_NUMBERS, size: 'max' })
  .map(programOf);

/** What makes an i64 of a value's bits. */
const BITS_OF: Record<ValueType, Uint8Array> = {
  [i32]: Uint8Array.of(0xad),
  [i64]: Uint8Array.of(),
  [f32]: Uint8Array.of(0xbc, 0xad),
  [f64]: Uint8Array.of(0xbd),
};

function constant(type: ValueType, bits: bigint): Uint8Array {
  if (type === i32) return flat(0x41, sleb(BigInt.asIntN(32, bits)));
  if (type === i64) return flat(0x42, sleb(BigInt.asIntN(64, bits)));
  const bytes = Uint8Array.from({ length: type === f32 ? 4 : 8 }, (_, i) =>
    Number((bits >> BigInt(8 * i)) & 0xffn),
  );
  return flat(type === f32 ? 0x43 : 0x44, bytes);
}

const patternOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
