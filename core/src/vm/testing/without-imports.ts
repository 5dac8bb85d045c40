/**
 * A module with its imports made into definitions of its own, so that every index stays: functions
 * trap, memories and tables are as large as they were asked for, globals are zero. For modules of
 * others, which import what no contract may.
 */
import { isPydeError } from '../../bytes/index.ts';
import { ModuleReader } from '../decode/index.ts';
import { wasmError } from '../error.ts';
import {
  flat,
  KIND,
  leb,
  OP,
  type Part,
  rawModule,
  SECTION,
  section,
  sized,
  T,
} from './module-builder.ts';

const { type, table, memory, global, start, element, code, data, dataCount } = SECTION;
const ORDER: readonly number[] = [
  type,
  SECTION.import,
  SECTION.function,
  table,
  memory,
  global,
  SECTION.export,
  start,
  element,
  dataCount,
  code,
  data,
];
const TRAP = sized([0, OP.unreachable, OP.end]);
const ZERO: Readonly<Record<number, Part>> = {
  [T.i32]: [OP.i32_const, 0],
  [T.i64]: [OP.i64_const, 0],
  [T.f32]: [OP.f32_const, new Uint8Array(4)],
  [T.f64]: [OP.f64_const, new Uint8Array(8)],
};

/** The module as it is when it imports nothing, or is too broken to tell. */
export function withoutImports(bytes: Uint8Array): Uint8Array {
  try {
    return defineImports(bytes);
  } catch (error) {
    if (isPydeError(error)) return bytes;
    throw error;
  }
}

function defineImports(bytes: Uint8Array): Uint8Array {
  const sections = sectionsOf(bytes);
  const imports = sections.get(SECTION.import);
  if (imports === undefined) return bytes;
  const added = new Map<number, Part[]>();
  const add = (id: number, entry: Part) => added.set(id, [...(added.get(id) ?? []), entry]);
  const reader = new ModuleReader(imports, 0, imports.length, 'imports');
  const count = reader.u32();
  for (let i = 0; i < count; i++) {
    reader.name();
    reader.name();
    const kind = reader.u8();
    const from = reader.at;
    if (kind === KIND.function) {
      add(SECTION.function, leb(reader.u32()));
      add(code, TRAP);
    } else if (kind === KIND.global) {
      const valueType = reader.u8();
      const zero = ZERO[valueType];
      if (zero === undefined) return bytes;
      add(global, flat(valueType, reader.u8(), zero, OP.end));
    } else if (kind === KIND.table || kind === KIND.memory) {
      if (kind === KIND.table) reader.u8();
      const limits = reader.u8();
      for (let field = 0; field < 1 + (limits & 1); field++) reader.u32();
      add(kind === KIND.table ? table : memory, imports.slice(from, reader.at));
    } else return bytes;
  }
  reader.finish();
  return rawModule(
    ORDER.map((id) => {
      if (id === SECTION.import) return [];
      const content = sections.get(id);
      const entries = added.get(id);
      if (entries === undefined) return content === undefined ? [] : section(id, content);
      const rest = new ModuleReader(content ?? leb(0), 0, content?.length ?? 1, 'section');
      return section(id, [leb(entries.length + rest.u32()), entries, rest.bytes.slice(rest.at)]);
    }),
  );
}

/** Contents by id, without custom sections; refuses sections that are not in order. */
function sectionsOf(bytes: Uint8Array): Map<number, Uint8Array> {
  const sections = new Map<number, Uint8Array>();
  const reader = new ModuleReader(bytes, 8, bytes.length, 'module');
  let last = -1;
  while (reader.remaining > 0) {
    const id = reader.u8();
    const length = reader.u32();
    const from = reader.at;
    reader.skip(length);
    if (id === SECTION.custom) continue;
    const place = ORDER.indexOf(id);
    if (place <= last) throw wasmError('wasm.section-order', from, 'a section out of its order');
    last = place;
    sections.set(id, bytes.slice(from, reader.at));
  }
  return sections;
}
