/**
 * Public keys in the form that verification wants: h transformed and divided by 512, with Barrett
 * companions. Making it costs half as much as a verification, and the same keys come again, so the
 * last ones stay.
 *
 * The cache is four-way set-associative. A slot holds the whole key and answers only for those very
 * bytes, so what is in the cache changes how long a verification takes, never its result. Somebody
 * who makes keys collide gains their reloading.
 */
import { INVERSE_OF_512 } from "./falcon-ntt-tables.generated";
import { POLYNOMIAL_BYTES, Q, transform } from "./falcon-ntt";

const PUBLIC_KEY_BYTES: usize = 897;
const PUBLIC_KEY_HEADER: u32 = 0x09;
const COEFFICIENT_BITS: u32 = 14;
const HALF_Q: i32 = 6144;

const SETS: usize = 256;
const WAYS: usize = 4;
/** Factor and companions, 2048 bytes, then the key, whose header is 0 in an empty slot. */
const SLOT_BYTES: usize = 3072;
const KEY_AT: usize = 2048;
const SLOTS: usize = memory.data(256 * 4 * 3072, 16);
/** Which way of a set is replaced next. */
const NEXT_WAY: usize = memory.data(256, 16);

/**
 * Address of the factor for `multiplyInverse`, or 0 when the 897 bytes at `key` are no public key.
 * The factor stays there until the next call.
 */
export function factorOfKey(key: usize): usize {
  const set = setOf(key);
  const ways = SLOTS + set * (WAYS * SLOT_BYTES);
  for (let slot = ways; slot < ways + WAYS * SLOT_BYTES; slot += SLOT_BYTES) {
    if (memory.compare(slot + KEY_AT, key, PUBLIC_KEY_BYTES) == 0 && load<u8>(key) == PUBLIC_KEY_HEADER) return slot;
  }
  const way = <usize>load<u8>(NEXT_WAY + set);
  const slot = ways + way * SLOT_BYTES;
  store<u8>(slot, 0, KEY_AT);
  if (!loadFactor(key, slot)) return 0;
  memory.copy(slot + KEY_AT, key, PUBLIC_KEY_BYTES);
  store<u8>(NEXT_WAY + set, <u8>((way + 1) & (WAYS - 1)));
  return slot;
}

/** Spreads the first 24 bytes of the body over the sets. */
// @ts-ignore: decorator
@inline function setOf(key: usize): usize {
  const mixed = (load<u64>(key, 1) ^ rotl<u64>(load<u64>(key, 9), 21) ^ rotl<u64>(load<u64>(key, 17), 42)) * 0x9e3779b97f4a7c15;
  return <usize>(mixed >> 56) & (SETS - 1);
}

/** Decodes (§3.11.4) and transforms; false for a wrong header or a coefficient that is not below q. */
function loadFactor(key: usize, factor: usize): bool {
  if (load<u8>(key) != PUBLIC_KEY_HEADER) return false;
  let bits: u32 = 0;
  let held: u32 = 0;
  let next = key + 1;
  for (let i: usize = 0; i < POLYNOMIAL_BYTES; i += 2) {
    while (held < COEFFICIENT_BITS) {
      bits = (bits << 8) | load<u8>(next++);
      held += 8;
    }
    held -= COEFFICIENT_BITS;
    const value = <i32>((bits >> held) & 0x3fff);
    if (value >= Q) return false;
    store<i16>(factor + i, <i16>(value > HALF_Q ? value - Q : value));
  }
  transform(factor);
  for (let i: usize = 0; i < POLYNOMIAL_BYTES; i += 2) {
    const value = centred(<i32>load<i16>(factor + i) * INVERSE_OF_512);
    store<i16>(factor + i, <i16>value);
    // round(value · 2^15 / q), the companion of falcon-ntt.ts.
    const doubled = value * 65536 + (value < 0 ? -Q : Q);
    store<i16>(factor + i, <i16>(doubled / (2 * Q)), POLYNOMIAL_BYTES);
  }
  return true;
}

/** The representative between -q/2 and q/2. */
// @ts-ignore: decorator
@inline function centred(value: i32): i32 {
  const rest = value % Q;
  if (rest > HALF_Q) return rest - Q;
  return rest < -HALF_Q ? rest + Q : rest;
}
