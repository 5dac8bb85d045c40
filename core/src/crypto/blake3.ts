/**
 * BLAKE3 in its default mode with 32-byte digests (spec/wire.md, Hashes), by the kernel
 * core/kernels/blake3.ts.
 */
import { invariant } from '../bytes/index.ts';
import { feedWindow, loadKernel, once } from './kernel.ts';
import { wasmBase64 } from './kernels/blake3.generated.ts';
import { type BatchKernel, hashMessages } from './message-batch.ts';

const DIGEST_BYTES = 32;
const BLOCK_BYTES = 64;
/** A chunk: longer messages are trees, which the kernel does not hash side by side. */
const BATCHED_BLOCKS = 16;
const NODE_BYTES = 64;
/** Nodes that fit into the kernel's inbox at once. */
const NODES_AT_ONCE = 1024;

/** Prefixes of the state tree's hashes (design, Jellyfish Merkle tree). */
const LEAF_PREFIX = 0;
const INNER_PREFIX = 1;

const kernel = once(() => {
  const { memory, call } = loadKernel(wasmBase64, [
    'inputOffset',
    'outputOffset',
    'windowBytes',
    'lengthsOffset',
    'begin',
    'absorbWindow',
    'finish',
    'hashPrefixedBatch',
    'hash64Batch',
    'hashBatch',
  ]);
  const { buffer } = memory;
  const inbox = new Uint8Array(buffer, call.inputOffset(), call.windowBytes());
  const output = new Uint8Array(buffer, call.outputOffset(), NODES_AT_ONCE * DIGEST_BYTES);
  const batch: BatchKernel = {
    inbox,
    lengths: new Uint32Array(buffer, call.lengthsOffset(), NODES_AT_ONCE),
    output,
    blockBytes: BLOCK_BYTES,
    maxBlocks: BATCHED_BLOCKS,
    blocksOf: (length) => Math.max(1, Math.ceil(length / BLOCK_BYTES)),
    hashBatch: call.hashBatch,
    hashAlone: (message) => blake3(message),
  };
  return { call, inbox, output, digest: output.subarray(0, DIGEST_BYTES), batch };
});

/** 32-byte digest of the concatenation of `parts`. */
export function blake3(...parts: readonly Uint8Array[]): Uint8Array {
  const { call, inbox, digest } = kernel();
  call.begin();
  call.finish(feedWindow(parts, inbox, call.absorbWindow));
  return digest.slice();
}

/** n messages to n × 32 bytes, faster than one by one when most are short. */
export function blake3Batch(messages: readonly Uint8Array[]): Uint8Array {
  return hashMessages(kernel().batch, messages);
}

/** n × 64 bytes left ‖ right to n × 32 bytes H(0x01 ‖ left ‖ right): the tree's inner nodes. */
export function blake3InnerBatch(pairs: Uint8Array): Uint8Array {
  return inBatches(pairs, (count) => kernel().call.hashPrefixedBatch(INNER_PREFIX, count));
}

/** n × 64 bytes key ‖ value digest to n × 32 bytes H(0x00 ‖ key ‖ value digest): the tree's leaves. */
export function blake3LeafBatch(leaves: Uint8Array): Uint8Array {
  return inBatches(leaves, (count) => kernel().call.hashPrefixedBatch(LEAF_PREFIX, count));
}

/** n × 64 bytes to n × 32 bytes H(64 bytes). */
export function blake3Batch64(inputs: Uint8Array): Uint8Array {
  return inBatches(inputs, (count) => kernel().call.hash64Batch(count));
}

function inBatches(inputs: Uint8Array, hash: (count: number) => void): Uint8Array {
  invariant(inputs.length % NODE_BYTES === 0, 'a batch of hashes is whole inputs of 64 bytes');
  const { inbox, output } = kernel();
  const total = inputs.length / NODE_BYTES;
  const out = new Uint8Array(total * DIGEST_BYTES);
  for (let done = 0; done < total; done += NODES_AT_ONCE) {
    const count = Math.min(NODES_AT_ONCE, total - done);
    inbox.set(inputs.subarray(done * NODE_BYTES, (done + count) * NODE_BYTES));
    hash(count);
    out.set(output.subarray(0, count * DIGEST_BYTES), done * DIGEST_BYTES);
  }
  return out;
}
