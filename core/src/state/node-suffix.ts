/**
 * Keys of tree nodes in table jmt (docs/protocol/encoding-state.md, "Tree records"):
 * version u64 big-endian ‖ nibble count ‖ nibbles, two a byte, the last one padded with zero.
 */

const PATH_AT = 9;
export const MAX_NODE_SUFFIX_BYTES = PATH_AT + 32;

/** Where a node lies in the store; a leaf has depth 64. */
export interface NodeLocation {
  readonly version: bigint;
  readonly key: Uint8Array;
  readonly depth: number;
}

export function nodeSuffix({ version, key, depth }: NodeLocation): Uint8Array {
  const out = new Uint8Array(PATH_AT + ((depth + 1) >> 1));
  writeNodeSuffix(out, 0, version, key, depth);
  return out;
}

/** Writes the suffix of the node at the first `depth` nibbles of `key`; returns its length. */
export function writeNodeSuffix(
  out: Uint8Array,
  at: number,
  version: bigint,
  key: Uint8Array,
  depth: number,
): number {
  writeU64BigEndian(out, at, version);
  out[at + 8] = depth;
  const pathBytes = (depth + 1) >> 1;
  for (let i = 0; i < pathBytes; i++) out[at + PATH_AT + i] = key[i] ?? 0;
  const last = at + PATH_AT + pathBytes - 1;
  if ((depth & 1) === 1) out[last] = (out[last] ?? 0) & 0xf0;
  return PATH_AT + pathBytes;
}

/** By halves: this runs for every node of a wave, and a `DataView` each would cost more. */
function writeU64BigEndian(out: Uint8Array, at: number, value: bigint): void {
  let low = Number(value & 0xffff_ffffn);
  let high = Number(value >> 32n);
  for (let i = 3; i >= 0; i--) {
    out[at + i] = high & 0xff;
    out[at + 4 + i] = low & 0xff;
    high >>>= 8;
    low >>>= 8;
  }
}
