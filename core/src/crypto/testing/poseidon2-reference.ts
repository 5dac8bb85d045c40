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

/** The state that `permute` turns into `final`: for tests that choose what comes out. */
export function inversePermute(final: readonly bigint[]): bigint[] {
  let state = [...final];
  for (const constants of EXTERNAL_CONSTANTS.slice(4).reverse()) {
    state = beforeExternalRound(constants, state);
  }
  for (const constant of [...INTERNAL_CONSTANTS].reverse()) {
    const mixed = product(INTERNAL_INVERSE, state);
    state = mixed.map((lane, i) => (i === 0 ? modulo(inverseSbox(lane) - constant) : lane));
  }
  for (const constants of EXTERNAL_CONSTANTS.slice(0, 4).reverse()) {
    state = beforeExternalRound(constants, state);
  }
  return product(EXTERNAL_INVERSE, state);
}

/** The state whose first external round raises exactly `sboxInputs` to the seventh power. */
export function stateBeforeFirstSbox(sboxInputs: readonly bigint[]): bigint[] {
  const constants = EXTERNAL_CONSTANTS[0] ?? [];
  return product(
    EXTERNAL_INVERSE,
    sboxInputs.map((lane, i) => modulo(lane - (constants[i] ?? 0n))),
  );
}

function beforeExternalRound(constants: readonly bigint[], state: readonly bigint[]): bigint[] {
  return product(EXTERNAL_INVERSE, state).map((lane, i) =>
    modulo(inverseSbox(lane) - (constants[i] ?? 0n)),
  );
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

const LANES = Array.from({ length: WIDTH }, (_, i) => i);
const unit = (i: number): bigint[] => LANES.map((j) => (i === j ? 1n : 0n));
const modulo = (value: bigint): bigint => ((value % P) + P) % P;
const EXTERNAL_INVERSE = inverseOf(externalLayer);
const INTERNAL_INVERSE = inverseOf((state) => {
  const sum = state.reduce((total, lane) => total + lane, 0n);
  return state.map((lane, i) => modulo((INTERNAL_DIAGONAL[i] ?? 0n) * lane + sum));
});

/** Rows of the inverse of a linear map, by Gaussian elimination beside the unit matrix. */
function inverseOf(map: (state: readonly bigint[]) => bigint[]): bigint[][] {
  const columns = LANES.map((i) => map(unit(i)));
  const rows = LANES.map((i) => [...columns.map((column) => column[i] ?? 0n), ...unit(i)]);
  for (const i of LANES) {
    const pivot = rows.findIndex((row, at) => at >= i && row[i] !== 0n);
    const [found] = rows.splice(pivot, 1);
    const scale = power(found?.[i] ?? 0n, P - 2n);
    const scaled = (found ?? []).map((value) => (value * scale) % P);
    rows.splice(i, 0, scaled);
    rows.forEach((row, at) => {
      const factor = row[i] ?? 0n;
      if (at !== i) rows[at] = row.map((value, j) => modulo(value - factor * (scaled[j] ?? 0n)));
    });
  }
  return rows.map((row) => row.slice(WIDTH));
}

function product(matrix: readonly (readonly bigint[])[], state: readonly bigint[]): bigint[] {
  return matrix.map((row) => row.reduce((sum, m, i) => (sum + m * (state[i] ?? 0n)) % P, 0n));
}

/** x^(1/7): 10540996611094048183 is the inverse of 7 modulo p - 1. */
function inverseSbox(x: bigint): bigint {
  return power(x, 10540996611094048183n);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, left = exponent; left > 0n; left >>= 1n, square = (square * square) % P) {
    if (left & 1n) result = (result * square) % P;
  }
  return result;
}
