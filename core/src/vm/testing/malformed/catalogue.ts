/** Every named module that must be refused, by section or concept. */
import { abi } from './abi.ts';
import { bodies, operators } from './bodies.ts';
import { indices, operands } from './code-types.ts';
import { data, elements, exports, start } from './exports-and-segments.ts';
import { integers } from './integers.ts';
import type { Malformed } from './malformed.ts';
import { globals, memories, tables } from './memories-and-globals.ts';
import { preamble } from './preamble.ts';
import { sections } from './sections.ts';
import { imports, types } from './types-and-imports.ts';

export const CATALOGUE: Readonly<Record<string, readonly Malformed[]>> = {
  preamble,
  sections,
  integers,
  types,
  imports,
  tables,
  memories,
  globals,
  exports,
  start,
  elements,
  data,
  bodies,
  operators,
  indices,
  operands,
  abi,
};
