/** Memory at its limits, bulk operators at the edges, tables, segments and the start function. */
import { type CorpusCase, type CorpusRun, MANY_CALLS, run, within } from './case.ts';

const LAST = 1_024 * 65_536 - 1;

/** 64 MiB from the start: read and written at the very end. */
const full: CorpusCase = {
  name: 'a memory of 1,024 pages',
  text: `(module (memory 1024)
    (func (export "byte") (param $at i32) (result i32)
      (i32.store8 (local.get $at) (i32.const 0xab)) (i32.load8_s (local.get $at)))
    (func (export "word") (param $at i32) (result i64)
      (i64.store (local.get $at) (i64.const 0x1122334455667788)) (i64.load (local.get $at)))
    (func (export "offset") (param $at i32) (result i32) (i32.load offset=4294967295 (local.get $at)))
    (func (export "grow") (param $by i32) (result i32 i32)
      (memory.grow (local.get $by)) memory.size))`,
  runs: [
    // Each looks at all of 64 MiB afterwards, so there are no more of them than needed.
    run('byte', LAST),
    run('byte', LAST + 1),
    run('word', LAST - 7),
    run('word', LAST - 6),
    run('offset', 0),
    run('grow', 0),
    run('grow', 1),
    within(run('grow', 1), { fuel: 2 }),
  ],
  warmups: MANY_CALLS,
};

/** Runs that stay cheap to repeat, because memory is not cleared between warm calls. */
const growing: CorpusCase = {
  name: 'memory that grows',
  text: `(module (memory 1)
    (func (export "grow") (param $by i32) (result i32 i32)
      (memory.grow (local.get $by)) memory.size)
    (func (export "grow and touch") (param $by i32) (result i32)
      (drop (memory.grow (local.get $by)))
      (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 1))
      (i32.load8_u (i32.mul (memory.size) (i32.const 65536))))
    (func (export "one by one") (param $times i32) (result i32)
      (loop (drop (memory.grow (i32.const 1)))
        (br_if 0 (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
      memory.size))`,
  runs: [
    ...[0, 1, 7, 1_024, 65_535, 65_536, -1].map((by) => run('grow', by)),
    run('grow', 1_023),
    within(run('grow', 1_023), { fuel: 1_023_002 }),
    within(run('grow', 1_023), { fuel: 1_023_003 }),
    within(run('grow', 1_024), { fuel: 3 }),
    run('grow and touch', 3),
    run('one by one', 20),
    within(run('one by one', 20), { fuel: 10_000 }),
  ],
  warmups: 500,
};

const clamped: CorpusCase = {
  name: 'a memory with a maximum',
  text: `(module (memory 0 3)
    (func (export "grow twice") (param $a i32) (param $b i32) (result i32 i32 i32)
      (memory.grow (local.get $a)) (memory.grow (local.get $b)) memory.size)
    (func (export "touch nothing") (result i32) (i32.load8_u (i32.const 0)))
    (func (export "fill nothing") (param $at i32)
      (memory.fill (local.get $at) (i32.const 1) (i32.const 0))))`,
  runs: [
    run('grow twice', 1, 2),
    run('grow twice', 3, 1),
    run('grow twice', 4, 3),
    run('grow twice', 0, 0),
    within(run('grow twice', 4, 3), { fuel: 3_004 }),
    within(run('grow twice', 4, 3), { fuel: 3_005 }),
    run('touch nothing'),
    run('fill nothing', 0),
    run('fill nothing', 1),
  ],
  warmups: MANY_CALLS,
};

const bulk: CorpusCase = {
  name: 'bulk operators at the edges',
  text: `(module (memory 1)
    (data (i32.const 0) "abcdefghijklmnopqrstuvwxyz")
    (data $passive "0123456789")
    (data $empty "")
    (func (export "fill") (param i32 i32 i32)
      (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i32 i32 i32)
      (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i32 i32 i32)
      (memory.init $passive (local.get 0) (local.get 1) (local.get 2)))
    (func (export "drop and init") (param i32 i32 i32)
      (data.drop $passive) (data.drop $passive)
      (memory.init $passive (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init active") (param i32 i32 i32)
      (memory.init 0 (local.get 0) (local.get 1) (local.get 2))))`,
  runs: [
    ...[
      [0, 255, 65_536],
      [0, 0x1ff, 3],
      [65_535, 1, 1],
      [65_535, 1, 2],
      [65_536, 1, 0],
      [65_537, 1, 0],
      [-1, 1, 0],
      [1, 1, -1],
      [5, 7, 15],
      [5, 7, 16],
      [5, 7, 17],
    ].map((args) => run('fill', ...args)),
    ...[
      [3, 0, 26],
      [0, 3, 26],
      [0, 0, 65_536],
      [1, 0, 65_535],
      [1, 0, 65_536],
      [65_536, 65_536, 0],
      [65_537, 0, 0],
      [0, 65_537, 0],
      [65_530, 0, 6],
      [0, 65_530, 7],
      [0, -1, 1],
    ].map((args) => run('copy', ...args)),
    ...['init', 'drop and init', 'init active'].flatMap((name): CorpusRun[] =>
      [
        [100, 0, 10],
        [100, 4, 6],
        [100, 4, 7],
        [100, 10, 0],
        [100, 11, 0],
        [65_526, 0, 10],
        [65_527, 0, 10],
        [65_536, 0, 0],
        [100, 0, 0],
        [100, -1, 1],
      ].map((args) => run(name, ...args)),
    ),
  ],
  warmups: 500, // the longest fill a whole page
};

const accesses: CorpusCase = {
  name: 'loads and stores of every width',
  text: `(module (memory 1)
    (data (i32.const 8) "\\80\\81\\82\\83\\84\\85\\86\\87\\ff\\7f")
    ${['i32.load', 'i32.load8_s', 'i32.load8_u', 'i32.load16_s', 'i32.load16_u']
      .map((op) => `(func (export "${op}") (param i32) (result i32) (${op} (local.get 0)))`)
      .join('\n')}
    ${[
      'i64.load',
      'i64.load8_s',
      'i64.load8_u',
      'i64.load16_s',
      'i64.load16_u',
      'i64.load32_s',
      'i64.load32_u',
    ]
      .map(
        (op) => `(func (export "${op}") (param i32) (result i64) (${op} offset=1 align=1
        (local.get 0)))`,
      )
      .join('\n')}
    ${['i64.store', 'i64.store8', 'i64.store16', 'i64.store32']
      .map(
        (op) => `(func (export "${op}") (param i32) (${op} (local.get 0)
        (i64.const 0x8899aabbccddeeff)))`,
      )
      .join('\n')}
    ${['i32.store', 'i32.store8', 'i32.store16']
      .map(
        (op) => `(func (export "${op}") (param i32) (${op} (local.get 0)
        (i32.const 0x8899aabb)))`,
      )
      .join('\n')})`,
  runs: [
    ...[
      'i32.load',
      'i32.load8_s',
      'i32.load8_u',
      'i32.load16_s',
      'i32.load16_u',
      'i64.load',
      'i64.load8_s',
      'i64.load8_u',
      'i64.load16_s',
      'i64.load16_u',
      'i64.load32_s',
      'i64.load32_u',
      'i64.store',
      'i64.store8',
      'i64.store16',
      'i64.store32',
      'i32.store',
      'i32.store8',
      'i32.store16',
    ].flatMap((op) => [8, 16, 65_528, 65_532, 65_534, 65_535, -1].map((at) => run(op, at))),
  ],
  warmups: MANY_CALLS,
};

const indirect: CorpusCase = {
  name: 'calls through a table',
  text: `(module (table 6 funcref) (elem (i32.const 1) $one $wide $nothing $twin)
    (type $give (func (result i32))) (type $same (func (result i32)))
    (type $wide (func (result i64))) (type $nothing (func))
    (func $one (type $give) (i32.const 11))
    (func $twin (type $same) (i32.const 22))
    (func $wide (type $wide) (i64.const 33))
    (func $nothing (type $nothing))
    (func (export "call") (param i32) (result i32)
      (i32.add (call_indirect (type $give) (local.get 0)) (i32.const 1))))`,
  runs: [0, 1, 2, 3, 4, 5, 6, 7, -1].map((slot) => run('call', slot)),
  warmups: MANY_CALLS,
};

const start: CorpusCase = {
  name: 'a start function',
  text: `(module (memory 1) (start $begin)
    (func $begin (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 41))))
    (func (export "run") (result i32) (i32.load (i32.const 0))))`,
  runs: [
    run('run'),
    ...Array.from({ length: 10 }, (_, fuel) => within(run('run'), { fuel })),
    ...[0, 9, 10, 11, 12, 13].map((slots) => within(run('run'), { stackSlots: slots })),
  ],
  warmups: MANY_CALLS,
};

const startTraps: CorpusCase = {
  name: 'a start function that traps',
  text: `(module (memory 1) (start $begin)
    (func $begin (i32.store (i32.const 4) (i32.const 1)) unreachable)
    (func (export "run") (i32.store (i32.const 8) (i32.const 1))))`,
  runs: [run('run'), within(run('run'), { fuel: 2 })],
  warmups: MANY_CALLS,
};

const outside = (name: string, fields: string): CorpusCase => ({
  name,
  text: `(module ${fields} (func $f (export "run")))`,
  runs: [run('run')],
  warmups: 1, // there is nothing to warm
});

export const memoryCases: readonly CorpusCase[] = [
  full,
  growing,
  clamped,
  bulk,
  accesses,
  indirect,
  start,
  startTraps,
  outside('data up to the end', '(memory 1) (data (i32.const 65535) "a")'),
  outside('data behind the end', '(memory 1) (data (i32.const 65535) "ab")'),
  outside('data far outside', '(memory 1) (data (i32.const -1) "a")'),
  outside('no data behind the end', '(memory 1) (data (i32.const 65537) "")'),
  outside('elements up to the end', '(table 2 funcref) (elem (i32.const 1) $f)'),
  outside('elements behind the end', '(table 2 funcref) (elem (i32.const 1) $f $f)'),
  outside('elements far outside', '(table 2 funcref) (elem (i32.const -1) $f)'),
  outside('no elements behind the end', '(table 2 funcref) (elem (i32.const 3))'),
];
