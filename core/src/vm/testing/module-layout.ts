/**
 * Where the fields of a module lie, found by decoding and validating it: while `layoutOf` runs, the
 * methods of `ModuleReader` note what is asked of them. So there is no second description of the
 * format, and of a body every operator and immediate is known up to the first that is refused.
 */
import { isPydeError } from '../../bytes/index.ts';
import { decodeModule, ModuleReader } from '../decode/index.ts';
import { validateModule } from '../validate/index.ts';

export type ModuleFieldKind = 'byte' | 'u32' | 's32' | 's33' | 's64' | 'name' | 'raw';

export interface ModuleField {
  readonly kind: ModuleFieldKind;
  readonly at: number;
  readonly length: number;
  readonly value: bigint;
  /** Locals and operators of a function. */
  readonly isInBody: boolean;
}

/** What has its length in bytes in front: sections, bodies, names, data. */
export interface SizedRange {
  readonly sizeAt: number;
  readonly start: number;
  readonly end: number;
}

export interface ModuleLayout {
  readonly fields: readonly ModuleField[];
  readonly ranges: readonly SizedRange[];
}

/** What was read of `bytes` until the module was accepted or refused. */
export function layoutOf(bytes: Uint8Array): ModuleLayout {
  const recorder = new Recorder();
  recorder.watch(() => validateModule(decodeModule(bytes), 'contract'));
  return recorder.layout;
}

const METHODS = ['u8', 'u32', 's32', 's33', 's64', 'skipS64', 'count', 'name', 'skip'] as const;
const KINDS: Readonly<Record<(typeof METHODS)[number], ModuleFieldKind>> = {
  u8: 'byte',
  u32: 'u32',
  s32: 's32',
  s33: 's33',
  s64: 's64',
  skipS64: 's64',
  count: 'u32',
  name: 'name',
  skip: 'raw',
};

class Recorder {
  readonly #fields = new Map<number, ModuleField>();
  readonly #ranges: SizedRange[] = [];
  /** Above 0 inside a read that is noted as a whole. */
  #inside = 0;
  /** The number that was read last, which may be the length of what is passed by next. */
  #last: ModuleField | undefined;

  get layout(): ModuleLayout {
    return {
      fields: [...this.#fields.values()].sort((a, b) => a.at - b.at),
      ranges: this.#ranges,
    };
  }

  watch(run: () => unknown): void {
    const originals = Object.getOwnPropertyDescriptors(ModuleReader.prototype);
    try {
      for (const method of METHODS) this.#replace(method);
      run();
    } catch (error) {
      if (!isPydeError(error)) throw error;
    } finally {
      Object.defineProperties(ModuleReader.prototype, originals);
    }
  }

  #replace(method: (typeof METHODS)[number]): void {
    const recorder = this;
    const original: (this: ModuleReader, ...args: never[]) => unknown =
      ModuleReader.prototype[method];
    const replaced = function (this: ModuleReader, ...args: never[]): unknown {
      const at = this.at;
      recorder.#inside++;
      let value: unknown;
      try {
        value = original.apply(this, args);
      } finally {
        recorder.#inside--;
      }
      if (recorder.#inside === 0) {
        const isInBody = this.what === 'function body';
        recorder.#note(
          { kind: KINDS[method], at, length: this.at - at, value: 0n, isInBody },
          value,
        );
      }
      return value;
    };
    Object.defineProperty(ModuleReader.prototype, method, {
      value: replaced,
      configurable: true,
      writable: true,
    });
  }

  #note(read: ModuleField, value: unknown): void {
    const { kind, at, length } = read;
    const number = typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : 0n;
    const field: ModuleField = { ...read, value: number };
    if (kind === 'name') {
      const end = at + length;
      const start = end - new TextEncoder().encode(String(value)).length;
      this.#ranges.push({ sizeAt: at, start, end });
    }
    const size = this.#last;
    this.#last = field;
    if (kind === 'raw' && size?.kind === 'u32' && size.at + size.length === at) {
      if (size.value === BigInt(length)) {
        // What is inside is read again, field by field, unless it is data.
        this.#ranges.push({ sizeAt: size.at, start: at, end: at + length });
        return;
      }
    }
    if (length > 0) this.#fields.set(at, field);
  }
}
