/** Keccak-256 as Ethereum uses it (original padding 0x01, not SHA-3's 0x06); noble's. */
import { keccak_256 } from '@noble/hashes/sha3.js';

/** 32-byte Keccak-256 digest of `bytes`. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes);
}
