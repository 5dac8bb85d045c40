/** Type indices of the functions a module defines: core specification §5.5.6. */
import type { ModuleReader } from './reader.ts';

export function readFunctionTypes(reader: ModuleReader): number[] {
  const typeIndices: number[] = [];
  const count = reader.count('functions', 1);
  for (let i = 0; i < count; i++) typeIndices.push(reader.u32());
  return typeIndices;
}
