/**
 * What follows the opcode of an operator whose operands do not depend on it (core specification
 * §5.4): constants, memory arguments, indices of memories and data segments.
 */
import type { ModuleReader } from '../decode/reader.ts';
import { featureError, indexError, wasmError } from '../error.ts';
import { FEATURE } from '../features.ts';
import type { WasmModule } from '../module.ts';
import { IMMEDIATE, NATURAL_ALIGNMENT } from '../operators.ts';

/** A memory argument's alignment bit that announces the index of a memory. */
const HAS_MEMORY_INDEX = 0x40;

/** Reads an immediate of one of the kinds in `IMMEDIATE` and checks it against the module. */
export function readImmediate(
  reader: ModuleReader,
  module: WasmModule,
  kind: number,
  code: number,
): void {
  switch (kind) {
    case IMMEDIATE.memoryArgument:
      needMemory(reader, module);
      readMemoryArgument(reader, NATURAL_ALIGNMENT[code] ?? 0);
      break;
    case IMMEDIATE.i32:
      reader.s32();
      break;
    case IMMEDIATE.i64:
      reader.skipS64();
      break;
    case IMMEDIATE.f32:
      reader.skip(4);
      break;
    case IMMEDIATE.f64:
      reader.skip(8);
      break;
    case IMMEDIATE.memory:
      needMemory(reader, module);
      readMemoryIndex(reader);
      break;
    case IMMEDIATE.twoMemories:
      needMemory(reader, module);
      readMemoryIndex(reader);
      readMemoryIndex(reader);
      break;
    case IMMEDIATE.dataAndMemory:
      readDataIndex(reader, module);
      needMemory(reader, module);
      readMemoryIndex(reader);
      break;
    case IMMEDIATE.data:
      readDataIndex(reader, module);
      break;
  }
}

function needMemory(reader: ModuleReader, module: WasmModule): void {
  if (module.memory !== undefined) return;
  throw wasmError('wasm.index', reader.at, 'the module has no memory');
}

function readMemoryArgument(reader: ModuleReader, natural: number): void {
  const at = reader.at;
  const alignment = reader.u32();
  if (alignment > natural) {
    if (alignment >= HAS_MEMORY_INDEX && alignment < 2 * HAS_MEMORY_INDEX) {
      throw featureError(FEATURE.multipleMemories, at, 'an access with a memory index');
    }
    throw wasmError('wasm.alignment', at, `alignment 2^${alignment} is above 2^${natural}`, {
      alignment,
      natural,
    });
  }
  reader.u32();
}

function readMemoryIndex(reader: ModuleReader): void {
  const at = reader.at;
  if (reader.u8() !== 0) {
    throw featureError(FEATURE.multipleMemories, at, 'the index of a memory other than 0');
  }
}

/** Needs the data count section, by which code can be checked before data is read. */
function readDataIndex(reader: ModuleReader, module: WasmModule): void {
  const at = reader.at;
  const index = reader.u32();
  const count = module.dataCount;
  if (count === undefined) {
    throw wasmError('wasm.index', at, 'a data segment is named without a data count section');
  }
  if (index >= count) throw indexError('data segment', index, count, at);
}
