/**
 * Poseidon2 over Goldilocks by the kernel core/kernels/poseidon2.ts: the wire hash (spec/wire.md,
 * Hashes), and the padded sponge and pair compression of the state tree (design, Jellyfish Merkle
 * tree). A digest is four field elements as u64 little-endian, each below p.
 */
import { invariant, readU64LittleEndian } from '../bytes/index.ts';
import { requireLength } from './bounds.ts';
import { feedWindow, loadKernel, once } from './kernel.ts';
import { wasmBase64 } from './kernels/poseidon2.generated.ts';
import { type BatchKernel, hashMessages } from './message-batch.ts';

const FIELD_ORDER = 0xffff_ffff_0000_0001n;
const DIGEST_BYTES = 32;
const PAIR_BYTES = 64;
/** Pairs that fit into the kernel's inbox at once. */
const PAIRS_AT_ONCE = 1023;
/** Four 7-byte chunks; the last block of a message always has its padding. */
const BLOCK_BYTES = 28;
/** So many blocks still leave room for 36 messages in a window. */
const BATCHED_BLOCKS = 64;
/** The kernel counts the bytes of a state message in 32 bits. */
const MAX_STATE_BYTES = 0xffff_ffff;

/** What a digest of the state sponge stands for: 1 a value, 2 a leaf. */
export type Poseidon2Domain = 1 | 2;

const kernel = once(() => {
  const { memory, call } = loadKernel(wasmBase64, [
    'inputOffset',
    'outputOffset',
    'windowBytes',
    'lengthsOffset',
    'wireBegin',
    'wireAbsorbWindow',
    'wireFinish',
    'stateBegin',
    'stateAbsorbWindow',
    'stateFinish',
    'stateBatch',
    'compressBatch',
  ]);
  const { buffer } = memory;
  const inbox = new Uint8Array(buffer, call.inputOffset(), call.windowBytes());
  const output = new Uint8Array(buffer, call.outputOffset(), PAIRS_AT_ONCE * DIGEST_BYTES);
  const lengths = new Uint32Array(buffer, call.lengthsOffset(), 1024);
  const batchOf = (domain: Poseidon2Domain): BatchKernel => ({
    inbox,
    lengths,
    output: new Uint8Array(buffer, call.outputOffset(), 1024 * DIGEST_BYTES),
    blockBytes: BLOCK_BYTES,
    maxBlocks: BATCHED_BLOCKS,
    blocksOf: (length) => Math.floor(length / BLOCK_BYTES) + 1,
    hashBatch: (count, blocks) => call.stateBatch(count, blocks, domain),
    hashAlone: (message) => poseidon2State(domain, message),
  });
  const batches = { 1: batchOf(1), 2: batchOf(2) };
  return { call, inbox, output, digest: output.subarray(0, DIGEST_BYTES), batches };
});

/** Wire hash: 7-byte chunks and the byte length, overwriting sponge. */
export function poseidon2(bytes: Uint8Array): Uint8Array {
  const { call, inbox, digest } = kernel();
  call.wireBegin();
  call.wireFinish(feedWindow([bytes], inbox, call.wireAbsorbWindow));
  return digest.slice();
}

/** State hash: 10* padding, additive absorption, byte length and `domain` in the capacity. */
export function poseidon2State(domain: Poseidon2Domain, bytes: Uint8Array): Uint8Array {
  invariant(bytes.length <= MAX_STATE_BYTES, 'a state value is shorter than 4 GiB');
  const { call, inbox, digest } = kernel();
  call.stateBegin(bytes.length, domain);
  call.stateFinish(feedWindow([bytes], inbox, call.stateAbsorbWindow));
  return digest.slice();
}

/** n messages to n × 32 bytes `poseidon2State`, faster than one by one when most are short. */
export function poseidon2StateBatch(
  domain: Poseidon2Domain,
  messages: readonly Uint8Array[],
): Uint8Array {
  return hashMessages(kernel().batches[domain], messages);
}

/**
 * P(left ‖ right)[0..4] + left of two canonical digests; see `isCanonicalPoseidon2` for digests
 * that come from outside.
 * @throws PydeError `crypto.length`
 */
export function poseidon2Compress(left: Uint8Array, right: Uint8Array): Uint8Array {
  requireLength('left digest', left, DIGEST_BYTES);
  requireLength('right digest', right, DIGEST_BYTES);
  const { call, inbox, digest } = kernel();
  inbox.set(left, 0);
  inbox.set(right, DIGEST_BYTES);
  call.compressBatch(1);
  return digest.slice();
}

/** n × 64 bytes left ‖ right to n × 32 bytes `poseidon2Compress(left, right)`. */
export function poseidon2CompressBatch(pairs: Uint8Array): Uint8Array {
  invariant(pairs.length % PAIR_BYTES === 0, 'a batch of compressions is whole pairs of 64 bytes');
  const { call, inbox, output } = kernel();
  const total = pairs.length / PAIR_BYTES;
  const out = new Uint8Array(total * DIGEST_BYTES);
  for (let done = 0; done < total; done += PAIRS_AT_ONCE) {
    const count = Math.min(PAIRS_AT_ONCE, total - done);
    inbox.set(pairs.subarray(done * PAIR_BYTES, (done + count) * PAIR_BYTES));
    call.compressBatch(count);
    out.set(output.subarray(0, count * DIGEST_BYTES), done * DIGEST_BYTES);
  }
  return out;
}

/** True for 32 bytes that hold four elements below p; anything else in a proof is refused. */
export function isCanonicalPoseidon2(digest: Uint8Array): boolean {
  if (digest.length !== DIGEST_BYTES) return false;
  for (let at = 0; at < DIGEST_BYTES; at += 8) {
    if (readU64LittleEndian(digest, at) >= FIELD_ORDER) return false;
  }
  return true;
}
