/** The table: core specification §5.5.7. At most one, of functions. */
import { featureError, limitError, wasmError } from '../error.ts';
import { FEATURE, typeFeature } from '../features.ts';
import { LIMITS } from '../limits.ts';
import type { Limits } from '../module.ts';
import type { ModuleReader } from './reader.ts';
import { readLimits } from './size-limits.ts';

const FUNCTION_REFERENCE = 0x70;
const WITH_INITIALISER = 0x40;

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
  const feature = type === WITH_INITIALISER ? FEATURE.functionReferences : typeFeature(type);
  if (feature !== undefined) return featureError(feature, at, `a table of type ${type}`);
  return wasmError('wasm.type', at, `a table of type ${type}; only functions are accepted`, {
    type,
  });
}
