/**
 * A module from its bytes: core specification §5.5.16. Sections stand in their order, each at most
 * once, custom ones anywhere; each is read to its last byte. What comes out is well-formed and
 * within the bounds of `LIMITS`; whether its indices and types fit together is for validateModule.
 *
 * The bytes are hostile: nothing is allocated before its count was held against a bound and
 * against the bytes that are left, and only WasmError is thrown.
 */
import { featureError, limitError, wasmError } from '../error.ts';
import { FEATURE } from '../features.ts';
import { LIMITS } from '../limits.ts';
import type {
  CustomSection,
  DataSegment,
  ElementSegment,
  Export,
  FuncType,
  FunctionBody,
  FunctionImport,
  Global,
  Limits,
  WasmModule,
} from '../module.ts';
import { readBodies } from './code-section.ts';
import { readData } from './data-section.ts';
import { readElements } from './element-section.ts';
import { readExports } from './export-section.ts';
import { readFunctionTypes } from './function-section.ts';
import { readGlobals } from './global-section.ts';
import { readImports } from './import-section.ts';
import { readMemory } from './memory-section.ts';
import { ModuleReader } from './reader.ts';
import { readTable } from './table-section.ts';
import { readTypes } from './type-section.ts';

/** Section ids, §5.5.2. */
const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** The order of sections, by id: data count stands between elements and code. */
const ORDER = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 10];

const NAMES = [
  'custom section',
  'type section',
  'import section',
  'function section',
  'table section',
  'memory section',
  'global section',
  'export section',
  'start section',
  'element section',
  'code section',
  'data section',
  'data count section',
];

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const VERSION = [0x01, 0x00, 0x00, 0x00];

/** What sections have filled in so far. */
interface Parts {
  types: FuncType[];
  imports: FunctionImport[];
  typeIndices: number[];
  table: Limits | undefined;
  memory: Limits | undefined;
  globals: Global[];
  exports: Export[];
  start: number | undefined;
  startOffset: number;
  elements: ElementSegment[];
  dataCount: number | undefined;
  functions: FunctionBody[] | undefined;
  data: DataSegment[];
  customs: CustomSection[];
}

/**
 * Decodes a module of at most 1 MiB. The module keeps the bytes, which must not change after.
 *
 * @throws PydeError `wasm.*` with the offset of what is wrong
 */
export function decodeModule(bytes: Uint8Array): WasmModule {
  if (bytes.length > LIMITS.moduleBytes) {
    throw limitError('moduleBytes', bytes.length, LIMITS.moduleBytes, 0);
  }
  // Subclasses of Uint8Array may redefine its methods; a plain view does not.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = new ModuleReader(plain, 0, plain.length, 'module');
  readPreamble(reader);
  const parts: Parts = {
    types: [],
    imports: [],
    typeIndices: [],
    table: undefined,
    memory: undefined,
    globals: [],
    exports: [],
    start: undefined,
    startOffset: 0,
    elements: [],
    dataCount: undefined,
    functions: undefined,
    data: [],
    customs: [],
  };
  readSections(reader, parts);
  const { typeIndices, functions, ...rest } = parts;
  if (functions === undefined && typeIndices.length > 0) {
    throw wasmError(
      'wasm.count',
      plain.length,
      `${typeIndices.length} functions are declared and there is no code section`,
      { declared: typeIndices.length, bodies: 0 },
    );
  }
  if (parts.dataCount !== undefined && parts.dataCount !== parts.data.length) {
    throw wasmError(
      'wasm.count',
      plain.length,
      `the data count section states ${parts.dataCount} segments, there are ${parts.data.length}`,
      { declared: parts.dataCount, segments: parts.data.length },
    );
  }
  return { bytes: plain, ...rest, functions: functions ?? [] };
}

function readPreamble(reader: ModuleReader): void {
  for (const [i, expected] of MAGIC.entries()) {
    if (reader.u8() !== expected) {
      throw wasmError('wasm.magic', i, 'these bytes are no WebAssembly module');
    }
  }
  for (const [i, expected] of VERSION.entries()) {
    if (reader.u8() !== expected) {
      throw wasmError('wasm.version', 4 + i, 'the module is not of version 1 of the format');
    }
  }
}

function readSections(reader: ModuleReader, parts: Parts): void {
  let last = 0;
  while (reader.remaining > 0) {
    const at = reader.at;
    const id = reader.u8();
    if (id === SECTION.tag) throw featureError(FEATURE.exceptions, at, 'a tag section');
    const place = ORDER[id];
    const name = NAMES[id];
    if (place === undefined || name === undefined) {
      throw wasmError('wasm.section-id', at, `there is no section ${id}`, { section: id });
    }
    if (id !== SECTION.custom) {
      if (place <= last) {
        const how = place === last ? 'occurs twice' : 'comes too late';
        throw wasmError('wasm.section-order', at, `the ${name} ${how}`, { section: id });
      }
      last = place;
    }
    const length = reader.u32();
    const start = reader.at;
    reader.skip(length);
    const section = new ModuleReader(reader.bytes, start, reader.at, name);
    readSection(id, section, parts);
    section.finish();
  }
}

function readSection(id: number, section: ModuleReader, parts: Parts): void {
  switch (id) {
    case SECTION.custom:
      parts.customs.push(readCustom(section, parts.customs.length));
      break;
    case SECTION.type:
      parts.types = readTypes(section);
      break;
    case SECTION.import:
      parts.imports = readImports(section);
      break;
    case SECTION.function:
      parts.typeIndices = readFunctionTypes(section);
      break;
    case SECTION.table:
      parts.table = readTable(section);
      break;
    case SECTION.memory:
      parts.memory = readMemory(section);
      break;
    case SECTION.global:
      parts.globals = readGlobals(section);
      break;
    case SECTION.export:
      parts.exports = readExports(section);
      break;
    case SECTION.start:
      parts.startOffset = section.at;
      parts.start = section.u32();
      break;
    case SECTION.element:
      parts.elements = readElements(section);
      break;
    case SECTION.dataCount:
      parts.dataCount = section.u32();
      break;
    case SECTION.code:
      parts.functions = readBodies(section, parts.typeIndices, parts.types);
      break;
    case SECTION.data:
      parts.data = readData(section);
      break;
  }
}

/** §5.5.3: a name, and bytes that mean nothing to the engine. */
function readCustom(section: ModuleReader, before: number): CustomSection {
  if (before >= LIMITS.customSections) {
    throw limitError('customSections', before + 1, LIMITS.customSections, section.at);
  }
  const name = section.name();
  const payload = { start: section.at, end: section.end };
  section.at = section.end;
  return { name, payload };
}
