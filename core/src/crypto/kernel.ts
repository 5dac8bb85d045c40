/// <reference path="../webassembly.d.ts" />
/**
 * Loads a WebAssembly kernel from its base64 (core/kernels/build.mjs). Loading is synchronous and
 * happens on first use; a kernel has no imports and a memory of its own, so every thread that uses
 * one has its own instance.
 */
import { invariant } from '../bytes/index.ts';

export interface Kernel<Name extends string> {
  readonly memory: WebAssembly.Memory;
  readonly call: Readonly<Record<Name, (...values: readonly number[]) => number>>;
}

/** The kernel of `wasmBase64`, which must export its memory and the functions of `names`. */
export function loadKernel<Name extends string>(
  wasmBase64: string,
  names: readonly Name[],
): Kernel<Name> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(decodeBase64(wasmBase64)));
  const { memory } = exports;
  invariant(memory instanceof WebAssembly.Memory, 'a kernel exports its memory');
  for (const name of names) {
    invariant(typeof exports[name] === 'function', `the kernel exports the function ${name}`);
  }
  return { memory, call: exports as Kernel<Name>['call'] };
}

/** `load` on the first call, its result on every later one. */
export function once<T>(load: () => T): () => T {
  let loaded: { readonly value: T } | undefined;
  return () => {
    loaded ??= { value: load() };
    return loaded.value;
  };
}

/**
 * Passes `parts`, joined, through a kernel's inbox of one window. `absorbWindow` is called for
 * every full inbox that more bytes follow.
 * @returns the number of bytes that wait in the inbox at the end
 */
export function feedWindow(
  parts: readonly Uint8Array[],
  inbox: Uint8Array,
  absorbWindow: () => void,
): number {
  let filled = 0;
  for (const part of parts) {
    let taken = 0;
    while (part.length - taken > inbox.length - filled) {
      const end = taken + inbox.length - filled;
      inbox.set(part.subarray(taken, end), filled);
      taken = end;
      filled = 0;
      absorbWindow();
    }
    inbox.set(taken === 0 ? part : part.subarray(taken), filled);
    filled += part.length - taken;
  }
  return filled;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Text that the build wrote: whole groups of four, `=` only at the end. */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const sextets = new Uint8Array(128);
  for (let i = 0; i < ALPHABET.length; i++) sextets[ALPHABET.charCodeAt(i)] = i;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const groups = text.length / 4;
  const out = new Uint8Array(3 * groups);
  for (let group = 0, from = 0, to = 0; group < groups; group++, from += 4, to += 3) {
    const word =
      ((sextets[text.charCodeAt(from)] ?? 0) << 18) |
      ((sextets[text.charCodeAt(from + 1)] ?? 0) << 12) |
      ((sextets[text.charCodeAt(from + 2)] ?? 0) << 6) |
      (sextets[text.charCodeAt(from + 3)] ?? 0);
    out[to] = word >> 16;
    out[to + 1] = word >> 8;
    out[to + 2] = word;
  }
  return out.subarray(0, out.length - padding);
}
