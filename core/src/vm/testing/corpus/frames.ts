/**
 * Contracts that call themselves through the host until depth, stack or gas ends it. Every frame
 * first goes `deep` calls down in its own code, so that the budget of the stack is shared.
 */
import { type CorpusCase, type CorpusRun, run, within } from './case.ts';

/** Added to `deep`: every frame traps after its callee has come back. */
export const TRAPPING = 10_000;

const nested = (deep: number, name: string): CorpusRun => ({ ...run('run', deep), name });

export const frameCases: readonly CorpusCase[] = [
  {
    name: '64 nested frames',
    isNested: true,
    text: `(module
      (import "pyde" "cross_call" (func $cross
        (param i32 i32 i32 i32 i32 i32 i64 i32 i32) (result i32)))
      (import "pyde" "calldata_size" (func $deep (result i32)))
      (memory 1 1) (data (i32.const 100) "paid for in every frame")
      (func $down (param $n i32)
        (if (local.get $n) (then (call $down (i32.sub (local.get $n) (i32.const 1))) (return)))
        (i32.store (i32.const 0) (call $cross (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0) (i64.const 0x7fffffffffffffff) (i32.const 0) (i32.const 0)))
        (if (i32.load (i32.const 4)) (then unreachable)))
      (func (export "run")
        (call $down (i32.rem_u (call $deep) (i32.const ${TRAPPING})))
        (if (i32.ge_u (call $deep) (i32.const ${TRAPPING})) (then unreachable))))`,
    runs: [
      nested(0, 'one call a frame'),
      nested(8, '9 calls a frame'),
      nested(12, '13 calls a frame'),
      nested(14, '15 calls a frame'),
      nested(100, '101 calls a frame'),
      nested(TRAPPING - 1, 'the first frame exhausts the stack'),
      nested(TRAPPING, 'every frame traps'),
      nested(TRAPPING + 100, 'every frame traps but the last'),
      ...[0, 1, 2, 3, 10, 50, 500, 1_000, 1_500, 2_000].map((fuel) =>
        within(nested(0, 'one call a frame'), { fuel }),
      ),
    ],
    warmups: 200, // of 64 frames
  },
];
