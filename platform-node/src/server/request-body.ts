/**
 * Reads the body of a request within the bound of spec/rpc.md. Whoever sends more still gets an
 * answer: the rest is read and dropped, up to a second bound, because a client that is cut off in
 * the middle of sending sees a broken connection and not the reason.
 */
import type { IncomingMessage } from 'node:http';
import { PydeError } from '@pyde/core/bytes';
import { MAX_REQUEST_BYTES, requestTooLarge } from '@pyde/core/rpc';

/** Read and dropped at most; beyond it the connection is cut. */
const MAX_DROPPED_BYTES = 64 * 1024 * 1024;

/** @throws PydeError `rpc.too-large`, `rpc.request`, `rpc.parse` for bytes that are no UTF-8 */
export function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
      else chunks = [];
      if (bytes > MAX_DROPPED_BYTES) {
        reject(requestTooLarge());
        request.destroy();
      }
    });
    // Callers leave whenever they like: nobody reads the answer, and no fault of this node's.
    request.on('error', () => reject(brokenOff()));
    request.on('end', () => {
      if (bytes > MAX_REQUEST_BYTES) reject(requestTooLarge());
      else {
        try {
          resolve(textOf(Buffer.concat(chunks)));
        } catch (error) {
          reject(error);
        }
      }
    });
  });
}

function brokenOff(): PydeError {
  return new PydeError('rpc.request', 'the request broke off before its end; send it again');
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new PydeError('rpc.parse', 'the request is not UTF-8; send JSON in UTF-8');
  }
}
