/**
 * Where the fields of an encoding lie, found by running its own decoder: while `recordLayout` runs,
 * the read methods of `BorshReader` note offset, length and kind of what is asked of them. No
 * description of a layout is written by hand, so none can differ from the decoder.
 */
import { BorshReader } from '../borsh.ts';
import { isPydeError } from '../error.ts';

export type FieldKind = 'integer' | 'tag' | 'option' | 'count' | 'bytes' | 'text';

export interface Field {
  readonly kind: FieldKind;
  readonly at: number;
  readonly length: number;
}

/** A counted body: `Vec<u8>` and text as well as `Vec<T>`, whose items are known. */
export interface CountedList {
  readonly countAt: number;
  readonly end: number;
  /** Where each item begins and ends; undefined for bytes and text. */
  readonly items: readonly (readonly [at: number, end: number])[] | undefined;
}

/** Of an option that was there: its tag and its value. */
export interface PresentOption {
  readonly tagAt: number;
  readonly end: number;
}

export interface Layout {
  readonly fields: readonly Field[];
  readonly lists: readonly CountedList[];
  readonly options: readonly PresentOption[];
}

const COUNT_BYTES = 4;

/**
 * What `decode` reads of `bytes` with the first reader that it makes over all of them; what it read
 * before a refusal when it refuses. A decoder that makes no such reader has one field of bytes.
 */
export function recordLayout(bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown): Layout {
  const recorder = new Recorder(bytes.length);
  const read = recorder.watch(() => decode(bytes));
  if (read instanceof Promise)
    throw new Error('the fields must be read before anything is awaited');
  const { fields, lists, options } = recorder;
  if (fields.length > 0) return { fields, lists, options };
  return { fields: [{ kind: 'bytes', at: 0, length: bytes.length }], lists, options };
}

class Recorder {
  readonly fields: Field[] = [];
  readonly lists: CountedList[] = [];
  readonly options: PresentOption[] = [];
  readonly #size: number;
  #first: BorshReader | undefined;
  /** Above 0 inside a read that is noted as a whole. */
  #inside = 0;

  /** @param size of the encoding; readers of anything else do not count */
  constructor(size: number) {
    this.#size = size;
  }

  /** What `run` gives; undefined when it refuses, and what it read until then is the layout. */
  watch(run: () => unknown): unknown {
    const methods = BorshReader.prototype;
    const originals = Object.getOwnPropertyDescriptors(methods);
    try {
      this.#replace(methods);
      return run();
    } catch (error) {
      if (!isPydeError(error)) throw error;
      return undefined;
    } finally {
      Object.defineProperties(methods, originals);
    }
  }

  #replace(methods: BorshReader): void {
    const recorder = this;
    const { u8, u16, u32, u64, u128, tag, fixed, bytes, string, option, vec } = methods;
    const note =
      <Args extends readonly unknown[], R>(
        kind: FieldKind,
        read: (this: BorshReader, ...args: Args) => R,
      ) =>
      (reader: BorshReader, ...args: Args): R =>
        recorder.#noting(reader, kind, () => read.call(reader, ...args));
    const whole = {
      u8: note('integer', u8),
      u16: note('integer', u16),
      u32: note('integer', u32),
      u64: note('integer', u64),
      u128: note('integer', u128),
      tag: note('tag', tag),
      fixed: note('bytes', fixed),
    };
    methods.u8 = function () {
      return whole.u8(this);
    };
    methods.u16 = function () {
      return whole.u16(this);
    };
    methods.u32 = function () {
      return whole.u32(this);
    };
    methods.u64 = function () {
      return whole.u64(this);
    };
    methods.u128 = function () {
      return whole.u128(this);
    };
    methods.tag = function (count, what) {
      return whole.tag(this, count, what);
    };
    methods.fixed = function (length) {
      return whole.fixed(this, length);
    };
    methods.bytes = function (max) {
      return recorder.#counted(this, 'bytes', () => bytes.call(this, max));
    };
    methods.string = function (max) {
      return recorder.#counted(this, 'text', () => string.call(this, max));
    };
    methods.option = function <T>(this: BorshReader, read: (reader: BorshReader) => T) {
      const tagAt = this.offset;
      recorder.#note(this, 'option', tagAt, tagAt + 1);
      const value = recorder.#suspended(() =>
        option.call(this, (reader) => recorder.#resumed(() => read(reader))),
      );
      if (value !== undefined && recorder.#notes(this)) {
        recorder.options.push({ tagAt, end: this.offset });
      }
      return value as T | undefined;
    };
    methods.vec = function <T>(
      this: BorshReader,
      max: number,
      min: number,
      read: (reader: BorshReader) => T,
    ) {
      const countAt = this.offset;
      const items: [number, number][] = [];
      recorder.#note(this, 'count', countAt, countAt + COUNT_BYTES);
      const list = recorder.#suspended(() =>
        vec.call(this, max, min, (reader) => {
          const at = reader.offset;
          const item = recorder.#resumed(() => read(reader));
          items.push([at, reader.offset]);
          return item;
        }),
      );
      if (recorder.#notes(this)) recorder.lists.push({ countAt, end: this.offset, items });
      return list as T[];
    };
  }

  /** Only the first reader's offsets are those of the encoding. */
  #notes(reader: BorshReader): boolean {
    if (reader.offset + reader.remaining === this.#size) this.#first ??= reader;
    return this.#first === reader && this.#inside === 0;
  }

  #note(reader: BorshReader, kind: FieldKind, at: number, end: number): void {
    if (this.#notes(reader)) this.fields.push({ kind, at, length: end - at });
  }

  #noting<R>(reader: BorshReader, kind: FieldKind, read: () => R): R {
    const at = reader.offset;
    const notes = this.#notes(reader);
    const value = this.#suspended(read);
    if (notes) this.#note(reader, kind, at, reader.offset);
    return value;
  }

  #counted<R>(reader: BorshReader, kind: FieldKind, read: () => R): R {
    const countAt = reader.offset;
    const notes = this.#notes(reader);
    const value = this.#suspended(read);
    if (notes) {
      this.#note(reader, 'count', countAt, countAt + COUNT_BYTES);
      this.#note(reader, kind, countAt + COUNT_BYTES, reader.offset);
      this.lists.push({ countAt, end: reader.offset, items: undefined });
    }
    return value;
  }

  #suspended<R>(run: () => R): R {
    this.#inside++;
    try {
      return run();
    } finally {
      this.#inside--;
    }
  }

  #resumed<R>(run: () => R): R {
    this.#inside--;
    try {
      return run();
    } finally {
      this.#inside++;
    }
  }
}
