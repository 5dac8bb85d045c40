/**
 * A decoded module: WebAssembly core specification §2 (structure), restricted to what this chain
 * accepts. Code and data stay where they are in the bytes; everything else is a value. Numbers of
 * functions count imports first, then the module's own.
 */

/** Codes of the binary format, §5.3.1. */
export const VALUE_TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;
export type ValueType = 0x7f | 0x7e | 0x7d | 0x7c;

export function isValueType(code: number): code is ValueType {
  return code >= VALUE_TYPE.f64 && code <= VALUE_TYPE.i32;
}

const NAMES = ['f64', 'f32', 'i64', 'i32'] as const;

/** `i32`, `i64`, `f32` or `f64`. */
export function valueTypeName(type: ValueType): (typeof NAMES)[number] {
  return NAMES[type - VALUE_TYPE.f64] ?? 'i32';
}

/** A signature as people write it: `(i32, i64) → (i32)`. */
export function describeFuncType(type: FuncType): string {
  const list = (types: readonly ValueType[]): string => types.map(valueTypeName).join(', ');
  return `(${list(type.params)}) → (${list(type.results)})`;
}

/** Offsets into `WasmModule.bytes`; `end` is the first byte after. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface FuncType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export interface FunctionImport {
  readonly module: string;
  readonly name: string;
  readonly typeIndex: number;
  /** Where the import's entry starts. */
  readonly offset: number;
}

export interface Limits {
  readonly min: number;
  readonly max: number | undefined;
}

export interface ConstantExpression {
  readonly kind: 'i32' | 'i64' | 'f32' | 'f64';
  /** The one operator, without the final `end`. */
  readonly range: ByteRange;
  /** The bits, as an unsigned number. */
  readonly value: bigint;
}

export interface Global {
  readonly type: ValueType;
  readonly isMutable: boolean;
  readonly init: ConstantExpression;
}

export type ExportKind = 'function' | 'table' | 'memory' | 'global';

export interface Export {
  readonly name: string;
  readonly kind: ExportKind;
  readonly index: number;
  /** Where the export's entry starts. */
  readonly offset: number;
}

/** Active, of table 0. */
export interface ElementSegment {
  readonly offset: ConstantExpression;
  readonly functions: readonly number[];
}

export interface DataSegment {
  /** Undefined for a passive segment. */
  readonly offset: ConstantExpression | undefined;
  readonly bytes: ByteRange;
}

export interface LocalGroup {
  readonly count: number;
  readonly type: ValueType;
}

export interface FunctionBody {
  readonly typeIndex: number;
  readonly locals: readonly LocalGroup[];
  /** The operators, the final `end` included. */
  readonly code: ByteRange;
  /** Locals and operators; the size in front is left out. */
  readonly declaration: ByteRange;
}

export interface CustomSection {
  readonly name: string;
  readonly payload: ByteRange;
}

export interface WasmModule {
  readonly bytes: Uint8Array;
  readonly types: readonly FuncType[];
  /** Only functions can be imported. */
  readonly imports: readonly FunctionImport[];
  /** Those the module defines: function `imports.length + i`. */
  readonly functions: readonly FunctionBody[];
  readonly table: Limits | undefined;
  /** Pages of 64 KiB, as the module states them (not clamped). */
  readonly memory: Limits | undefined;
  readonly globals: readonly Global[];
  readonly exports: readonly Export[];
  /** Index of the start function. */
  readonly start: number | undefined;
  /** Where that index stands; 0 when there is none. */
  readonly startOffset: number;
  readonly elements: readonly ElementSegment[];
  /** What the DataCount section states, where there is one. */
  readonly dataCount: number | undefined;
  readonly data: readonly DataSegment[];
  readonly customs: readonly CustomSection[];
}

/** The type index of a function, import or defined; undefined beyond the last function. */
export function typeIndexOf(module: WasmModule, functionIndex: number): number | undefined {
  const imported = module.imports.length;
  return functionIndex < imported
    ? module.imports[functionIndex]?.typeIndex
    : module.functions[functionIndex - imported]?.typeIndex;
}
