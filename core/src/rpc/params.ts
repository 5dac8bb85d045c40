/**
 * Readers of RPC parameters: a JSON value from anybody becomes a checked value or −32602 naming the
 * parameter. Absent and null mean the same.
 */
import { fromHex, fromQuantity, isPydeError, PydeError, U64_MAX } from '../bytes/index.ts';
import {
  type Address,
  type Hash,
  type SlotHash,
  type TxHash,
  toAddress,
  toHash,
  toSlotHash,
  toTxHash,
} from '../types/index.ts';
import { badParams } from './error.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads one JSON value; `name` is how messages call it. */
export type Reader<T> = (value: unknown, name: string) => T;

export const readAddress: Reader<Address> = (value, name) =>
  toAddress(exactHex(value, name, 32, 'an address'));

export const readHash: Reader<Hash> = (value, name) => toHash(exactHex(value, name, 32, 'a hash'));

export const readTxHash: Reader<TxHash> = (value, name) =>
  toTxHash(exactHex(value, name, 32, 'a transaction hash'));

export const readSlot: Reader<SlotHash> = (value, name) =>
  toSlotHash(exactHex(value, name, 32, 'a slot'));

/** Hex of at most `maxBytes`. */
export function readHex(value: unknown, name: string, maxBytes: number): Uint8Array {
  const text = readString(value, name, 2 + 2 * maxBytes);
  return named(name, () => fromHex(text, { maxBytes }));
}

/** A quantity string, or a number that is exact. */
export function readQuantity(value: unknown, name: string, max: bigint): bigint {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0 && BigInt(value) <= max) return BigInt(value);
    throw badParams(`${name} must be a whole number from 0 to ${max}, got ${value}`);
  }
  const text = required(value, name);
  if (typeof text !== 'string') {
    throw badParams(`${name} must be a quantity like "0x2a" or a number`);
  }
  return named(name, () => fromQuantity(text, max));
}

export const readU64: Reader<bigint> = (value, name) => readQuantity(value, name, U64_MAX);

/** A number or quantity from `min` to `max`, both exact numbers. */
export function readNumber(value: unknown, name: string, min: number, max: number): number {
  const number = Number(readQuantity(value, name, U64_MAX));
  if (number < min || number > max) {
    throw badParams(`${name} must be from ${min} to ${max}, got ${number}`);
  }
  return number;
}

export function readString(value: unknown, name: string, maxChars: number): string {
  const text = required(value, name);
  if (typeof text !== 'string') throw badParams(`${name} must be a string`);
  if (text.length > maxChars) {
    throw badParams(`${name} is ${text.length} characters long, at most ${maxChars} fit`);
  }
  return text;
}

/** An object with no other keys than `keys`. */
export function readObject(value: unknown, name: string, keys: readonly string[]): JsonObject {
  const object = required(value, name);
  if (!isObject(object)) throw badParams(`${name} must be an object with ${keys.join(', ')}`);
  for (const key of Object.keys(object)) {
    if (!keys.includes(key)) {
      throw badParams(
        `${name} has the unknown key ${key.slice(0, 64)}; known are ${keys.join(', ')}`,
      );
    }
  }
  return object;
}

export function readArray(value: unknown, name: string, max: number): readonly unknown[] {
  const array = required(value, name);
  if (!Array.isArray(array)) throw badParams(`${name} must be an array`);
  if (array.length > max) {
    throw badParams(`${name} has ${array.length} entries, at most ${max} fit`);
  }
  return array;
}

/** undefined for an absent value, else what `read` makes of it. */
export function optional<T>(value: unknown, name: string, read: Reader<T>): T | undefined {
  return value === undefined || value === null ? undefined : read(value, name);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function exactHex(value: unknown, name: string, exactBytes: number, what: string): Uint8Array {
  const text = required(value, name);
  if (typeof text !== 'string') throw badParams(`${name} must be ${what}: 0x and 64 hex digits`);
  return named(name, () => fromHex(text, { exactBytes }));
}

function required(value: unknown, name: string): unknown {
  if (value === undefined || value === null) throw badParams(`${name} is missing`);
  return value;
}

/** Turns the refusal of a byte reader into one that names the parameter. */
function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isPydeError(error)) throw badParams(`${name}: ${error.message}`, error.details);
    throw error;
  }
}

/** `params` against the names of a method's parameters; a trailing `?` marks an optional one. */
export function checkArity(
  method: string,
  names: readonly string[],
  params: readonly unknown[],
): void {
  if (params.length <= names.length) return;
  const list = names.length === 0 ? 'none' : names.join(', ');
  throw new PydeError(
    'rpc.params',
    `${method} takes ${names.length} parameters (${list}), got ${params.length}`,
    { method, given: params.length },
  );
}
