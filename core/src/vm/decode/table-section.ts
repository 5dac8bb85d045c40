/** The table: core specification §5.5.7. At most one, of functions. */
import { featureError, limitError, wasmError } from '../error.ts';
import { FEATURE } from '../features.ts';
import { LIMITS } from '../limits.ts';
import type { Limits } from '../module.ts';
import type { ModuleReader } from './reader.ts';
import { readLimits } from './size-limits.ts';

const FUNCTION_REFERENCE = 0x70;
const EXTERNAL_REFERENCE = 0x6f;
/** A table with an initialiser, or of a reference type written out. */
const TYPED: ReadonlySet<number> = new Set([0x40, 0x63, 0x64]);

export function readTable(reader: ModuleReader): Limits | undefined {
  const at = reader.at;
  const count = reader.u32();
  if (count === 0) return undefined;
  if (count > 1) throw featureError(FEATURE.multipleTables, at, `a module of ${count} tables`);
  const typeAt = reader.at;
  const type = reader.u8();
  if (type !== FUNCTION_REFERENCE) throw refusedTable(type, typeAt);
  const table = readLimits(reader, 'table');
  if (table.min > LIMITS.tableEntries) {
    throw limitError('tableEntries', table.min, LIMITS.tableEntries, typeAt);
  }
  return table;
}

function refusedTable(type: number, at: number): Error {
  if (type === EXTERNAL_REFERENCE) {
    return featureError(FEATURE.referenceTypes, at, 'a table of external references');
  }
  if (TYPED.has(type)) return featureError(FEATURE.functionReferences, at, 'a typed table');
  return wasmError('wasm.type', at, `a table of type ${type}; only functions are accepted`, {
    type,
  });
}
