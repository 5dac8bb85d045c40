/**
 * Element segments: core specification §5.5.12. Active ones of table 0 that list function indices
 * (forms 0 and 2).
 */
import { featureError, wasmError } from '../error.ts';
import { FEATURE } from '../features.ts';
import type { ElementSegment } from '../module.ts';
import { readConstantExpression } from './constant-expression.ts';
import type { ModuleReader } from './reader.ts';

const ACTIVE = 0;
const PASSIVE = 1;
const ACTIVE_WITH_TABLE = 2;
const FORMS = 8;
const ELEMENT_KIND_FUNCTION = 0x00;

export function readElements(reader: ModuleReader): ElementSegment[] {
  const segments: ElementSegment[] = [];
  const count = reader.count('elementSegments', 3);
  for (let i = 0; i < count; i++) segments.push(readElement(reader));
  return segments;
}

function readElement(reader: ModuleReader): ElementSegment {
  const at = reader.at;
  const form = reader.u32();
  if (form >= FORMS) {
    throw wasmError('wasm.form', at, `an element segment has the unknown form ${form}`, { form });
  }
  if (form === PASSIVE) throw featureError(FEATURE.passiveElements, at, 'an element segment');
  if (form !== ACTIVE && form !== ACTIVE_WITH_TABLE) {
    throw featureError(FEATURE.referenceTypes, at, `an element segment of form ${form}`);
  }
  if (form === ACTIVE_WITH_TABLE) readTableIndex(reader);
  const offset = readConstantExpression(reader);
  if (form === ACTIVE_WITH_TABLE) readElementKind(reader);
  const functions: number[] = [];
  const count = reader.count('elementFunctions', 1);
  for (let i = 0; i < count; i++) functions.push(reader.u32());
  return { offset, functions };
}

function readTableIndex(reader: ModuleReader): void {
  const at = reader.at;
  const table = reader.u32();
  if (table !== 0) throw featureError(FEATURE.multipleTables, at, `a segment of table ${table}`);
}

function readElementKind(reader: ModuleReader): void {
  const at = reader.at;
  const kind = reader.u8();
  if (kind !== ELEMENT_KIND_FUNCTION) {
    throw wasmError('wasm.form', at, `an element segment of kind ${kind} and not 0`, { kind });
  }
}
