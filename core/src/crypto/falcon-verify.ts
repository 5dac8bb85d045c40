/**
 * FALCON-512 verification (Falcon specification, round 3, algorithm 16; spec/wire.md) by the kernel
 * core/kernels/falcon-verify.ts, which refuses what is malformed, keeps the last public keys in
 * transformed form and hashes signatures in pairs: batches are worth it.
 */

import {
  FALCON_MAX_MESSAGE_BYTES,
  FALCON_MAX_SIGNATURE_BYTES,
  FALCON_PUBLIC_KEY_BYTES,
} from './falcon-sizes.ts';
import { loadKernel, once } from './kernel.ts';
import { wasmBase64 } from './kernels/falcon-verify.generated.ts';

export interface FalconVerifyItem {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

const ITEM_BYTES = 20;
const PAGE_BYTES = 65536;
/** A run of the kernel holds one item, or several up to this many bytes. */
const STAGED_BYTES_AT_ONCE = 262_144;
/** The kernel may read so far past a signature. */
const SLACK_BYTES = 16;

const kernel = once(() => {
  const { memory, call } = loadKernel(wasmBase64, [
    'stagingOffset',
    'itemsOffset',
    'verdictsOffset',
    'maxItems',
    'verify',
  ]);
  return {
    memory,
    call,
    staging: call.stagingOffset(),
    items: call.itemsOffset(),
    verdicts: call.verdictsOffset(),
    itemsAtOnce: call.maxItems(),
  };
});

/**
 * True when `signature`, in any of the three encodings, is one of `message` under `publicKey`. Never
 * throws: bytes that are no key or no signature, and a message above FALCON_MAX_MESSAGE_BYTES, give
 * false.
 */
export function falconVerify(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return falconVerifyBatch([{ publicKey, message, signature }])[0] ?? false;
}

/** `falconVerify` of every item, in order. */
export function falconVerifyBatch(items: readonly FalconVerifyItem[]): boolean[] {
  const verdicts = new Array<boolean>(items.length).fill(false);
  const { itemsAtOnce } = kernel();
  let run: number[] = [];
  let runBytes = 0;
  items.forEach((item, index) => {
    if (!isVerifiable(item)) return;
    const bytes = stagedBytes(item);
    if (run.length === itemsAtOnce || (run.length > 0 && runBytes + bytes > STAGED_BYTES_AT_ONCE)) {
      verifyRun(items, run, runBytes, verdicts);
      run = [];
      runBytes = 0;
    }
    run.push(index);
    runBytes += bytes;
  });
  if (run.length > 0) verifyRun(items, run, runBytes, verdicts);
  return verdicts;
}

/** The sizes that bound what is copied; the kernel judges everything else. */
function isVerifiable({ publicKey, message, signature }: FalconVerifyItem): boolean {
  return (
    publicKey.length === FALCON_PUBLIC_KEY_BYTES &&
    message.length <= FALCON_MAX_MESSAGE_BYTES &&
    signature.length <= FALCON_MAX_SIGNATURE_BYTES
  );
}

const stagedBytes = ({ publicKey, message, signature }: FalconVerifyItem): number =>
  publicKey.length + message.length + signature.length;

function verifyRun(
  items: readonly FalconVerifyItem[],
  run: readonly number[],
  runBytes: number,
  verdicts: boolean[],
): void {
  const { memory, call, staging, items: descriptors, verdicts: results } = kernel();
  const missing = staging + runBytes + SLACK_BYTES - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
  const bytes = new Uint8Array(memory.buffer);
  const words = new DataView(memory.buffer, descriptors, run.length * ITEM_BYTES);
  let at = staging;
  const stage = (part: Uint8Array): number => {
    const offset = at;
    bytes.set(part, offset);
    at += part.length;
    return offset;
  };
  run.forEach((index, i) => {
    const item = items[index];
    if (item === undefined) return;
    const { publicKey, message, signature } = item;
    const word = i * ITEM_BYTES;
    words.setUint32(word, stage(publicKey), true);
    words.setUint32(word + 4, stage(message), true);
    words.setUint32(word + 8, message.length, true);
    words.setUint32(word + 12, stage(signature), true);
    words.setUint32(word + 16, signature.length, true);
  });
  call.verify(run.length);
  run.forEach((index, i) => {
    verdicts[index] = bytes[results + i] === 1;
  });
}
