/**
 * What a request text may cost, judged in one pass before anything parses it: `JSON.parse` recurses
 * with the nesting, so that deep text would end the stack of the node, and allocates with the size.
 */
import { PydeError } from '../bytes/index.ts';
import type { RpcErrorCode } from './error.ts';

/** spec/rpc.md. */
export const MAX_REQUEST_BYTES = 5 * 1024 * 1024;
export const MAX_REQUEST_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Passes every JSON text within the bounds; what is no JSON is left for the parser to refuse.
 * @throws PydeError `rpc.too-large`, `rpc.too-deep`
 */
export function checkJsonBounds(text: string): void {
  // UTF-8 takes one to three bytes for each UTF-16 unit.
  if (text.length > MAX_REQUEST_BYTES) throw requestTooLarge();
  let bytes = 0;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes += unit < 0x80 ? 1 : unit < 0x800 || isSurrogate(unit) ? 2 : 3;
    if (inString) {
      // The unit after a backslash cannot end the string; it is ASCII in valid JSON.
      if (unit === BACKSLASH) {
        i++;
        bytes++;
      } else if (unit === QUOTE) inString = false;
    } else if (unit === QUOTE) inString = true;
    else if (unit === OPEN_ARRAY || unit === OPEN_OBJECT) {
      depth++;
      if (depth > MAX_REQUEST_DEPTH) throw requestTooDeep();
    } else if (unit === CLOSE_ARRAY || unit === CLOSE_OBJECT) depth--;
  }
  if (bytes > MAX_REQUEST_BYTES) throw requestTooLarge();
}

/** Each half of a pair counts two of the four bytes. */
function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

export function requestTooLarge(): PydeError<RpcErrorCode> {
  return new PydeError(
    'rpc.too-large',
    `a request is at most ${MAX_REQUEST_BYTES} bytes; split the batch or send less data`,
    { maxBytes: MAX_REQUEST_BYTES },
  );
}

function requestTooDeep(): PydeError<RpcErrorCode> {
  return new PydeError(
    'rpc.too-deep',
    `a request nests at most ${MAX_REQUEST_DEPTH} arrays and objects; no method needs more`,
    { maxDepth: MAX_REQUEST_DEPTH },
  );
}
