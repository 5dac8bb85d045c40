/**
 * Many short messages through a kernel that hashes several side by side: it takes messages of as
 * many blocks each, so they are grouped by that. A long message gains nothing and goes alone.
 */

const DIGEST_BYTES = 32;
/** Messages and digests that a kernel takes in one call. */
const MESSAGES_AT_ONCE = 1024;

export interface BatchKernel {
  readonly inbox: Uint8Array;
  /** One u32 a message, in the byte order of the kernel. */
  readonly lengths: Uint32Array;
  readonly output: Uint8Array;
  readonly blockBytes: number;
  /** Messages of more blocks go alone. */
  readonly maxBlocks: number;
  /** With padding. */
  blocksOf(length: number): number;
  hashBatch(count: number, blocks: number): void;
  hashAlone(message: Uint8Array): Uint8Array;
}

/** n messages to n × 32 bytes. */
export function hashMessages(kernel: BatchKernel, messages: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(messages.length * DIGEST_BYTES);
  for (const [blocks, members] of groupedByBlocks(kernel, messages)) {
    if (blocks > kernel.maxBlocks) {
      for (const i of members) out.set(kernel.hashAlone(messageAt(messages, i)), i * DIGEST_BYTES);
    } else hashGroup(kernel, messages, members, blocks, out);
  }
  return out;
}

function groupedByBlocks(
  kernel: BatchKernel,
  messages: readonly Uint8Array[],
): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (let i = 0; i < messages.length; i++) {
    const blocks = kernel.blocksOf(messageAt(messages, i).length);
    const group = groups.get(blocks);
    if (group === undefined) groups.set(blocks, [i]);
    else group.push(i);
  }
  return groups;
}

function hashGroup(
  kernel: BatchKernel,
  messages: readonly Uint8Array[],
  members: readonly number[],
  blocks: number,
  out: Uint8Array,
): void {
  const { inbox, lengths, output } = kernel;
  const stride = blocks * kernel.blockBytes;
  const atOnce = Math.min(MESSAGES_AT_ONCE, Math.floor(inbox.length / stride));
  for (let first = 0; first < members.length; first += atOnce) {
    const count = Math.min(atOnce, members.length - first);
    for (let k = 0; k < count; k++) {
      const message = messageAt(messages, members[first + k]);
      inbox.set(message, k * stride);
      lengths[k] = message.length;
    }
    kernel.hashBatch(count, blocks);
    for (let k = 0; k < count; k++) {
      const to = (members[first + k] ?? 0) * DIGEST_BYTES;
      for (let i = 0; i < DIGEST_BYTES; i++) out[to + i] = output[k * DIGEST_BYTES + i] ?? 0;
    }
  }
}

const EMPTY = new Uint8Array(0);

function messageAt(messages: readonly Uint8Array[], i: number | undefined): Uint8Array {
  return messages[i ?? 0] ?? EMPTY;
}
