/**
 * How much memory code asks for: while it is on, the typed arrays and arrays that are made with a
 * length, and the copies that `slice` makes, are counted in bytes. What the host makes by itself
 * (texts, objects, arrays that grow by `push`) is not: those take what was read from the input.
 * A request above the limit is refused, so that finding one does not need the memory.
 */

const WATCHED = [
  'Uint8Array',
  'Int16Array',
  'Uint16Array',
  'Uint32Array',
  'BigUint64Array',
  'ArrayBuffer',
  'Array',
] as const;

export class AllocationWatch {
  /** Bytes asked for in one request at most, and in all. */
  largest = 0;
  total = 0;
  readonly #limit: number;
  readonly #restore: (() => void)[] = [];

  /** @param limit bytes that one request may ask for */
  constructor(limit: number) {
    this.#limit = limit;
  }

  start(): void {
    for (const name of WATCHED) this.#watchConstructor(name);
    this.#watchSlice();
  }

  stop(): void {
    for (const restore of this.#restore.splice(0)) restore();
  }

  #watchConstructor(name: (typeof WATCHED)[number]): void {
    const original = constructorOf(name);
    const unit = name === 'Array' ? 8 : (original.BYTES_PER_ELEMENT ?? 1);
    const count = ([length]: readonly unknown[]) => {
      if (typeof length === 'number') this.#note(length * unit);
      else if (ArrayBuffer.isView(length)) this.#note(length.byteLength);
    };
    const watched: Constructor = new Proxy(original, {
      construct(target, args, newTarget): object {
        count(args);
        return Reflect.construct(target, args, newTarget === watched ? target : newTarget);
      },
      // Only Array may be called without new, and means the same.
      apply(target, _self, args): object {
        count(args);
        return Reflect.construct(target, args);
      },
    });
    Reflect.set(globalThis, name, watched);
    this.#restore.push(() => Reflect.set(globalThis, name, original));
  }

  #watchSlice(): void {
    const prototype = Object.getPrototypeOf(Uint8Array.prototype);
    const original: (this: Uint8Array, ...args: number[]) => Uint8Array = prototype.slice;
    const note = (bytes: number) => this.#note(bytes);
    prototype.slice = function (this: Uint8Array, ...args: number[]) {
      const copy = original.apply(this, args);
      note(copy.byteLength);
      return copy;
    };
    this.#restore.push(() => {
      prototype.slice = original;
    });
  }

  #note(bytes: number): void {
    this.total += bytes;
    if (bytes > this.largest) this.largest = bytes;
    if (bytes > this.#limit) throw new RangeError(`${bytes} bytes were asked for at once`);
  }
}

interface Constructor {
  new (...args: never[]): object;
  readonly BYTES_PER_ELEMENT?: number;
}

const constructorOf = (name: (typeof WATCHED)[number]): Constructor => globalThis[name];
