/**
 * Poseidon2 over Goldilocks as the paper writes it (Grassi, Khovratovich, Schofnegger, "Poseidon2",
 * 2023, §5–6; parameters in spec/wire.md, Hashes), in BigInt and without a single trick: what the
 * kernel is checked against. Slow; nothing but tests may import it.
 */
import parameters from '../../../vectors/poseidon2-params.json' with { type: 'json' };

const P = 0xffff_ffff_0000_0001n;
const CHUNK_BYTES = 7;
const RATE = 4;
const WIDTH = 8;

const M4 = parameters.mat4.map((row) => row.map(BigInt));
const EXTERNAL_CONSTANTS = parameters.external_rc.map((row) => row.map(BigInt));
const INTERNAL_CONSTANTS = parameters.internal_rc.map(BigInt);
const INTERNAL_DIAGONAL = parameters.internal_diag.map(BigInt);

/** Wire sponge: 7-byte chunks, then the length; overwriting, without padding. */
export function poseidon2Reference(bytes: Uint8Array): Uint8Array {
  const elements = bytes.length === 0 ? [] : [...chunks(bytes)];
  elements.push(BigInt(bytes.length));
  let state = new Array<bigint>(WIDTH).fill(0n);
  for (let i = 0; i < elements.length; i += RATE) {
    state = permute(state.map((lane, j) => (j < RATE ? (elements[i + j] ?? lane) : lane)));
  }
  return digest(state);
}

/** State sponge: 10* padding, additive absorption, length and domain in the capacity. */
export function poseidon2StateReference(domain: number, bytes: Uint8Array): Uint8Array {
  const block = CHUNK_BYTES * RATE;
  const padded = new Uint8Array((Math.floor(bytes.length / block) + 1) * block);
  padded.set(bytes);
  padded[bytes.length] = 1;
  let state = new Array<bigint>(WIDTH).fill(0n);
  state[4] = BigInt(bytes.length);
  state[5] = BigInt(domain);
  const elements = [...chunks(padded)];
  for (let i = 0; i < elements.length; i += RATE) {
    state = permute(state.map((lane, j) => (j < RATE ? lane + (elements[i + j] ?? 0n) : lane) % P));
  }
  return digest(state);
}

/** P(left ‖ right)[0..4] + left. */
export function poseidon2CompressReference(left: Uint8Array, right: Uint8Array): Uint8Array {
  const state = [...lanes(left), ...lanes(right)];
  const permuted = permute(state);
  return digest(permuted.map((lane, i) => (lane + (state[i] ?? 0n)) % P));
}

export function permute(initial: readonly bigint[]): bigint[] {
  let state = externalLayer(initial);
  EXTERNAL_CONSTANTS.slice(0, 4).forEach((constants) => {
    state = externalLayer(state.map((lane, i) => sbox(lane + (constants[i] ?? 0n))));
  });
  for (const constant of INTERNAL_CONSTANTS) {
    const mixed = state.map((lane, i) => (i === 0 ? sbox(lane + constant) : lane));
    const sum = mixed.reduce((total, lane) => total + lane, 0n);
    state = mixed.map((lane, i) => ((INTERNAL_DIAGONAL[i] ?? 0n) * lane + sum) % P);
  }
  EXTERNAL_CONSTANTS.slice(4).forEach((constants) => {
    state = externalLayer(state.map((lane, i) => sbox(lane + (constants[i] ?? 0n))));
  });
  return state;
}

function externalLayer(state: readonly bigint[]): bigint[] {
  const halves = [state.slice(0, 4), state.slice(4)].map((half) =>
    M4.map((row) => row.reduce((sum, m, i) => sum + m * (half[i] ?? 0n), 0n) % P),
  );
  const mixed = halves.flat();
  return mixed.map((lane, i) => (lane + (mixed[i % 4] ?? 0n) + (mixed[(i % 4) + 4] ?? 0n)) % P);
}

function sbox(x: bigint): bigint {
  const square = (x * x) % P;
  return (((square * square) % P) * ((square * x) % P)) % P;
}

function* chunks(bytes: Uint8Array): Generator<bigint> {
  for (let i = 0; i < bytes.length; i += CHUNK_BYTES) {
    yield littleEndian(bytes.subarray(i, i + CHUNK_BYTES));
  }
}

function lanes(digestBytes: Uint8Array): bigint[] {
  return [0, 8, 16, 24].map((at) => littleEndian(digestBytes.subarray(at, at + 8)));
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function digest(state: readonly bigint[]): Uint8Array {
  const out = new Uint8Array(32);
  const view = new DataView(out.buffer);
  for (let i = 0; i < RATE; i++) view.setBigUint64(8 * i, (state[i] ?? 0n) % P, true);
  return out;
}
