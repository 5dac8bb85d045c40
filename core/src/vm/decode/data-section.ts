/** Data segments: core specification §5.5.14. Active ones of memory 0, and passive ones. */
import { featureError, wasmError } from '../error.ts';
import { FEATURE } from '../features.ts';
import type { DataSegment } from '../module.ts';
import { readConstantExpression } from './constant-expression.ts';
import type { ModuleReader } from './reader.ts';

const PASSIVE = 1;
const ACTIVE_WITH_MEMORY = 2;
const FORMS = 3;

export function readData(reader: ModuleReader): DataSegment[] {
  const segments: DataSegment[] = [];
  const count = reader.count('dataSegments', 2);
  for (let i = 0; i < count; i++) segments.push(readSegment(reader));
  return segments;
}

function readSegment(reader: ModuleReader): DataSegment {
  const at = reader.at;
  const form = reader.u32();
  if (form >= FORMS) {
    throw wasmError('wasm.form', at, `a data segment has the unknown form ${form}`, { form });
  }
  if (form === ACTIVE_WITH_MEMORY) readMemoryIndex(reader);
  const offset = form === PASSIVE ? undefined : readConstantExpression(reader);
  const length = reader.count('moduleBytes', 1);
  const start = reader.at;
  reader.skip(length);
  return { offset, bytes: { start, end: reader.at } };
}

function readMemoryIndex(reader: ModuleReader): void {
  const at = reader.at;
  const memory = reader.u32();
  if (memory !== 0) {
    throw featureError(FEATURE.multipleMemories, at, `a segment of memory ${memory}`);
  }
}
