/**
 * Writes keccak.generated.ts: the permutation Keccak-f[1600] (FIPS 202, §3.3) with one round
 * unrolled, for one state in u64 and for two states side by side in i64x2.
 */
import { writeFileSync } from 'node:fs';

const ROUNDS = 24;
const LANES = Array.from({ length: 25 }, (_, i) => i);

/** §3.2.2: lane (1, 0) is turned by 1, the next of the walk (x, y) → (y, 2x + 3y) by 3, 6, 10 … */
function rotations() {
  const offsets = new Array(25).fill(0);
  let [x, y] = [1, 0];
  for (let t = 0; t < 24; t++) {
    offsets[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64;
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return offsets;
}

/** §3.2.5: bit 2^j - 1 of round constant i is bit 7i + j of the linear feedback register. */
function roundConstants() {
  let register = 1;
  return Array.from({ length: ROUNDS }, () => {
    let constant = 0n;
    for (let j = 0; j < 7; j++) {
      if (register & 1) constant |= 1n << ((1n << BigInt(j)) - 1n);
      register <<= 1;
      if (register & 0x100) register ^= 0x171;
    }
    return constant;
  });
}

const scalar = {
  xor: (a, b) => `(${a} ^ ${b})`,
  andNot: (a, b) => `(~${a} & ${b})`,
  rotate: (a, bits) => (bits === 0 ? a : `rotl<u64>(${a}, ${bits})`),
  load: (lane) => `load<u64>(state, ${8 * lane})`,
  store: (lane) => `store<u64>(state, a${lane}, ${8 * lane})`,
  roundConstant: 'load<u64>(ROUND_CONSTANTS + round)',
};

const pair = {
  xor: (a, b) => `v128.xor(${a}, ${b})`,
  andNot: (a, b) => `v128.andnot(${b}, ${a})`,
  rotate: (a, bits) => {
    if (bits === 0) return a;
    return bits % 8 === 0
      ? `v128.shuffle<u8>(${a}, ${a}, ${byteRotation(bits / 8)})`
      : `rotateLeft(${a}, ${bits})`;
  },
  load: (lane) => `v128.load(state, ${16 * lane})`,
  store: (lane) => `v128.store(state, a${lane}, ${16 * lane})`,
  roundConstant: 'v128.load64_splat(ROUND_CONSTANTS + round)',
};

/** Shuffle that turns both 64-bit halves left by whole bytes. */
function byteRotation(bytes) {
  return [0, 8].flatMap((half) => LANES.slice(0, 8).map((i) => half + ((i - bytes + 8) % 8)));
}

function permutation({ xor, andNot, rotate, load, store, roundConstant }) {
  const all = (...terms) => terms.reduce(xor);
  const lines = [];
  const say = (line) => lines.push(`    ${line}`);

  say('// theta');
  for (let x = 0; x < 5; x++)
    say(`const c${x} = ${all(...[0, 5, 10, 15, 20].map((y) => `a${x + y}`))};`);
  for (let x = 0; x < 5; x++)
    say(`const d${x} = ${xor(`c${(x + 4) % 5}`, rotate(`c${(x + 1) % 5}`, 1))};`);
  say('// rho, pi');
  const offsets = rotations();
  for (const lane of LANES) {
    const [x, y] = [lane % 5, Math.floor(lane / 5)];
    const target = y + 5 * ((2 * x + 3 * y) % 5);
    say(`const b${target} = ${rotate(xor(`a${lane}`, `d${x}`), offsets[lane])};`);
  }
  say('// chi, iota');
  for (const lane of LANES) {
    const [x, row] = [lane % 5, lane - (lane % 5)];
    const chi = xor(`b${lane}`, andNot(`b${row + ((x + 1) % 5)}`, `b${row + ((x + 2) % 5)}`));
    say(`a${lane} = ${lane === 0 ? xor(chi, roundConstant) : chi};`);
  }
  return [
    ...LANES.map((lane) => `  let a${lane} = ${load(lane)};`),
    `  for (let round: usize = 0; round < ${8 * ROUNDS}; round += 8) {`,
    ...lines,
    '  }',
    ...LANES.map((lane) => `  ${store(lane)};`),
  ].join('\n');
}

writeFileSync(
  new URL('./keccak.generated.ts', import.meta.url),
  `// Written by keccak.mjs.
const ROUND_CONSTANTS: usize = memory.data<u64>([${roundConstants().map((c) => `0x${c.toString(16)}`)}], 16);

// @ts-ignore: decorator
@inline function rotateLeft(a: v128, bits: i32): v128 {
  return v128.or(i64x2.shl(a, bits), i64x2.shr_u(a, 64 - bits));
}

/** Lane i is the u64 at state + 8·i. */
export function keccak(state: usize): void {
${permutation(scalar)}
}

/** Lane i of state j is the u64 at state + 16·i + 8·j. */
export function keccakPair(state: usize): void {
${permutation(pair)}
}
`,
);
