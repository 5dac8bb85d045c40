/**
 * WebAssembly modules for tests, put together byte by byte. `moduleOf` writes what it is told and
 * checks nothing, so that every field can lie: integers may have more bytes than they need, counts
 * and sizes may differ from what follows, sections may come in any order. Modules that ought to be
 * right are easier to read as text (wat.ts).
 *
 * The names of operators stand here a second time, apart from the decoder's own table, so that a
 * mistake in either is found.
 */
import { concatBytes } from '../../bytes/index.ts';

/** A byte, bytes, or such parts one after the other. */
export type Part = number | Uint8Array | readonly Part[];

const utf8 = new TextEncoder();

export function flat(...parts: readonly Part[]): Uint8Array {
  const out: Uint8Array[] = [];
  const add = (part: Part): void => {
    if (typeof part === 'number') out.push(Uint8Array.of(part));
    else if (part instanceof Uint8Array) out.push(part);
    else for (const one of part) add(one);
  };
  add(parts);
  return concatBytes(...out);
}

/** Unsigned LEB128; in exactly `length` bytes when that is given, even where fewer would do. */
export function leb(value: number | bigint, length = 0): Uint8Array {
  const out: number[] = [];
  let rest = BigInt(value);
  do {
    const more = rest >> 7n !== 0n || out.length + 1 < length;
    out.push(Number(rest & 0x7fn) | (more ? 0x80 : 0));
    rest >>= 7n;
  } while (rest !== 0n || out.length < length);
  return Uint8Array.from(out);
}

/** Signed LEB128; in exactly `length` bytes when that is given, even where fewer would do. */
export function sleb(value: number | bigint, length = 0): Uint8Array {
  const out: number[] = [];
  let rest = BigInt(value);
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const done = rest === ((low & 0x40) === 0 ? 0n : -1n) && out.length + 1 >= length;
    out.push(low | (done ? 0 : 0x80));
    if (done) return Uint8Array.from(out);
  }
}

/** Items behind their count, or behind another count. */
export const vec = (items: readonly Part[], count: Part = leb(items.length)): Uint8Array =>
  flat(count, items);

/** A part behind its length in bytes, or behind another length. */
export function sized(content: Part, size?: Part): Uint8Array {
  const bytes = flat(content);
  return flat(size ?? leb(bytes.length), bytes);
}

export const name = (text: string): Uint8Array => sized(utf8.encode(text));

export const MAGIC = Uint8Array.of(0x00, 0x61, 0x73, 0x6d);
export const VERSION = Uint8Array.of(1, 0, 0, 0);

export const SECTION = {
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

export const section = (id: number, content: Part, size?: Part): Uint8Array =>
  flat(id, sized(content, size));
export const customSection = (title: string, payload: Part = []): Uint8Array =>
  section(SECTION.custom, [name(title), payload]);

/** Magic, version, and what is given. */
export const rawModule = (...sections: readonly Part[]): Uint8Array =>
  flat(MAGIC, VERSION, sections);

export const T = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
  empty: 0x40,
} as const;

export const funcType = (
  params: readonly number[] = [],
  results: readonly number[] = [],
): Uint8Array => flat(0x60, vec(params), vec(results));

export const limits = (min: number | bigint, max?: number | bigint): Uint8Array =>
  max === undefined ? flat(0, leb(min)) : flat(1, leb(min), leb(max));

export const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

/** An import of a function, or of what `kind` and `description` say. */
export const importOf = (
  from: string,
  title: string,
  description: Part,
  kind: number = KIND.function,
): Uint8Array => flat(name(from), name(title), kind, description);
export const exportOf = (title: string, kind: keyof typeof KIND, index = 0): Uint8Array =>
  flat(name(title), KIND[kind], leb(index));
export const globalOf = (type: number, isMutable: boolean, init: Part): Uint8Array =>
  flat(type, isMutable ? 1 : 0, init, OP.end);
/** Active, in table 0, from `offset`. */
export const elementsAt = (offset: Part, functions: readonly number[]): Uint8Array =>
  flat(0, offset, OP.end, vec(functions.map((index) => leb(index))));
/** Active, in memory 0, from `offset`. */
export const dataAt = (offset: Part, bytes: Part): Uint8Array =>
  flat(0, offset, OP.end, sized(bytes));
export const passiveData = (bytes: Part): Uint8Array => flat(1, sized(bytes));

/** Locals in runs, code without the last `end`. */
export const body = (
  code: Part,
  locals: readonly (readonly [count: number, type: number])[] = [],
): Uint8Array => sized([vec(locals.map(([count, type]) => flat(leb(count), type))), code, OP.end]);

/** A function defined in the module. */
export interface DefinedFunction {
  readonly type?: number;
  readonly locals?: readonly (readonly [count: number, type: number])[];
  /** Without the last `end`. */
  readonly code?: Part;
}

/** Entries of each section; a section that is absent is not written. */
export interface ModuleParts {
  readonly types?: readonly Part[];
  readonly imports?: readonly Part[];
  readonly functions?: readonly DefinedFunction[];
  /** Limits. */
  readonly table?: Part;
  /** Limits. */
  readonly memory?: Part;
  readonly globals?: readonly Part[];
  readonly exports?: readonly Part[];
  readonly start?: number;
  readonly elements?: readonly Part[];
  readonly dataCount?: number;
  readonly data?: readonly Part[];
  /** At the end. */
  readonly customs?: readonly (readonly [title: string, payload: Part])[];
}

/** The sections of a module in their order, each with its id and size. */
export function sectionsOf(parts: ModuleParts): Uint8Array[] {
  const out: Uint8Array[] = [];
  const add = (id: number, content: Part | undefined): void => {
    if (content !== undefined) out.push(section(id, content));
  };
  const items = (list: readonly Part[] | undefined): Part | undefined =>
    list === undefined ? undefined : vec(list);
  const { functions, table, memory, start, dataCount } = parts;
  add(SECTION.type, items(parts.types));
  add(SECTION.import, items(parts.imports));
  add(SECTION.function, items(functions?.map(({ type = 0 }) => leb(type))));
  add(SECTION.table, items(table === undefined ? undefined : [flat(T.funcref, table)]));
  add(SECTION.memory, items(memory === undefined ? undefined : [memory]));
  add(SECTION.global, items(parts.globals));
  add(SECTION.export, items(parts.exports));
  add(SECTION.start, start === undefined ? undefined : leb(start));
  add(SECTION.element, items(parts.elements));
  add(SECTION.dataCount, dataCount === undefined ? undefined : leb(dataCount));
  add(SECTION.code, items(functions?.map(({ code = [], locals }) => body(code, locals))));
  add(SECTION.data, items(parts.data));
  for (const [title, payload] of parts.customs ?? []) out.push(customSection(title, payload));
  return out;
}

export const moduleOf = (parts: ModuleParts): Uint8Array => rawModule(sectionsOf(parts));

/** One function of type 0, `() → results`; the other parts as given. */
export const functionModule = (
  code: Part,
  {
    params = [],
    results = [],
    locals = [],
    ...parts
  }: ModuleParts & {
    readonly params?: readonly number[];
    readonly results?: readonly number[];
    readonly locals?: readonly (readonly [count: number, type: number])[];
  } = {},
): Uint8Array =>
  moduleOf({
    ...parts,
    types: [funcType(params, results), ...(parts.types ?? [])],
    functions: [{ type: 0, locals, code }, ...(parts.functions ?? [])],
  });

/** Numbers of the operators, by the names of the text format; a dot in a name is `_`. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  br_table: 0x0e,
  return: 0x0f,
  call: 0x10,
  call_indirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  local_get: 0x20,
  local_set: 0x21,
  local_tee: 0x22,
  global_get: 0x23,
  global_set: 0x24,
  i32_load: 0x28,
  i64_load: 0x29,
  f32_load: 0x2a,
  f64_load: 0x2b,
  i32_load8_s: 0x2c,
  i32_load16_u: 0x2f,
  i64_load32_u: 0x35,
  i32_store: 0x36,
  i64_store: 0x37,
  f32_store: 0x38,
  f64_store: 0x39,
  i32_store8: 0x3a,
  i64_store32: 0x3e,
  memory_size: 0x3f,
  memory_grow: 0x40,
  i32_const: 0x41,
  i64_const: 0x42,
  f32_const: 0x43,
  f64_const: 0x44,
  i32_eqz: 0x45,
  i32_eq: 0x46,
  i64_eqz: 0x50,
  i64_eq: 0x51,
  f32_eq: 0x5b,
  f64_eq: 0x61,
  i32_clz: 0x67,
  i32_add: 0x6a,
  i64_add: 0x7c,
  f32_add: 0x92,
  f64_add: 0xa0,
  i32_wrap_i64: 0xa7,
  i64_extend_i32_s: 0xac,
  f32_demote_f64: 0xb6,
  i32_extend8_s: 0xc0,
  i64_extend32_s: 0xc4,
} as const;

const SUB = (sub: number): Uint8Array => flat(0xfc, leb(sub));
/** Operators of two parts. */
export const BULK = {
  i32_trunc_sat_f32_s: SUB(0),
  memory_init: SUB(8),
  data_drop: SUB(9),
  memory_copy: SUB(10),
  memory_fill: SUB(11),
  table_init: SUB(12),
  elem_drop: SUB(13),
  table_copy: SUB(14),
  table_grow: SUB(15),
  table_size: SUB(16),
  table_fill: SUB(17),
} as const;

export const i32 = (value: number): Uint8Array => flat(OP.i32_const, sleb(value));
export const i64 = (value: number | bigint): Uint8Array => flat(OP.i64_const, sleb(value));
export const f32 = (bits: number): Uint8Array =>
  flat(OP.f32_const, new Uint8Array(Uint32Array.of(bits).buffer));
export const f64 = (bits: bigint): Uint8Array =>
  flat(OP.f64_const, new Uint8Array(BigUint64Array.of(bits).buffer));
