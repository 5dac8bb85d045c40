/**
 * Why a contract's module is refused. Every error of decoding and validation names the byte of the
 * module where the fault was found (`details.offset`).
 */
import { type ErrorDetails, PydeError } from '../bytes/index.ts';

export type WasmErrorCode =
  | 'wasm.magic'
  | 'wasm.version'
  | 'wasm.truncated'
  | 'wasm.leb'
  | 'wasm.utf8'
  | 'wasm.section-id'
  | 'wasm.section-order'
  | 'wasm.section-length'
  | 'wasm.body-length'
  | 'wasm.count'
  | 'wasm.form'
  | 'wasm.range'
  | 'wasm.type'
  | 'wasm.feature'
  | 'wasm.operator'
  | 'wasm.limit'
  | 'wasm.index'
  | 'wasm.stack'
  | 'wasm.label'
  | 'wasm.alignment'
  | 'wasm.immutable'
  | 'wasm.constant'
  | 'wasm.start'
  | 'wasm.import'
  | 'wasm.import-signature'
  | 'wasm.parachain-only'
  | 'wasm.test-only-import'
  | 'wasm.export'
  | 'wasm.abi'
  | 'wasm.abi-version'
  | 'wasm.abi-type'
  | 'wasm.abi-function'
  | 'wasm.abi-attributes';

export type WasmError = PydeError<WasmErrorCode>;

/**
 * @param offset the byte of the module at which the fault was found
 * @param message what was wrong with which value; the offset is added to it
 */
export function wasmError(
  code: WasmErrorCode,
  offset: number,
  message: string,
  details: ErrorDetails = {},
): WasmError {
  return new PydeError(code, `${message} (byte ${offset})`, { ...details, offset });
}

/** A count or size above what this chain accepts; `limit` is the name in `LIMITS`. */
export function limitError(limit: string, value: number, bound: number, offset: number): WasmError {
  return wasmError('wasm.limit', offset, `${limit}: ${value} is above the bound of ${bound}`, {
    limit,
    value,
    bound,
  });
}

/** Something this chain does not run; `feature` is the name of the WebAssembly proposal. */
export function featureError(feature: string, offset: number, what: string): WasmError {
  return wasmError('wasm.feature', offset, `${what} needs ${feature}, which is not accepted`, {
    feature,
  });
}

/** An index of something that is not there; `count` is how many there are. */
export function indexError(what: string, index: number, count: number, offset: number): WasmError {
  return wasmError('wasm.index', offset, `there is no ${what} ${index}, there are ${count}`, {
    index,
    count,
  });
}
