/**
 * A module that must be refused, and why. The catalogue beside this file has one list a section or
 * concept; what a name says of a module is what is wrong with it, and nothing else is.
 */
import type { WasmErrorCode } from '../../error.ts';
import { flat, functionModule, type ModuleParts, type Part } from '../module-builder.ts';

export interface Malformed {
  readonly name: string;
  readonly code: WasmErrorCode;
  readonly make: () => Uint8Array;
  /** What the error's details must hold at least; `offset` is the byte at fault. */
  readonly details: Readonly<Record<string, string | number>>;
}

/** @param make the parts of the whole module */
export const malformed = (
  name: string,
  code: WasmErrorCode,
  make: () => Part,
  details: Malformed['details'] = {},
): Malformed => ({ name, code, make: () => flat(make()), details });

/** One function `() → ()` of such code in a module that is otherwise right. */
export const badCode = (
  name: string,
  code: WasmErrorCode,
  operators: () => Part,
  parts: Parameters<typeof functionModule>[1] & ModuleParts = {},
  details: Malformed['details'] = {},
): Malformed => malformed(name, code, () => functionModule(operators(), parts), details);

/** As many of one part as are asked for. */
export const times = (count: number, part: Part): Part[] =>
  Array.from({ length: count }, () => part);
