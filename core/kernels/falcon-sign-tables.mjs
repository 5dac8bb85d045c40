/**
 * Writes falcon-sign-tables.generated.ts: the constants of the FALCON-512 signing kernel.
 *
 * - FFT roots: exp(i*pi*rev10(x)/1024) of the round-3 reference (`fpr_gm_tab`), each correctly
 *   rounded to binary64. They are computed in 256-bit fixed point because Math.sin and Math.cos
 *   may differ between engines and signatures must not.
 * - NTT roots: powers of psi = 11^12, a primitive 1024th root of unity modulo q, bit reversed.
 * - The reverse cumulative distribution of the base sampler (specification, Table 3.1).
 */
import { writeFileSync } from 'node:fs';

const Q = 12289;
const PRECISION = 256n;
const ONE = 1n << PRECISION;

/** 18 rows of 72 bits, as in Table 3.1; the 19th row is 0 and never counts. */
const REVERSE_CUMULATIVE = [
  3024686241123004913666n,
  1564742784480091954050n,
  636254429462080897535n,
  199560484645026482916n,
  47667343854657281903n,
  8595902006365044063n,
  1163297957344668388n,
  117656387352093658n,
  8867391802663976n,
  496969357462633n,
  20680885154299n,
  638331848991n,
  14602316184n,
  247426747n,
  3104126n,
  28824n,
  198n,
  1n,
];

/** floor(arctan(1/n) * 2^256) by its series. */
function arctanOfInverse(n) {
  let power = ONE / n;
  let sum = power;
  for (let k = 1n; power > 0n; k++) {
    power /= n * n;
    sum += (k & 1n ? -power : power) / (2n * k + 1n);
  }
  return sum;
}

const PI = 4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n)); // Machin

/** The Taylor series whose first term is `term` and first divisor `(from)(from + 1)`. */
function alternatingSeries(term, x, from) {
  const square = (x * x) >> PRECISION;
  let sum = 0n;
  for (let k = from; term !== 0n; k += 2n) {
    sum += term;
    term = -((term * square) >> PRECISION) / (k * (k + 1n));
  }
  return sum;
}

/** Fixed point to the nearest binary64: Number(bigint) rounds to nearest, 2^-256 is exact. */
const toBinary64 = (fixed) => Number(fixed) * 2 ** -256;

function reverseBits(value, width) {
  let reversed = 0;
  for (let bit = 0; bit < width; bit++) reversed |= ((value >> bit) & 1) << (width - 1 - bit);
  return reversed;
}

/** Root `k` of a level with `count` roots stands at `count + k`, as four f64: re, re, -im, im. */
function fftRoots() {
  const table = [0, 0, 0, 0];
  for (let count = 1; count < 256; count *= 2) {
    for (let k = 0; k < count; k++) {
      const angle = (PI * BigInt(reverseBits(2 * count + k, 10))) / 1024n;
      const re = toBinary64(alternatingSeries(ONE, angle, 1n));
      const im = toBinary64(alternatingSeries(angle, angle, 2n));
      table.push(re, re, -im, im);
    }
  }
  return table;
}

function powerModQ(base, exponent) {
  let result = 1;
  for (let square = base; exponent > 0; exponent >>= 1, square = (square * square) % Q) {
    if (exponent & 1) result = (result * square) % Q;
  }
  return result;
}

function nttRoots(root) {
  return Array.from({ length: 512 }, (_, i) => powerModQ(root, reverseBits(i, 9)));
}

/** 72-bit rows in pairs of i64 lanes: the upper 63 bits of two rows, then their lower 9 bits. */
function baseSamplerRows() {
  const lanes = [];
  for (let i = 0; i < REVERSE_CUMULATIVE.length; i += 2) {
    const pair = REVERSE_CUMULATIVE.slice(i, i + 2);
    lanes.push(...pair.map((row) => row >> 9n), ...pair.map((row) => row & 511n));
  }
  return lanes;
}

const PSI = powerModQ(11, 12);
const table = (name, type, values) =>
  `export const ${name}: usize = memory.data<${type}>([${values.join(', ')}], 16);\n`;

writeFileSync(
  new URL('./falcon-sign-tables.generated.ts', import.meta.url),
  [
    '// Written by falcon-sign-tables.mjs.\n',
    table('FFT_ROOTS', 'f64', fftRoots()),
    table('NTT_ROOTS', 'u16', nttRoots(PSI)),
    table('INVERSE_NTT_ROOTS', 'u16', nttRoots(powerModQ(PSI, Q - 2))),
    table('BASE_SAMPLER_ROWS', 'i64', baseSamplerRows()),
  ].join(''),
);
