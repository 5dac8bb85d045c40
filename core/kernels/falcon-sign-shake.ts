/**
 * SHAKE256 (FIPS 202): one sponge, absorbed and squeezed piecewise.
 *
 * It hashes the message to a point and stretches the sampler's seed, one after the other.
 */
import { keccak } from "./keccak.generated";

const RATE: usize = 136;
const STATE: usize = memory.data(200, 16);

/** Next byte of the rate to absorb into or to squeeze from. */
let position: usize = 0;

export function shakeStart(): void {
  memory.fill(STATE, 0, 200);
  position = 0;
}

export function shakeAbsorb(from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i++) {
    const at = STATE + position;
    store<u8>(at, load<u8>(at) ^ load<u8>(from + i));
    if (++position == RATE) {
      keccak(STATE);
      position = 0;
    }
  }
}

/** Ends absorbing: domain bits 1111 and the padding. */
export function shakeFinish(): void {
  store<u8>(STATE + position, load<u8>(STATE + position) ^ 0x1f);
  store<u8>(STATE + RATE - 1, load<u8>(STATE + RATE - 1) ^ 0x80);
  position = RATE;
}

export function shakeSqueeze(to: usize, length: usize): void {
  for (let i: usize = 0; i < length; i++) {
    if (position == RATE) {
      keccak(STATE);
      position = 0;
    }
    store<u8>(to + i, load<u8>(STATE + position++));
  }
}

/** Two squeezed bytes, big endian. Only ever called at even positions, so none is split. */
export function shakeSqueezeU16(): u32 {
  if (position == RATE) {
    keccak(STATE);
    position = 0;
  }
  const at = STATE + position;
  position += 2;
  return (<u32>load<u8>(at) << 8) | load<u8>(at, 1);
}
