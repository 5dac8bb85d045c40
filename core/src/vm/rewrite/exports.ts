/** Exports: the module's own, then those of metering. */
import type { Export, WasmModule } from '../module.ts';
import type { ByteSink } from './byte-sink.ts';
import { INTERNAL } from './internal.ts';

const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const;

/** Indices of what metering adds. */
export interface InternalIndices {
  readonly fuel: number;
  readonly stack: number;
  readonly status: number;
  readonly charge: number;
}

/** @returns all entries of the export section, in order */
export function exportsOf(
  { exports, start }: WasmModule,
  { fuel, stack, status, charge }: InternalIndices,
): readonly Pick<Export, 'name' | 'kind' | 'index'>[] {
  return [
    ...exports,
    { name: INTERNAL.fuel, kind: 'global', index: fuel },
    { name: INTERNAL.stack, kind: 'global', index: stack },
    { name: INTERNAL.status, kind: 'global', index: status },
    { name: INTERNAL.charge, kind: 'function', index: charge },
    ...(start === undefined
      ? []
      : [{ name: INTERNAL.start, kind: 'function' as const, index: start }]),
  ];
}

export function writeExport(
  out: ByteSink,
  { name, kind, index }: Pick<Export, 'name' | 'kind' | 'index'>,
): void {
  out.name(name);
  out.u8(KIND[kind]);
  out.u32(index);
}

/** Functions that can be called from outside. */
export function exportedFunctions({ exports, start }: WasmModule): ReadonlySet<number> {
  const indices = exports.filter(({ kind }) => kind === 'function').map(({ index }) => index);
  return new Set(start === undefined ? indices : [...indices, start]);
}
