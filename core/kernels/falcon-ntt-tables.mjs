/**
 * Writes falcon-ntt-tables.generated.ts: the roots of unity of the number-theoretic transform of
 * falcon-ntt.ts over Z_q[x] / (x^512 + 1), q = 12289 (Falcon specification, §3.7), each with its
 * Barrett companion round(w · 2^15 / q), all as i16 between -q/2 and q/2.
 */
import { writeFileSync } from 'node:fs';

const Q = 12289;
const N = 512;
const LOG_N = 9;

function power(base, exponent) {
  let result = 1;
  for (let square = base, left = exponent; left > 0; left >>= 1, square = (square * square) % Q) {
    if (left & 1) result = (result * square) % Q;
  }
  return result;
}

const centred = (value) => (value > (Q - 1) / 2 ? value - Q : value);
const companion = (root) => Math.round((root * 32768) / Q);
const range = (count) => Array.from({ length: count }, (_, i) => i);

function reversed(i) {
  return range(LOG_N).reduce((bits, k) => bits | (((i >> k) & 1) << (LOG_N - 1 - k)), 0);
}

/** Powers of `root` in bit-reversed order: butterfly i of the level with m blocks uses m + i. */
const rootsOf = (root) => range(N).map((i) => centred(power(root, reversed(i))));

/** 11 generates Z_q*, of order 12288 = 12 · 1024. */
const PSI = power(11, 12);
const FORWARD = rootsOf(PSI);
const INVERSE = rootsOf(power(PSI, Q - 2));

/** Levels of 1 to 32 blocks use one root for a whole vector: (root, companion) pairs. */
const splatted = (roots) => roots.slice(0, 64).flatMap((root) => [root, companion(root)]);

/**
 * The three innermost levels mix within a pair of vectors. For each of the 32 pairs and each level
 * a vector of 8 roots and one of companions, in the order that the shuffles of falcon-ntt.ts give
 * the lanes: after each level the even-numbered groups of lanes lie in the first vector, the
 * odd-numbered in the second.
 */
function withinPairs(roots) {
  return range(32).flatMap((p) => {
    const level = (m, blocks) => blocks.map((block) => roots[m + (m / 32) * p + block]);
    const four = level(64, [0, 0, 0, 0, 1, 1, 1, 1]);
    const two = level(128, [0, 0, 2, 2, 1, 1, 3, 3]);
    const one = level(256, [0, 4, 2, 6, 1, 5, 3, 7]);
    return [four, two, one].flatMap((level) => [...level, ...level.map(companion)]);
  });
}

const table = (name, values) =>
  `export const ${name}: usize = memory.data<i16>([${values}], 16);\n`;

writeFileSync(
  new URL('./falcon-ntt-tables.generated.ts', import.meta.url),
  [
    '// Written by falcon-ntt-tables.mjs.\n',
    table('ROOTS', splatted(FORWARD)),
    table('INVERSE_ROOTS', splatted(INVERSE)),
    table('PAIR_ROOTS', withinPairs(FORWARD)),
    table('INVERSE_PAIR_ROOTS', withinPairs(INVERSE)),
    `export const INVERSE_OF_512: i32 = ${power(N, Q - 2)};\n`,
  ].join(''),
);
