/** JSON of unknown origin, field by field: each read says what the field must be. */
import { fromHex, isPydeError, U64_MAX } from '@pyde/core/bytes';

type Fault = (what: string) => Error;

export class JsonObject {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #fault: Fault;

  constructor(value: unknown, path: string, fault: Fault) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw fault(`${path === '' ? 'it' : path.slice(0, -1)} is no JSON object`);
    }
    this.#fields = { ...value };
    this.#path = path;
    this.#fault = fault;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  isNull(name: string): boolean {
    return this.#get(name) === null;
  }

  literal(name: string, expected: string | number): void {
    if (this.#get(name) !== expected) throw this.#wrong(name, `it must be ${expected}`);
  }

  object(name: string): JsonObject {
    return new JsonObject(this.#get(name), `${this.#path}${name}.`, this.#fault);
  }

  hex(name: string, bytes: number): Uint8Array {
    const value = this.#get(name);
    if (typeof value !== 'string') throw this.#wrong(name, 'it must be 0x and hex digits');
    try {
      return fromHex(value, { exactBytes: bytes });
    } catch (error) {
      if (isPydeError(error)) throw this.#wrong(name, error.message);
      throw error;
    }
  }

  whole(name: string): number {
    const value = this.#get(name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#wrong(name, 'it must be a whole number');
  }

  /** Decimal digits in a string. */
  u64(name: string): bigint {
    const value = this.#get(name);
    if (typeof value === 'string' && /^\d{1,20}$/.test(value) && BigInt(value) <= U64_MAX) {
      return BigInt(value);
    }
    throw this.#wrong(name, 'it must be a whole number in quotes');
  }

  #get(name: string): unknown {
    return this.has(name) ? this.#fields[name] : undefined;
  }

  #wrong(name: string, what: string): Error {
    return this.#fault(`${this.#path}${name}: ${what}`);
  }
}

/** The object that a text holds. */
export function parseJsonObject(text: string, fault: Fault): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fault('it is not JSON');
  }
  return new JsonObject(value, '', fault);
}
