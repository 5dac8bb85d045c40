/**
 * Writes blake3-compress.generated.ts: the BLAKE3 compression function (BLAKE3 paper, §2.2) with its
 * seven rounds and message schedule unrolled, once for one input in u32 and once for four inputs
 * side by side in i32x4.
 */
import { writeFileSync } from 'node:fs';

/** Table 1: the SHA-256 initial values. */
const IV = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];
/** Table 2: the permutation that orders the message words of the next round. */
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const ROUNDS = 7;

/** §2.2: a round mixes the four columns, then the four diagonals. */
const COLUMNS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
];
const DIAGONALS = [
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];

const WORDS = [0, 1, 2, 3, 4, 5, 6, 7];

const ROTATIONS_OF_FOUR = `
// @ts-ignore: decorator
@inline function rotate16(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}
// @ts-ignore: decorator
@inline function rotate8(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
}
// @ts-ignore: decorator
@inline function rotate12(x: v128): v128 {
  return v128.or(i32x4.shr_u(x, 12), i32x4.shl(x, 20));
}
// @ts-ignore: decorator
@inline function rotate7(x: v128): v128 {
  return v128.or(i32x4.shr_u(x, 7), i32x4.shl(x, 25));
}
`;

/** Chaining value, block and output are in memory as the standard lays them out. */
function compressOne() {
  return `
/** The chaining value at \`cv\` and 64 bytes at \`block\` give the next chaining value at \`out\`. */
export function compress(cv: usize, block: usize, counter: u32, length: u32, flags: u32, out: usize): void {
${range(16)
  .map((i) => `  const m${i} = load<u32>(block, ${4 * i});`)
  .join('\n')}
${WORDS.map((i) => `  let v${i} = load<u32>(cv, ${4 * i});`).join('\n')}
${[0, 1, 2, 3].map((i) => `  let v${8 + i}: u32 = ${IV[i]};`).join('\n')}
  let v12 = counter, v13: u32 = 0, v14 = length, v15 = flags;
${rounds(
  (a, b, c, d, x, y) => [
    `v${a} += v${b} + ${x}; v${d} = rotr<u32>(v${d} ^ v${a}, 16);`,
    `v${c} += v${d}; v${b} = rotr<u32>(v${b} ^ v${c}, 12);`,
    `v${a} += v${b} + ${y}; v${d} = rotr<u32>(v${d} ^ v${a}, 8);`,
    `v${c} += v${d}; v${b} = rotr<u32>(v${b} ^ v${c}, 7);`,
  ],
  (i) => `m${i}`,
)}
${WORDS.map((i) => `  store<u32>(out, v${i} ^ v${i + 8}, ${4 * i});`).join('\n')}
}`;
}

/** Word i of the four inputs is one vector, for chaining values and message alike. */
function compressFour() {
  return `
/**
 * Four compressions: word i of the four chaining values is the vector at cv + 16·i and is replaced,
 * word i of the four blocks is the vector at words + 16·i.
 */
export function compressFour(cv: usize, words: usize, counters: v128, lengths: v128, flags: i32): void {
${WORDS.map((i) => `  let v${i} = v128.load(cv, ${16 * i});`).join('\n')}
${[0, 1, 2, 3].map((i) => `  let v${8 + i} = i32x4.splat(${IV[i] | 0});`).join('\n')}
  let v12 = counters, v13 = i32x4.splat(0), v14 = lengths, v15 = i32x4.splat(flags);
${rounds(
  (a, b, c, d, x, y) => [
    `v${a} = i32x4.add(i32x4.add(v${a}, v${b}), ${x});`,
    `v${d} = rotate16(v128.xor(v${d}, v${a}));`,
    `v${c} = i32x4.add(v${c}, v${d});`,
    `v${b} = rotate12(v128.xor(v${b}, v${c}));`,
    `v${a} = i32x4.add(i32x4.add(v${a}, v${b}), ${y});`,
    `v${d} = rotate8(v128.xor(v${d}, v${a}));`,
    `v${c} = i32x4.add(v${c}, v${d});`,
    `v${b} = rotate7(v128.xor(v${b}, v${c}));`,
  ],
  (i) => `v128.load(words, ${16 * i})`,
)}
${WORDS.map((i) => `  v128.store(cv, v128.xor(v${i}, v${i + 8}), ${16 * i});`).join('\n')}
}
`;
}

/**
 * All rounds. The four quarter-rounds of a half are independent, so their steps are written in
 * turn: the first step of each, then the second of each.
 */
function rounds(quarterRound, messageWord) {
  const lines = [];
  let order = range(16);
  for (let round = 0; round < ROUNDS; round++) {
    [COLUMNS, DIAGONALS].forEach((half, h) => {
      const quarters = half.map((lanes, k) => {
        const at = 8 * h + 2 * k;
        return quarterRound(...lanes, messageWord(order[at]), messageWord(order[at + 1]));
      });
      for (let step = 0; step < quarters[0].length; step++) {
        lines.push(...quarters.map((quarter) => `  ${quarter[step]}`));
      }
    });
    order = PERMUTATION.map((i) => order[i]);
  }
  return lines.join('\n');
}

function range(count) {
  return Array.from({ length: count }, (_, i) => i);
}

writeFileSync(
  new URL('./blake3-compress.generated.ts', import.meta.url),
  [
    '// Written by blake3-compress.mjs.',
    `export const IV: usize = memory.data<u32>([${IV}], 16);`,
    ROTATIONS_OF_FOUR,
    compressOne(),
    compressFour(),
  ].join('\n'),
);
