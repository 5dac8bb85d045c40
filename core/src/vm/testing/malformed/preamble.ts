/** Magic number and version. */
import { MAGIC, rawModule, sized, VERSION } from '../module-builder.ts';
import { type Malformed, malformed } from './malformed.ts';

const text = (letters: string): Uint8Array => new TextEncoder().encode(letters);

export const preamble: readonly Malformed[] = [
  malformed('no bytes', 'wasm.truncated', () => [], { offset: 0 }),
  malformed('one zero byte', 'wasm.truncated', () => [0]),
  malformed('half the magic number', 'wasm.truncated', () => [0x00, 0x61]),
  malformed('the magic number alone', 'wasm.truncated', () => MAGIC),
  malformed('a version of three bytes', 'wasm.truncated', () => [MAGIC, 1, 0, 0]),
  malformed('the magic number without its zero', 'wasm.magic', () => [text('asm\0'), VERSION]),
  malformed('the magic number backwards', 'wasm.magic', () => [text('msa\0'), VERSION]),
  malformed('the magic number in capitals', 'wasm.magic', () => [text('\0ASM'), VERSION]),
  malformed('a byte order mark in front', 'wasm.magic', () => [0xef, 0xbb, 0xbf, rawModule()]),
  malformed('text of a module', 'wasm.magic', () => text('(module (func (export "f")))')),
  malformed('an ELF file', 'wasm.magic', () => [0x7f, text('ELF'), new Uint8Array(12)]),
  malformed('magic number behind a length', 'wasm.magic', () => sized(rawModule())),
  malformed('version 0', 'wasm.version', () => [MAGIC, 0, 0, 0, 0], { offset: 4 }),
  malformed('version 2', 'wasm.version', () => [MAGIC, 2, 0, 0, 0], { offset: 4 }),
  malformed('version 1 with the bytes turned', 'wasm.version', () => [MAGIC, 0, 0, 0, 1]),
  malformed('version 257', 'wasm.version', () => [MAGIC, 1, 1, 0, 0]),
  malformed('version 13, a component', 'wasm.version', () => [MAGIC, 13, 0, 1, 0]),
];
