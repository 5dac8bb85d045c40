/**
 * Writes poseidon2-permutation.generated.ts: the Poseidon2 permutation of width 8 over Goldilocks
 * (Grassi, Khovratovich, Schofnegger, "Poseidon2", 2023, §5–6; parameters in spec/wire.md), with its
 * lanes in local variables, once for one state in u64 and once for three states at a time: one in
 * u64 and two in i64x2, whose instructions are interleaved because they use different units of the
 * processor.
 *
 * A linear layer is summed lazily on 32-bit limbs and reduced once. No limb sum passes 48 · 2^32,
 * the largest row of the external matrix, which is inside `fromLimbSums`'s bound of 2^40.
 */
import { writeFileSync } from 'node:fs';
import parameters from '../vectors/poseidon2-params.json' with { type: 'json' };

const WIDTH = parameters.width;
const LANES = Array.from({ length: WIDTH }, (_, i) => i);
const ROW_BYTES = 8 * WIDTH;
const EXTERNAL_HALF = parameters.external_rounds / 2;
const DIAGONAL = parameters.internal_diag.map((d) => [BigInt(d) & 0xffffffffn, BigInt(d) >> 32n]);

checkMatrix();

/** How one state (variables a0 … a7) is written. */
const single = {
  name: 'a',
  low: (x) => `low32(${x})`,
  high: (x) => `high32(${x})`,
  add: (x, y) => `${x} + ${y}`,
  shift: (x, bits) => `(${x} << ${bits})`,
  join: (lo, hi) => `fromLimbSums(${lo}, ${hi})`,
  power: (x, constant) => `power7(addCanonical(${x}, ${constant}))`,
  constant: (table, at, offset) => `load<u64>(${table} + ${at}, ${offset})`,
  diagonal: (x, [lo, hi]) => `multiplyAdd(${x}, ${lo}, ${hi}, aSumLow, aSumHigh)`,
  load: (i) => `load<u64>(one, ${8 * i})`,
  store: (i) => `store<u64>(one, a${i}, ${8 * i});`,
};

/** How two states (variables v0 … v7, one vector a lane) are written. */
const pair = {
  name: 'v',
  low: (x) => `lowPair(${x})`,
  high: (x) => `highPair(${x})`,
  add: (x, y) => `i64x2.add(${x}, ${y})`,
  shift: (x, bits) => `i64x2.shl(${x}, ${bits})`,
  join: (lo, hi) => `fromLimbSumsPair(${lo}, ${hi})`,
  power: (x, constant) => `power7Pair(addCanonicalPair(${x}, ${constant}))`,
  constant: (table, at, offset) => `v128.load64_splat(${table} + ${at}, ${offset})`,
  diagonal: (x, [lo, hi]) => {
    const [l, h] = [lo, hi].map((limb) => BigInt.asIntN(32, limb));
    return `multiplyAddPair(${x}, i32x4(${l}, ${l}, ${h}, ${h}), vSumLow, vSumHigh)`;
  },
  load: (i) => `v128.load(two, ${16 * i})`,
  store: (i) => `v128.store(two, v${i}, ${16 * i});`,
};

/**
 * The external layer. Each half goes through M4 by eight additions and four shifts (paper, §5.1),
 * then every lane gains its column's sum over both halves.
 */
function externalLayer({ name, low, high, add, shift, join }) {
  const lines = [];
  const define = (variable, value) => {
    lines.push(`const ${variable} = ${value};`);
    return variable;
  };
  const sums = ['Low', 'High'].map((limb) => {
    const take = limb === 'Low' ? low : high;
    const x = LANES.map((i) => define(`${name}${limb}${i}`, take(`${name}${i}`)));
    const halves = [x.slice(0, 4), x.slice(4)].map(([x0, x1, x2, x3], h) => {
      const t = (k) => `${name}${limb}T${h}${k}`;
      const t0 = define(t(0), add(x0, x1));
      const t1 = define(t(1), add(x2, x3));
      const t2 = define(t(2), add(shift(x1, 1), t1));
      const t3 = define(t(3), add(shift(x3, 1), t0));
      const y3 = define(t(4), add(shift(t1, 2), t3));
      const y1 = define(t(5), add(shift(t0, 2), t2));
      const y0 = define(t(6), add(t3, y1));
      const y2 = define(t(7), add(t2, y3));
      return [y0, y1, y2, y3];
    });
    const columns = [0, 1, 2, 3].map((i) =>
      define(`${name}${limb}Column${i}`, add(halves[0][i], halves[1][i])),
    );
    return LANES.map((i) => add(halves[i >> 2][i & 3], columns[i & 3]));
  });
  for (const i of LANES) lines.push(`${name}${i} = ${join(sums[0][i], sums[1][i])};`);
  return lines;
}

function externalRound(form) {
  const { name, power, constant } = form;
  return [
    ...LANES.map(
      (i) => `${name}${i} = ${power(`${name}${i}`, constant('EXTERNAL', 'round', 8 * i))};`,
    ),
    ...externalLayer(form),
  ];
}

/** s₀ ← (s₀ + c)^7, then s_i ← d_i · s_i + Σs, the sum taken once and folded into the products. */
function internalRound({ name, low, high, add, join, power, constant, diagonal }) {
  const sum = (take) => LANES.map((i) => take(`${name}${i}`)).reduce(add);
  return [
    `${name}0 = ${power(`${name}0`, constant('INTERNAL', 'round', 0))};`,
    `const ${name}Sum = ${join(sum(low), sum(high))};`,
    `const ${name}SumLow = ${low(`${name}Sum`)}, ${name}SumHigh = ${high(`${name}Sum`)};`,
    ...LANES.map((i) => `${name}${i} = ${diagonal(`${name}${i}`, DIAGONAL[i])};`),
  ];
}

function permutation(forms) {
  const step = (lines) => interleaved(forms.map(lines)).map((line) => `    ${line}`);
  const rounds = (from, to, bytes, lines) => [
    `  for (let round: usize = ${from * bytes}; round < ${to * bytes}; round += ${bytes}) {`,
    ...step(lines),
    '  }',
  ];
  return [
    ...interleaved(
      forms.map(({ name, load }) => LANES.map((i) => `  let ${name}${i} = ${load(i)};`)),
    ),
    '  {',
    ...step(externalLayer),
    '  }',
    ...rounds(0, EXTERNAL_HALF, ROW_BYTES, externalRound),
    ...rounds(0, parameters.internal_rounds, 8, internalRound),
    ...rounds(EXTERNAL_HALF, 2 * EXTERNAL_HALF, ROW_BYTES, externalRound),
    ...interleaved(forms.map(({ store }) => LANES.map((i) => `  ${store(i)}`))),
  ].join('\n');
}

function interleaved(listings) {
  const longest = Math.max(...listings.map((lines) => lines.length));
  return Array.from({ length: longest }, (_, k) =>
    listings.flatMap((lines) => lines[k] ?? []),
  ).flat();
}

/** The addition chain above is M4's: refuse parameters that say otherwise. */
function checkMatrix() {
  const expected = '[[5,7,1,3],[4,6,1,1],[1,3,5,7],[1,1,4,6]]';
  if (JSON.stringify(parameters.mat4) !== expected || WIDTH !== 8 || parameters.sbox !== 7) {
    throw new Error('poseidon2-params.json is not what this generator was written for');
  }
}

writeFileSync(
  new URL('./poseidon2-permutation.generated.ts', import.meta.url),
  `// Written by poseidon2-permutation.mjs.
import { addCanonical, fromLimbSums, high32, low32, multiplyAdd, power7 } from "./goldilocks";
import { addCanonicalPair, fromLimbSumsPair, highPair, lowPair, multiplyAddPair, power7Pair } from "./goldilocks-pair";

const EXTERNAL: usize = memory.data<u64>([${parameters.external_rc.flat()}], 16);
const INTERNAL: usize = memory.data<u64>([${parameters.internal_rc}], 16);

/** Lane i of the state is the u64 at one + 8·i. */
export function permute(one: usize): void {
${permutation([single])}
}

/** As \`permute\`, and two more states whose lanes i are the u64 at two + 16·i and two + 16·i + 8. */
export function permuteThree(one: usize, two: usize): void {
${permutation([single, pair])}
}
`,
);
