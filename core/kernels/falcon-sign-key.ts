/**
 * From the 1281 bytes of a secret key to what signing needs: the basis [[g, -f], [G, -F]] in FFT
 * form and the normalised ffLDL tree (Algorithms 8 and 9, section 3.8.3 of the specification).
 *
 * Trusts nothing: a key is refused unless its encoding is canonical, f is invertible modulo q,
 * f*G - g*F = q holds exactly and every leaf of the tree lies where SamplerZ is proven.
 */
import { INVERSE_NTT_ROOTS, NTT_ROOTS } from "./falcon-sign-tables.generated";
import { FFT_BYTES, fft, rootAt } from "./falcon-sign-fft";

const Q: i32 = 12289;
/** 512^-1 modulo q. */
const INVERSE_OF_N: i32 = 12265;
/** 1 / 165.7366171829776, as the reference has it. */
const INVERSE_SIGMA: f64 = 0.006033669668157724;
export const SIGMA_MIN: f64 = 1.2778336969128337;
const SIGMA_MAX: f64 = 1.8205;

// An expanded key: four basis polynomials, then the tree of (9 + 1) * 512 numbers.
export const BASIS_G: usize = 0;
export const BASIS_MINUS_F: usize = FFT_BYTES;
export const BASIS_CAPITAL_G: usize = 2 * FFT_BYTES;
export const BASIS_MINUS_CAPITAL_F: usize = 3 * FFT_BYTES;
export const TREE: usize = 4 * FFT_BYTES;
export const EXPANDED_BYTES: usize = TREE + 10 * 4096;

// What expandSecretKey answers.
const ACCEPTED: i32 = 0;
const BAD_HEADER: i32 = 1;
const FORBIDDEN_COEFFICIENT: i32 = 2;
const F_NOT_INVERTIBLE: i32 = 3;
const G_OUT_OF_RANGE: i32 = 4;
const NOT_NTRU: i32 = 5;
const SIGMA_OUT_OF_RANGE: i32 = 6;

// Scratch, wiped after every expansion. Integer polynomials are i32[512].
const INTEGER_BYTES: usize = 2048;
const F: usize = memory.data(10240, 16);
const G: usize = F + INTEGER_BYTES;
const CAPITAL_F: usize = G + INTEGER_BYTES;
const CAPITAL_G: usize = CAPITAL_F + INTEGER_BYTES;
const F_NTT: usize = CAPITAL_G + INTEGER_BYTES;
const INTEGERS_BYTES: usize = 5 * INTEGER_BYTES;
// The Gram matrix: g00 and g11 are self-adjoint, hence f64[256]; g01 is complex[256].
const G00: usize = memory.data(8192, 16);
const G11: usize = G00 + 2048;
const G01: usize = G11 + 2048;
const GRAM_BYTES: usize = 8192;
const TREE_SCRATCH: usize = memory.data(8192, 16);
const TREE_SCRATCH_BYTES: usize = 8192;

/** Expands the key at `key` to `slot`; 0 or the reason of refusal, and then the slot is zero. */
export function expandSecretKey(key: usize, slot: usize): i32 {
  const outcome = expand(key, slot);
  memory.fill(F, 0, INTEGERS_BYTES);
  memory.fill(G00, 0, GRAM_BYTES);
  memory.fill(TREE_SCRATCH, 0, TREE_SCRATCH_BYTES);
  if (outcome != ACCEPTED) memory.fill(slot, 0, EXPANDED_BYTES);
  return outcome;
}

function expand(key: usize, slot: usize): i32 {
  if (load<u8>(key) != 0x59) return BAD_HEADER;
  const smallDecoded = decodeSigned(key + 1, 6, F) & decodeSigned(key + 385, 6, G);
  const largeDecoded = decodeSigned(key + 769, 8, CAPITAL_F);
  if (!smallDecoded || !largeDecoded) return FORBIDDEN_COEFFICIENT;
  const completed = completeBasis();
  if (completed != ACCEPTED) return completed;

  toFft(G, 1, slot + BASIS_G);
  toFft(F, -1, slot + BASIS_MINUS_F);
  toFft(CAPITAL_G, 1, slot + BASIS_CAPITAL_G);
  toFft(CAPITAL_F, -1, slot + BASIS_MINUS_CAPITAL_F);
  if (!solvesNtru(slot)) return NOT_NTRU;

  gramMatrix(slot);
  const inRange = growTree(9, slot + TREE, G00, G11, G01, TREE_SCRATCH);
  return inRange ? ACCEPTED : SIGMA_OUT_OF_RANGE;
}

/** 512 big-endian two's complement numbers of `width` bits; the most negative one is forbidden. */
function decodeSigned(from: usize, width: i32, to: usize): bool {
  let bits: u32 = 0;
  let available: i32 = 0;
  let canonical = true;
  for (let i: usize = 0; i < 512; i++) {
    if (available < width) {
      bits = (bits << 8) | load<u8>(from++);
      available += 8;
    }
    available -= width;
    const value = (<i32>((bits >> available) << (32 - width))) >> (32 - width);
    canonical = canonical & (value != -(1 << (width - 1)));
    store<i32>(to + (i << 2), value);
  }
  return canonical;
}

/** G = g * F / f modulo q, centred. */
function completeBasis(): i32 {
  toNtt(F, F_NTT);
  for (let i: usize = 0; i < INTEGER_BYTES; i += 4) {
    if (load<i32>(F_NTT + i) == 0) return F_NOT_INVERTIBLE;
  }
  // Capital G first holds the NTT of F, then of the product.
  toNtt(CAPITAL_F, CAPITAL_G);
  for (let i: usize = 0; i < INTEGER_BYTES; i += 4) {
    const quotient = load<i32>(CAPITAL_G + i) * inverseModQ(load<i32>(F_NTT + i)) % Q;
    store<i32>(CAPITAL_G + i, quotient);
  }
  toNtt(G, F_NTT);
  for (let i: usize = 0; i < INTEGER_BYTES; i += 4) {
    store<i32>(CAPITAL_G + i, load<i32>(CAPITAL_G + i) * load<i32>(F_NTT + i) % Q);
  }
  inverseNtt(CAPITAL_G);
  for (let i: usize = 0; i < INTEGER_BYTES; i += 4) {
    const value = load<i32>(CAPITAL_G + i);
    const centred = value > Q >> 1 ? value - Q : value;
    if (centred < -127 || centred > 127) return G_OUT_OF_RANGE;
    store<i32>(CAPITAL_G + i, centred);
  }
  return ACCEPTED;
}

function toNtt(from: usize, to: usize): void {
  for (let i: usize = 0; i < INTEGER_BYTES; i += 4) {
    const value = load<i32>(from + i);
    store<i32>(to + i, value < 0 ? value + Q : value);
  }
  let span: usize = INTEGER_BYTES >> 1;
  for (let count: usize = 1; count < 512; count <<= 1, span >>= 1) {
    for (let k: usize = 0, a = to; k < count; k++, a += span) {
      const root = <i32>load<u16>(NTT_ROOTS + ((count + k) << 1));
      for (let end = a + span; a < end; a += 4) {
        const x = load<i32>(a);
        const y = load<i32>(a + span) * root % Q;
        store<i32>(a, (x + y) % Q);
        store<i32>(a + span, (x - y + Q) % Q);
      }
    }
  }
}

function inverseNtt(p: usize): void {
  for (let count: usize = 256, span: usize = 4; count > 0; count >>= 1, span <<= 1) {
    for (let k: usize = 0, a = p; k < count; k++, a += span) {
      const root = <i32>load<u16>(INVERSE_NTT_ROOTS + ((count + k) << 1));
      for (let end = a + span; a < end; a += 4) {
        const x = load<i32>(a);
        const y = load<i32>(a + span);
        store<i32>(a, (x + y) % Q);
        store<i32>(a + span, (x - y + Q) * root % Q);
      }
    }
  }
  for (let i: usize = 0; i < INTEGER_BYTES; i += 4) {
    store<i32>(p + i, load<i32>(p + i) * INVERSE_OF_N % Q);
  }
}

/** x^(q - 2) modulo q. */
function inverseModQ(x: i32): i32 {
  let result = 1;
  let square = x;
  for (let exponent = Q - 2; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = result * square % Q;
    square = square * square % Q;
  }
  return result;
}

function toFft(from: usize, sign: i32, to: usize): void {
  for (let i: usize = 0; i < 256; i++) {
    store<f64>(to + (i << 4), <f64>(sign * load<i32>(from + (i << 2))));
    store<f64>(to + (i << 4), <f64>(sign * load<i32>(from + (i << 2), 1024)), 8);
  }
  fft(to);
}

/**
 * Whether f*G - g*F = q. The difference has integer coefficients, so unless it is zero its square
 * over the roots averages at least one: an error below a half everywhere proves equality.
 */
function solvesNtru(slot: usize): bool {
  let holds = true;
  for (let at = slot, end = slot + FFT_BYTES; at < end; at += 16) {
    const gRe = load<f64>(at), gIm = load<f64>(at, 8);
    const fRe = load<f64>(at, BASIS_MINUS_F), fIm = load<f64>(at, BASIS_MINUS_F + 8);
    const bigGRe = load<f64>(at, BASIS_CAPITAL_G), bigGIm = load<f64>(at, BASIS_CAPITAL_G + 8);
    const bigFRe = load<f64>(at, BASIS_MINUS_CAPITAL_F);
    const bigFIm = load<f64>(at, BASIS_MINUS_CAPITAL_F + 8);
    const re = gRe * bigFRe - gIm * bigFIm - (fRe * bigGRe - fIm * bigGIm);
    const im = gRe * bigFIm + gIm * bigFRe - (fRe * bigGIm + fIm * bigGRe);
    holds = holds & (Math.abs(re - <f64>Q) < 0.5) & (Math.abs(im) < 0.5);
  }
  return holds;
}

/** The Gram matrix B * B^*. */
function gramMatrix(slot: usize): void {
  for (let i: usize = 0; i < 256; i++) {
    const at = slot + (i << 4);
    const gRe = load<f64>(at), gIm = load<f64>(at, 8);
    const fRe = load<f64>(at, BASIS_MINUS_F), fIm = load<f64>(at, BASIS_MINUS_F + 8);
    const bigGRe = load<f64>(at, BASIS_CAPITAL_G), bigGIm = load<f64>(at, BASIS_CAPITAL_G + 8);
    const bigFRe = load<f64>(at, BASIS_MINUS_CAPITAL_F);
    const bigFIm = load<f64>(at, BASIS_MINUS_CAPITAL_F + 8);
    const g00 = gRe * gRe + gIm * gIm + fRe * fRe + fIm * fIm;
    const g11 = bigGRe * bigGRe + bigGIm * bigGIm + bigFRe * bigFRe + bigFIm * bigFIm;
    const g01Re = gRe * bigGRe + gIm * bigGIm + (fRe * bigFRe + fIm * bigFIm);
    const g01Im = gIm * bigGRe - gRe * bigGIm + (fIm * bigFRe - fRe * bigFIm);
    store<f64>(G00 + (i << 3), g00);
    store<f64>(G11 + (i << 3), g11);
    store<f64>(G01 + (i << 4), g01Re);
    store<f64>(G01 + (i << 4), g01Im, 8);
  }
}

/**
 * ffLDL of [[g00, g01], [g01*, g11]] over 2^logn coefficients, leaves normalised to 1/sigma'.
 *
 * A tree is its L10 polynomial, the tree of D00, the tree of D11. g11 is overwritten. Answers
 * whether all leaves are in range.
 */
function growTree(
  logn: usize, tree: usize, g00: usize, g11: usize, g01: usize, scratch: usize,
): bool {
  const half = (<usize>1) << (logn - 1);
  for (let i: usize = 0; i < half; i++) {
    const inverse = 1.0 / load<f64>(g00 + (i << 3));
    const re = load<f64>(g01 + (i << 4)), im = load<f64>(g01 + (i << 4), 8);
    const muRe = re * inverse, muIm = im * inverse;
    store<f64>(g11 + (i << 3), load<f64>(g11 + (i << 3)) - (muRe * re + muIm * im));
    store<f64>(tree + (i << 4), muRe);
    store<f64>(tree + (i << 4), -muIm, 8);
  }
  const left = tree + (half << 4);
  if (logn == 1) {
    return setLeaf(left, load<f64>(g00)) & setLeaf(left + 8, load<f64>(g11));
  }
  const right = left + ((logn * half) << 3);
  return growChild(logn - 1, left, g00, scratch) & growChild(logn - 1, right, g11, scratch);
}

/** Splits the self-adjoint `d` into its child's Gram matrix and grows that. */
function growChild(logn: usize, tree: usize, d: usize, scratch: usize): bool {
  const half = (<usize>1) << (logn - 1);
  const c00 = scratch;
  const c11 = c00 + (half << 3);
  const c01 = c11 + (half << 3);
  for (let i: usize = 0; i < half; i++) {
    const a = load<f64>(d + (i << 4)), b = load<f64>(d + (i << 4), 8);
    const root = rootAt(half, i);
    store<f64>(c00 + (i << 3), (a + b) * 0.5);
    store<f64>(c11 + (i << 3), (a + b) * 0.5);
    store<f64>(c01 + (i << 4), (a - b) * load<f64>(root) * 0.5);
    store<f64>(c01 + (i << 4), (a - b) * load<f64>(root, 16) * 0.5, 8);
  }
  return growTree(logn, tree, c00, c11, c01, c01 + (half << 4));
}

function setLeaf(leaf: usize, d: f64): bool {
  const inverseSigma = Math.sqrt(d) * INVERSE_SIGMA;
  const sigma = 1.0 / inverseSigma;
  store<f64>(leaf, inverseSigma);
  // Written so that NaN fails.
  return sigma >= SIGMA_MIN && sigma <= SIGMA_MAX;
}
