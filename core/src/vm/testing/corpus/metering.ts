/** Runs that end for want of gas or stack, at every point where they can. */
import { decodeModule } from '../../decode/index.ts';
import { frameSlots } from '../interpreter.ts';
import { readCode } from '../interpreter-code.ts';
import { wat } from '../wat.ts';
import {
  type CorpusCase,
  type CorpusRun,
  MANY_CALLS,
  onEveryFuel,
  run,
  WHOLE_STACK,
  within,
} from './case.ts';

/** Every kind of block, branch, call and charge, in some 170 gas. */
const everyFuel: CorpusCase = {
  name: 'every fuel of a small program',
  text: `(module (memory 1) (table 2 funcref) (elem (i32.const 0) $double)
    (type $unary (func (param i32) (result i32)))
    (data $text "0123456789abcdef0123456789abcdef!")
    (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
    (func $pair (param i32) (result i32 i32)
      (if (i32.and (local.get 0) (i32.const 1)) (then (return (local.get 0) (i32.const 7))))
      (local.get 0) (local.get 0))
    (func (export "run") (param $n i32) (result i32) (local $sum i32)
      nop
      (memory.fill (i32.const 64) (i32.const 3) (i32.const 40))
      (loop $next
        (block $two (block $one (block $zero
          (br_table $zero $one $two (local.get $n)))
          (local.set $sum (i32.add (local.get $sum) (i32.const 100))) (br $two))
          (local.set $sum (call_indirect (type $unary) (local.get $sum) (i32.const 0))))
        (call $pair (local.get $n))
        (local.set $sum (i32.add (local.get $sum) (i32.add)))
        (if (i32.eqz (local.get $n))
          (then (memory.copy (i32.const 200) (i32.const 64) (i32.const 17)))
          (else (i32.store8 (local.get $n) (local.get $sum))))
        (br_if $next (i32.ge_s (local.tee $n (i32.sub (local.get $n) (i32.const 1)))
          (i32.const 0))))
      (memory.init $text (i32.const 300) (i32.const 0) (i32.const 33))
      (i32.store (i32.const 400) (local.get $sum))
      (local.get $sum)))`,
  runs: onEveryFuel(run('run', 3), 200),
  warmups: MANY_CALLS,
};

/** A trap of another kind in the middle: the block it stands in is paid, the next is not. */
const trapsOnFuel: CorpusCase = {
  name: 'every fuel up to a trap',
  text: `(module (memory 1)
    (func $divide (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
    (func (export "divide") (result i32)
      (drop (call $divide (i32.const 5) (i32.const 2)))
      (drop (call $divide (i32.const 5) (i32.const 0)))
      (i32.add (i32.const 1) (i32.const 2)))
    (func (export "store") (i32.store (i32.const 0) (i32.const 1))
      (i32.store (i32.const 65533) (i32.const 2)) (i32.store (i32.const 4) (i32.const 3)))
    (func (export "unreachable") (i32.store (i32.const 0) (i32.const 1))
      (if (i32.load (i32.const 0)) (then (drop (i32.const 1)) unreachable)))
    (func (export "fill") (memory.fill (i32.const 65500) (i32.const 1) (i32.const 100)))
    (func (export "fill all") (memory.fill (i32.const 0) (i32.const 1) (i32.const -1)))
    (func (export "loop") (loop (br 0)))
    (func (export "empty loop and call") (call 5))
    (func (export "grow") (result i32) (memory.grow (i32.const 2))))`,
  runs: [
    ...onEveryFuel(run('divide'), 14),
    ...onEveryFuel(run('store'), 12),
    ...onEveryFuel(run('unreachable'), 9),
    ...onEveryFuel(run('fill'), 14),
    run('fill all'),
    within(run('fill all'), { fuel: 268_435_459 }),
    within(run('fill all'), { fuel: 268_435_460 }),
    within(run('loop'), { fuel: 100_000 }),
    within(run('empty loop and call'), { fuel: 100_000 }),
    within(run('grow'), { fuel: 1 }),
    within(run('grow'), { fuel: 2 }),
    within(run('grow'), { fuel: 2_001 }),
    within(run('grow'), { fuel: 2_002 }),
  ],
  warmups: 50, // two of them loop for 100,000 gas
};

/** The zeroing of locals is paid at every entry, whatever the function begins with. */
const manyLocals: CorpusCase = {
  name: 'functions of many locals',
  text: `(module
    ${[64, 65, 68, 69, 4_000].map((count) => `(func $of${count} (param i64)${localsOf(count)})`).join('\n')}
    (func $looped (param $n i32)${localsOf(500)}
      (loop (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func $dead${localsOf(100)} unreachable)
    ${[64, 65, 68, 69, 4_000]
      .map((count) => `(func (export "${count}") (call $of${count} (i64.const 1)))`)
      .join('\n')}
    (func (export "looped") (call $looped (i32.const 10)))
    (func (export "dead") (call $dead))
    (func (export "again") (local i32)
      (loop (call $of4000 (i64.const 0))
        (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 9))))))`,
  runs: [
    ...['64', '65', '68', '69', '4000', 'looped', 'dead', 'again'].map((name) => run(name)),
    ...onEveryFuel(run('69'), 6),
    ...onEveryFuel(run('dead'), 12),
    within(run('4000'), { fuel: 985 }),
    within(run('4000'), { fuel: 986 }),
  ],
  warmups: MANY_CALLS,
};

function localsOf(count: number): string {
  return ` (local${' i64'.repeat(count)})`;
}

const STORE = '(i32.store (i32.const 0) (i32.const 1))';

/** Ways through a function that part or meet where nothing more is to be paid. */
const WAYS: readonly (readonly [name: string, code: string])[] = [
  ['if', `(if (local.get 0) (then ${STORE}))`],
  ['if not', `(if (local.get 0) (then) (else ${STORE}))`],
  ['if else', `(if (local.get 0) (then ${STORE}) (else (call $leaf)))`],
  ['branch over', `(block (br_if 0 (local.get 0)) ${STORE})`],
  ['branch over a call', '(block (br_if 0 (local.get 0)) (call $leaf))'],
  ['return early', `(if (local.get 0) (then (return))) ${STORE}`],
  ['return late', `${STORE} (if (local.get 0) (then (return)))`],
  ['return out of a loop', `(loop (if (local.get 0) (then (return))) ${STORE})`],
  ['table', `(block (block (block (br_table 0 1 2 (local.get 0))) ${STORE}) (call $leaf))`],
  ['loop', `(loop ${STORE} (br_if 0 (local.tee 0 (i32.shr_u (local.get 0) (i32.const 1)))))`],
  ['loop that is left', '(block (loop (br_if 1 (i32.eqz (local.get 0))) (call $leaf)))'],
  ['trap', '(if (local.get 0) (then unreachable))'],
  ['trap behind a call', '(call $leaf) (if (local.get 0) (then unreachable))'],
  ['divide', '(drop (i32.div_u (i32.const 7) (i32.sub (local.get 0) (i32.const 1))))'],
  ['fill', '(memory.fill (i32.const 0) (i32.const 1) (i32.mul (local.get 0) (i32.const 40000)))'],
];

const waysText = `(module (memory 1) (func $leaf)
  ${WAYS.map(
    ([name, code]) => `
    (func $${name.replaceAll(' ', '-')} (param i32) ${code})
    (func (export "${name}") (param i32) (call $${name.replaceAll(' ', '-')} (local.get 0)))
    (func (export "${name}, twice") (param i32)
      (call $${name.replaceAll(' ', '-')} (local.get 0))
      (call $${name.replaceAll(' ', '-')} (local.get 0)))`,
  ).join('')})`;

const ways: CorpusCase = {
  name: 'gas on every way through a function',
  text: waysText,
  runs: WAYS.flatMap(([name]) =>
    [name, `${name}, twice`].flatMap((call) =>
      [0, 1, 2].flatMap((way) => [
        run(call, way),
        ...[3, 4, 6, 8, 9, 10, 12].map((fuel) => within(run(call, way), { fuel })),
      ]),
    ),
  ),
  warmups: 200,
};

const STEP = '(local.set $x (i32.add (local.get $x) (i32.const 1)))';

/** Code without a loop or call, of more gas than metering lets pass before it looks. */
const straight: CorpusCase = {
  name: 'long code that goes straight on',
  text: `(module (memory 1)
    (func (export "nothing"))
    (func (export "free") (block (loop nop)) return)
    (func $long (export "plain") (local $x i32) ${STEP.repeat(1_000)}
      (i32.store (i32.const 0) (local.get $x)))
    (func (export "blocks") (local $x i32) ${`(block ${STEP} (br_if 0 (local.get $x)))`.repeat(600)}
      (i32.store (i32.const 0) (local.get $x)))
    (func (export "stores") (local $x i32)
      ${`${STEP} (i32.store (i32.const 8) (local.get $x))`.repeat(600)})
    (func (export "calls") (call $long) (call $long) (call $long) (unreachable)))`,
  runs: [
    ...['nothing', 'free'].flatMap((call) => [run(call), within(run(call), { fuel: 0 })]),
    ...['plain', 'blocks', 'stores', 'calls'].flatMap((call) => [
      run(call),
      ...[
        ...[0, 1, 999, 1_000, 1_001, 1_002, 2_000, 3_599, 3_600, 3_601, 3_602, 3_603, 3_604],
        ...[4_002, 4_003, 4_004, 4_199, 4_200, 4_201, 8_008, 12_011, 12_012, 12_013],
      ].map((fuel) => within(run(call), { fuel })),
    ]),
  ],
  warmups: 200,
};

const DEEP = 100_000;

/** Functions that call themselves `n` times, with frames of every shape. */
const frames: readonly (readonly [name: string, text: string])[] = [
  [
    'plain',
    `(func $plain (export "plain") (param $n i32) (result i32)
      (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
      (i32.add (i32.const 1) (call $plain (i32.sub (local.get $n) (i32.const 1)))))`,
  ],
  [
    'with 100 locals of i64',
    `(func $locals (export "with 100 locals of i64") (param $n i32) (result i32)
      (local ${'i64 '.repeat(100)})
      (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
      ${Array.from({ length: 100 }, (_, i) => `(local.set ${i + 1} (i64.extend_i32_u (local.get $n)))`).join(' ')}
      (drop (call $locals (i32.sub (local.get $n) (i32.const 1))))
      (i32.wrap_i64 ${Array.from({ length: 100 }, (_, i) => i + 1).reduce((sum, i) => `(i64.add ${sum} (local.get ${i}))`, '(i64.const 0)')}))`,
  ],
  [
    'with 100 operands of f64',
    `(func $operands (export "with 100 operands of f64") (param $n i32) (result i32)
      (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
      ${'(f64.convert_i32_u (local.get $n)) '.repeat(100)}
      (drop (call $operands (i32.sub (local.get $n) (i32.const 1))))
      ${'f64.add '.repeat(99)} i32.trunc_sat_f64_s)`,
  ],
  [
    'with 16 params and results',
    `(func $wide (export "with 16 params and results") (param $n i32) (result i32)
      (call $many (local.get $n) ${'(i64.const 5) '.repeat(15)})
      ${'drop '.repeat(15)})
    (func $many (param $n i32) (param ${'i64 '.repeat(15)}) (result i32 ${'i64 '.repeat(15)})
      (if (i32.eqz (local.get $n)) (then (return (i32.const 9)
        ${Array.from({ length: 15 }, (_, i) => `(local.get ${i + 1})`).join(' ')})))
      (call $many (i32.sub (local.get $n) (i32.const 1))
        ${Array.from({ length: 15 }, (_, i) => `(local.get ${i + 1})`).join(' ')}))`,
  ],
  [
    'through a table',
    `(func $table (export "through a table") (param $n i32) (result i32)
      (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
      (i32.add (i32.const 1)
        (call_indirect (type $unary) (i32.sub (local.get $n) (i32.const 1)) (i32.const 0))))`,
  ],
];

/** Slots of the frame of an exported function. */
function slotsOf(text: string, name: string): number {
  const module = decodeModule(wat(text));
  const found = module.exports.find((one) => one.name === name);
  return frameSlots(readCode(module, found?.index ?? -1));
}

/** One frame fits or does not, and the second one. */
function aroundFrames(text: string, base: CorpusRun): CorpusRun[] {
  const slots = slotsOf(text, base.call);
  return [slots - 1, slots, slots + 1, 2 * slots - 1, 2 * slots, 2 * slots + 1].map((stackSlots) =>
    within(base, { stackSlots }),
  );
}

const recursionText = `(module (type $unary (func (param i32) (result i32)))
  (table 1 funcref) (elem (i32.const 0) $table) ${frames.map(([, text]) => text).join('\n')})`;

const recursion: CorpusCase = {
  name: 'recursion of 100,000 frames',
  text: recursionText,
  runs: frames.flatMap(([name]): CorpusRun[] => [
    run(name, DEEP),
    ...[0, 1, 2, 50].map((n) => run(name, n)),
    ...aroundFrames(recursionText, run(name, 1)),
  ]),
  warmups: 20, // the deepest run has some 1,300 frames
};

const deepestText = `(module (memory 1)
  (func $down (export "down") (param $n i32)
    (i32.store (i32.const 0) (local.get $n))
    (if (local.get $n) (then (call $down (i32.sub (local.get $n) (i32.const 1)))))))`;
const DEEPEST = Math.floor(WHOLE_STACK / slotsOf(deepestText, 'down')) - 1;

/** The deepest that the whole budget holds, and one more. */
const deepest: CorpusCase = {
  name: 'the last frame that fits',
  text: deepestText,
  runs: [
    ...[DEEPEST - 1, DEEPEST, DEEPEST + 1, 100_000].map((n) => run('down', n)),
    ...aroundFrames(deepestText, run('down', 1)),
  ],
  warmups: 20,
};

const STACKED = 1_000;
const stacked = (constant: string, add: string): string =>
  `${`${constant} `.repeat(STACKED)} ${`${add} `.repeat(STACKED - 1)}`;

const operandsText = `(module
  (type $many (func (param ${'i32 '.repeat(128)}) (result ${'i32 '.repeat(16)})))
  (func (export "i32") (param $x i32) (result i32) ${stacked('local.get $x', 'i32.add')})
  (func (export "i64") (param $x i32) (result i64)
    ${stacked('local.get $x i64.extend_i32_s', 'i64.add')})
  (func (export "f32") (param $x i32) (result i32)
    ${stacked('local.get $x f32.convert_i32_s', 'f32.add')} i32.reinterpret_f32)
  (func (export "f64") (param $x i32) (result i64)
    ${stacked('local.get $x f64.convert_i32_s', 'f64.mul')} i64.reinterpret_f64)
  (func $turn (type $many)
    ${Array.from({ length: 16 }, (_, i) => `local.get ${127 - 8 * i}`).join(' ')})
  (func (export "params and results") (param $x i32) (result i32)
    ${Array.from({ length: STACKED }, (_, i) => `i32.const ${i}`).join(' ')}
    call $turn ${'i32.sub '.repeat(STACKED - 128 + 15)})
  (func (export "under a call") (param $x i32) (result i32)
    ${'local.get $x '.repeat(STACKED)} (block (call $leaf) (br_if 0 (local.get $x)))
    ${'i32.xor '.repeat(STACKED - 1)})
  (func $leaf))`;

const operands: CorpusCase = {
  name: '1,000 stacked operands',
  text: operandsText,
  runs: ['i32', 'i64', 'f32', 'f64', 'params and results', 'under a call'].flatMap((name) => [
    run(name, 3),
    ...aroundFrames(operandsText, run(name, -7)),
  ]),
  warmups: 2_000, // of 2,000 operators each
};

export const meteringCases: readonly CorpusCase[] = [
  everyFuel,
  trapsOnFuel,
  manyLocals,
  ways,
  straight,
  recursion,
  deepest,
  operands,
];
