/**
 * The feature gate: what WebAssembly has and this chain does not run, by the name of the proposal
 * that brought it. Nothing here is ever run; it makes the refusal of a module say which compiler
 * setting to turn off.
 */
import { featureError, type WasmError, wasmError } from './error.ts';
import { isValueType, type ValueType } from './module.ts';
import { PREFIX, PREFIXED } from './operators.ts';

export const FEATURE = {
  simd: 'SIMD',
  threads: 'threads',
  referenceTypes: 'reference types',
  passiveElements: 'passive element segments',
  multipleTables: 'multiple tables',
  tailCalls: 'tail calls',
  exceptions: 'exception handling',
  functionReferences: 'typed function references',
  garbageCollection: 'garbage collection',
  stackSwitching: 'stack switching',
  multipleMemories: 'multiple memories',
  memory64: '64-bit memories',
  customPageSizes: 'custom page sizes',
  extendedConstants: 'extended constant expressions',
  wideArithmetic: '128-bit arithmetic',
} as const;

/** By opcode, first and last of a run. */
const OPERATOR_FEATURES: readonly (readonly [first: number, last: number, feature: string])[] = [
  [0x06, 0x0a, FEATURE.exceptions],
  [0x12, 0x13, FEATURE.tailCalls],
  [0x14, 0x15, FEATURE.functionReferences],
  [0x18, 0x19, FEATURE.exceptions],
  [0x1c, 0x1c, FEATURE.referenceTypes],
  [0x1f, 0x1f, FEATURE.exceptions],
  [0x25, 0x26, FEATURE.referenceTypes],
  [0xd0, 0xd2, FEATURE.referenceTypes],
  [0xd3, 0xd3, FEATURE.garbageCollection],
  [0xd4, 0xd6, FEATURE.functionReferences],
  [0xe0, 0xe6, FEATURE.stackSwitching],
  [0xfb, 0xfb, FEATURE.garbageCollection],
  [0xfd, 0xfd, FEATURE.simd],
  [0xfe, 0xfe, FEATURE.threads],
  // Behind the prefix 0xfc: table.init, elem.drop, table.copy, table.grow, table.size, table.fill.
  [PREFIXED + 12, PREFIXED + 14, FEATURE.passiveElements],
  [PREFIXED + 15, PREFIXED + 17, FEATURE.referenceTypes],
  [PREFIXED + 19, PREFIXED + 22, FEATURE.wideArithmetic],
];

/** The error for an operator that is not in `OPERATORS`; prefixed codes are 0x100 + sub-opcode. */
export function refusedOperator(code: number, offset: number): WasmError {
  const name =
    code >= PREFIXED ? `operator 0x${hex(PREFIX)} ${code - PREFIXED}` : `operator 0x${hex(code)}`;
  const feature = OPERATOR_FEATURES.find(([first, last]) => code >= first && code <= last)?.[2];
  if (feature !== undefined) return featureError(feature, offset, name);
  return wasmError('wasm.operator', offset, `there is no ${name}`, { operator: code });
}

/** By the first byte of a type that is none of the four numbers. */
const TYPE_FEATURES: readonly (readonly [first: number, last: number, feature: string])[] = [
  [0x7b, 0x7b, FEATURE.simd],
  [0x70, 0x70, FEATURE.referenceTypes],
  [0x6f, 0x6f, FEATURE.referenceTypes],
  [0x69, 0x69, FEATURE.exceptions],
  [0x74, 0x74, FEATURE.exceptions],
  [0x63, 0x64, FEATURE.functionReferences],
  [0x71, 0x73, FEATURE.garbageCollection],
  [0x6a, 0x6e, FEATURE.garbageCollection],
];

/** The feature that brought a type other than the four numbers, by the type's first byte. */
export function typeFeature(code: number): string | undefined {
  return TYPE_FEATURES.find(([first, last]) => code >= first && code <= last)?.[2];
}

/** A value type by its byte; `what` says where it stands. */
export function numberType(code: number, offset: number, what: string): ValueType {
  if (isValueType(code)) return code;
  const feature = typeFeature(code);
  const name = `${what}, type 0x${hex(code)},`;
  if (feature !== undefined) throw featureError(feature, offset, name);
  throw wasmError('wasm.type', offset, `${name} is no value type`, { type: code });
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
