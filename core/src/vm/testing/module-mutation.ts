/**
 * Hostile modules made from valid ones: a field, or a few, is changed, left out or put in, and the
 * lengths of everything around it are mostly put right, so that the change reaches the check that is
 * meant for it.
 */
import { concatBytes } from '../../bytes/index.ts';
import type { SeededRandom } from '../../bytes/testing/random.ts';
import { BULK, f32, f64, flat, i32, i64, leb, OP, type Part, sleb, T } from './module-builder.ts';
import { layoutOf, type ModuleField, type ModuleLayout } from './module-layout.ts';

/** Bytes `at` … `at + length` give way to others. */
interface Edit {
  readonly at: number;
  readonly length: number;
  readonly bytes: Uint8Array;
}

const layouts = new WeakMap<Uint8Array, ModuleLayout>();
function knownLayout(module: Uint8Array): ModuleLayout {
  const known = layouts.get(module) ?? layoutOf(module);
  layouts.set(module, known);
  return known;
}

/** `module` with one to three changes; each starts from what the one before made. */
export function mutateModule(random: SeededRandom, module: Uint8Array): Uint8Array {
  let out = module;
  for (let i = random.pick([1, 1, 1, 2, 3]); i > 0; i--) {
    const layout = knownLayout(out);
    if (layout.fields.length === 0) break;
    const edit = random.oneIn(8) ? editSections(random, out) : editFields(random, out, layout);
    if (edit !== undefined) out = apply(out, edit, random.oneIn(12) ? undefined : layout);
  }
  return out;
}

function editFields(random: SeededRandom, module: Uint8Array, layout: ModuleLayout): Edit {
  const inBodies = layout.fields.filter(({ isInBody }) => isInBody);
  const fields = inBodies.length > 0 && random.oneIn(2) ? inBodies : layout.fields;
  // Magic and version are bytes like others, and soon told.
  const first = fields === inBodies || random.oneIn(40) ? 0 : PREAMBLE_BYTES;
  const at = random.between(Math.min(first, fields.length - 1), fields.length - 1);
  const field = random.pick(fields.slice(at, at + 1));
  const last = fields[Math.min(fields.length - 1, at + random.below(4))] ?? field;
  const run = { at: field.at, length: last.at + last.length - field.at };
  switch (random.below(8)) {
    case 0:
      return { ...run, bytes: new Uint8Array(0) };
    case 1:
      return { at: field.at, length: 0, bytes: module.slice(run.at, run.at + run.length) };
    case 2:
      return { at: field.at, length: 0, bytes: snippet(random) };
    case 3: {
      const other = random.pick(fields);
      const copied = module.slice(other.at, other.at + other.length);
      return { at: field.at, length: field.length, bytes: copied };
    }
    default:
      return { at: field.at, length: field.length, bytes: otherValue(random, module, field) };
  }
}

/** A field of the same kind with another value, or the same one in another form. */
function otherValue(random: SeededRandom, module: Uint8Array, field: ModuleField): Uint8Array {
  const { kind, at, length, value } = field;
  switch (kind) {
    case 'byte':
      return Uint8Array.of(random.oneIn(4) ? random.below(256) : random.pick(OPCODES));
    case 'u32':
      return unsigned(random, value);
    case 's32':
    case 's33':
    case 's64':
      return signed(random, value);
    case 'name':
    case 'raw': {
      const out = module.slice(at, at + length);
      // A block's type is passed by like bytes.
      if (length === 1) out[0] = random.pick(BLOCK_TYPES);
      else if (length > 0) out[random.below(length)] = random.below(256);
      return out;
    }
    default:
      return kind satisfies never;
  }
}

const OPCODES: readonly number[] = [
  ...Object.values(OP),
  ...Object.values(OP),
  ...[0x00, 0x01, 0x02, 0x04, 0x06, 0x12, 0x1c, 0x25, 0x60, 0xd0, 0xd2, 0xfb, 0xfc, 0xfd, 0xfe],
  ...Object.values(T),
  ...Array.from({ length: 0xc5 - 0x28 }, (_, i) => 0x28 + i),
];
const BLOCK_TYPES = [T.empty, T.i32, T.i64, T.f32, T.f64, 0, 1, 2, T.v128, T.funcref, 0x60, 0x80];

const EDGES = [0n, 1n, 2n, 3n, 4n, 63n, 64n, 127n, 128n, 1000n, 1024n, 4096n, 65_535n, 65_536n];
const WIDE_EDGES = [31n, 32n, 33n, 63n, 64n].flatMap((bits) => [
  (1n << bits) - 1n,
  1n << bits,
  (1n << bits) + 1n,
]);

function unsigned(random: SeededRandom, value: bigint): Uint8Array {
  const rest = value < 0n ? 0n : value;
  switch (random.below(5)) {
    case 0:
      return leb(rest + 1n);
    case 1:
      return leb(rest > 0n ? rest - 1n : 0n);
    case 2:
      return leb(rest, random.between(1, 7));
    case 3:
      return leb(random.pick(WIDE_EDGES));
    default:
      return leb(random.pick(EDGES));
  }
}

function signed(random: SeededRandom, value: bigint): Uint8Array {
  const edge = random.pick([...EDGES, ...WIDE_EDGES]);
  switch (random.below(4)) {
    case 0:
      return sleb(value, random.between(1, 12));
    case 1: {
      // The last byte of a long form holds bits that must agree.
      const out = sleb(value, random.between(4, 10));
      out[out.length - 1] = random.below(128);
      return out;
    }
    case 2:
      return sleb(-edge);
    default:
      return sleb(edge);
  }
}

const SNIPPETS: readonly Part[] = [
  i32(0),
  i64(1),
  f32(0x7fc0_0000),
  f64(0x7ff8_0000_0000_0001n),
  OP.drop,
  OP.nop,
  OP.unreachable,
  OP.return,
  OP.end,
  OP.else,
  OP.select,
  [OP.block, T.empty],
  [OP.block, T.empty, OP.end],
  [OP.loop, T.i32, i32(1), OP.end],
  [OP.block, 0],
  [OP.if, T.empty],
  [OP.if, T.i32, i32(1), OP.else, i32(2), OP.end],
  [OP.br, 0],
  [OP.br, 1],
  [OP.br_if, 0],
  [OP.br_table, 1, 0, 1],
  [OP.br_table, 2, 0, 0, 0],
  [OP.local_get, 0],
  [OP.local_set, 0],
  [OP.local_tee, 1],
  [OP.global_get, 0],
  [OP.global_set, 0],
  [OP.call, 0],
  [OP.call, 1],
  [OP.call_indirect, 0, 0],
  [OP.i32_load, 2, 0],
  [OP.i64_store, 3, 0],
  [OP.memory_size, 0],
  [OP.memory_grow, 0],
  [BULK.memory_fill, 0],
  [BULK.memory_copy, 0, 0],
  [BULK.memory_init, 0, 0],
  [BULK.data_drop, 0],
  [BULK.table_size, 0],
  [BULK.i32_trunc_sat_f32_s],
  [0xd0, T.funcref],
  [0xfd, 12, new Uint8Array(16)],
];

const snippet = (random: SeededRandom): Uint8Array =>
  flat(Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => random.pick(SNIPPETS)));

const PREAMBLE_BYTES = 8;

/** Sections doubled, left out, or in another order. */
function editSections(random: SeededRandom, module: Uint8Array): Edit | undefined {
  const sections = sectionsOf(module);
  if (sections.length === 0) return undefined;
  const at = random.below(sections.length);
  const section = sections[at] ?? new Uint8Array(0);
  const other = random.below(sections.length);
  const changed = (() => {
    switch (random.below(3)) {
      case 0:
        return [...sections.slice(0, at), section, ...sections.slice(at)];
      case 1:
        return sections.toSpliced(at, 1);
      default:
        return sections.with(at, sections[other] ?? section).with(other, section);
    }
  })();
  const length = module.length - PREAMBLE_BYTES;
  return { at: PREAMBLE_BYTES, length, bytes: concatBytes(...changed) };
}

/** As far as they can be told apart. */
function sectionsOf(module: Uint8Array): Uint8Array[] {
  const sections: Uint8Array[] = [];
  for (let at = PREAMBLE_BYTES; at < module.length; ) {
    let length = 0;
    let next = at + 1;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = module[next++] ?? 0;
      length += (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    sections.push(module.slice(at, next + length));
    at = next + length;
  }
  return sections;
}

/** @param layout to put right the lengths around the change; without it they stay as they were */
function apply(module: Uint8Array, edit: Edit, layout: ModuleLayout | undefined): Uint8Array {
  const edits = [edit];
  let growth = edit.bytes.length - edit.length;
  const around = (layout?.ranges ?? [])
    .filter(({ start, end }) => start <= edit.at && edit.at + edit.length <= end)
    .filter(({ end }) => edit.at < end || edit.length === 0)
    .sort((a, b) => a.end - a.start - (b.end - b.start));
  for (const { sizeAt, start, end } of around) {
    const size = leb(end - start + growth);
    // Names have their length within the field.
    const sizeBytes = start - sizeAt;
    edits.push({ at: sizeAt, length: sizeBytes, bytes: size });
    growth += size.length - sizeBytes;
  }
  edits.sort((a, b) => a.at - b.at);
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { at: from, length, bytes } of edits) {
    parts.push(module.subarray(at, from), bytes);
    at = from + length;
  }
  parts.push(module.subarray(at));
  return concatBytes(...parts);
}
