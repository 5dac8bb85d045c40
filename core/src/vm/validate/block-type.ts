/** Types of blocks: core specification §5.4.1, s33. No result, one, or a type of the module. */
import type { ModuleReader } from '../decode/reader.ts';
import { indexError, wasmError } from '../error.ts';
import { numberType } from '../features.ts';
import {
  type FuncType,
  isValueType,
  VALUE_TYPE,
  type ValueType,
  type WasmModule,
} from '../module.ts';

const EMPTY = 0x40;

const NO_RESULT: FuncType = { params: [], results: [] };
const ONE_RESULT: Readonly<Record<ValueType, FuncType>> = {
  [VALUE_TYPE.i32]: { params: [], results: [VALUE_TYPE.i32] },
  [VALUE_TYPE.i64]: { params: [], results: [VALUE_TYPE.i64] },
  [VALUE_TYPE.f32]: { params: [], results: [VALUE_TYPE.f32] },
  [VALUE_TYPE.f64]: { params: [], results: [VALUE_TYPE.f64] },
};

export function readBlockType(reader: ModuleReader, module: WasmModule): FuncType {
  const at = reader.at;
  const byte = reader.bytes[at] ?? 0;
  if (byte === EMPTY || isValueType(byte)) {
    reader.skip(1);
    return byte === EMPTY ? NO_RESULT : ONE_RESULT[byte];
  }
  const index = reader.s33();
  if (index < 0) {
    // Throws: the byte was none of the four types.
    numberType(byte, at, 'a block');
    throw wasmError('wasm.type', at, 'a block has a negative type index', { typeIndex: index });
  }
  const type = module.types[index];
  if (type === undefined) throw indexError('type', index, module.types.length, at);
  return type;
}
