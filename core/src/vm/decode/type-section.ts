/** Function types: core specification §5.5.4. */
import { featureError, wasmError } from '../error.ts';
import { FEATURE, numberType } from '../features.ts';
import type { FuncType, ValueType } from '../module.ts';
import type { ModuleReader } from './reader.ts';

const FUNCTION = 0x60;

/** Struct, array, rec, sub and sub final. */
const COMPOSITES: ReadonlySet<number> = new Set([0x5f, 0x5e, 0x4e, 0x50, 0x4f]);
const CONTINUATION = 0x5d;

export function readTypes(reader: ModuleReader): FuncType[] {
  const types: FuncType[] = [];
  const count = reader.count('types', 2);
  for (let i = 0; i < count; i++) types.push(readFuncType(reader));
  return types;
}

function readFuncType(reader: ModuleReader): FuncType {
  const at = reader.at;
  const form = reader.u8();
  if (COMPOSITES.has(form)) {
    throw featureError(FEATURE.garbageCollection, at, 'a type that is no function type');
  }
  if (form === CONTINUATION) throw featureError(FEATURE.stackSwitching, at, 'a continuation type');
  if (form !== FUNCTION) {
    throw wasmError('wasm.form', at, `a type begins with ${form} and not with 0x60`, { form });
  }
  const params = readValueTypes(reader, 'params');
  const results = readValueTypes(reader, 'results');
  return { params, results };
}

function readValueTypes(reader: ModuleReader, limit: 'params' | 'results'): ValueType[] {
  const types: ValueType[] = [];
  const count = reader.count(limit, 1);
  for (let i = 0; i < count; i++) {
    const at = reader.at;
    types.push(numberType(reader.u8(), at, `${limit} ${i}`));
  }
  return types;
}
