import { describe, expect, it } from 'vitest';
import { MemoryPool, PAGE_BYTES } from './memory-pool.ts';
import { TOY_GAS, ToyChain } from './testing.ts';

/** Runs one contract on gas to spare. */
function run(body: string, gasLimit: bigint | number = 1_000_000n): ReturnType<ToyChain['run']> {
  const chain = new ToyChain();
  chain.deploy(0, body);
  return chain.run(0, gasLimit);
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('the end of a call', () => {
  it('is a return without data where the function ends', () => {
    const outcome = run('(func (export "e") (drop (i32.const 1)))');
    expect(outcome).toEqual({ kind: 'returned', gasUsed: 1n, data: bytes() });
  });

  it('is a return with data that were copied, whatever runs afterwards', () => {
    const outcome = run(`(memory 1) (data (i32.const 8) "\\01\\02\\03")
      (func $deep (call $return (i32.const 8) (i32.const 3)) unreachable)
      (func (export "e") (call $deep) (i32.store8 (i32.const 8) (i32.const 9)))`);
    // 1 a data unit, 1 the first call, 3 the second
    expect(outcome).toEqual({ kind: 'returned', gasUsed: 5n, data: bytes(1, 2, 3) });
  });

  it('is a revert with data', () => {
    const outcome = run(`(memory 1) (data (i32.const 0) "no")
      (func (export "e") (call $revert (i32.const 0) (i32.const 2)))`);
    expect(outcome).toEqual({ kind: 'reverted', gasUsed: 4n, data: bytes(0x6e, 0x6f) });
  });

  it('is a trap of the host where a host function refuses', () => {
    const chain = new ToyChain({ wave_id: (frame) => frame.trap('host.forbidden') });
    chain.deploy(0, '(func (export "e") (drop (call $tick)))');
    expect(chain.run(0)).toEqual({ kind: 'trapped', trap: 'host.forbidden', gasUsed: 1n });
  });

  it('comes even when a host function catches what ends the frame', () => {
    const chain = new ToyChain({
      wave_id: (frame) => {
        try {
          return frame.return(0, 1);
        } catch {
          return 0n;
        }
      },
    });
    chain.deploy(0, '(memory 1) (func (export "e") (drop (call $tick)) unreachable)');
    expect(chain.run(0)).toMatchObject({ kind: 'returned', data: bytes(0) });
  });
});

describe('a trap of WebAssembly', () => {
  const TRAPS: readonly (readonly [string, string, string])[] = [
    ['unreachable', 'unreachable', 'unreachable'],
    ['a load outside', '(drop (i32.load (i32.const 65533)))', 'memory-out-of-bounds'],
    [
      'a bulk operation outside',
      '(memory.fill (i32.const 65530) (i32.const 0) (i32.const 7))',
      'memory-out-of-bounds',
    ],
    ['a call outside the table', '(call_indirect (i32.const 9))', 'table-out-of-bounds'],
    [
      'a call of another type',
      '(drop (call_indirect (result i32) (i32.const 0)))',
      'indirect-call-type',
    ],
    ['a call of no element', '(call_indirect (i32.const 1))', 'indirect-call-type'],
    [
      'a division by zero',
      '(drop (i32.div_s (i32.const 1) (i32.const 0)))',
      'integer-divide-by-zero',
    ],
    [
      'a remainder by zero',
      '(drop (i64.rem_u (i64.const 1) (i64.const 0)))',
      'integer-divide-by-zero',
    ],
    [
      'a division that overflows',
      '(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))',
      'integer-overflow',
    ],
    ['a float too large', '(drop (i32.trunc_f32_s (f32.const 3e9)))', 'invalid-conversion'],
  ];

  it.each(TRAPS)('is one code on every engine: %s', (_, code, detail) => {
    const outcome = run(`(memory 1) (table 2 funcref) (elem (i32.const 0) $nothing) (func $nothing)
      (func (export "e") ${code})`);
    expect(outcome).toMatchObject({ kind: 'trapped', trap: 'trap', detail });
  });

  it('costs the whole blocks that were entered', () => {
    const outcome = run(`(func (export "e")
      (drop (i32.const 1)) (drop (i32.const 1)) (block (unreachable)) (drop (i32.const 1)))`);
    expect(outcome).toMatchObject({ trap: 'trap', gasUsed: 2n });
  });
});

describe('gas', () => {
  const PROGRAM = `(memory 1) (data (i32.const 32) "0123456789abcdef!")
    (func $sum (param i32) (result i32) (local i32)
      (loop (local.set 1 (i32.add (local.get 1) (local.get 0)))
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get 1))
    (func (export "e")
      (i32.store (i32.const 64) (call $sum (i32.const 3)))
      (call $sstore (i32.const 0) (i32.const 64) (i32.const 4))
      (drop (call $consume (i64.const 7)))
      (drop (memory.grow (i32.const 1)))
      (memory.fill (i32.const 65536) (i32.const 1) (i32.const 33))
      (call $return (i32.const 64) (i32.const 4)))`;
  const whole = run(PROGRAM);

  it('ends the call at every limit below what the whole takes, with all of it used', () => {
    expect(whole).toMatchObject({ kind: 'returned', data: bytes(6, 0, 0, 0) });
    const chain = new ToyChain();
    chain.deploy(0, PROGRAM);
    for (let limit = 0n; limit < whole.gasUsed; limit++) {
      const expected = { kind: 'trapped', trap: 'out-of-gas', gasUsed: limit };
      expect(chain.run(0, limit)).toEqual(expected);
    }
    expect(chain.run(0, whole.gasUsed)).toEqual(whole);
    expect(chain.run(0, whole.gasUsed + 1n)).toEqual(whole);
  });

  it('is what host functions see as left', () => {
    const outcome = run(
      `(memory 1) (func (export "e")
        (i64.store (i32.const 0) (call $gas)) (call $return (i32.const 0) (i32.const 8)))`,
      1_000,
    );
    // Before the call: i32.const and the call itself. Stored as little-endian.
    expect(outcome).toMatchObject({ gasUsed: 6n, data: bytes(0xe6, 3, 0, 0, 0, 0, 0, 0) });
  });

  it('is taken by host functions in any amount', () => {
    const consume = (amount: bigint): string =>
      `(func (export "e") (drop (call $consume (i64.const ${amount}))))`;
    const limit = 2n ** 62n;
    const used = (amount: bigint): bigint => run(consume(amount), limit).gasUsed;
    for (const amount of [0n, 2n ** 32n - 3n, 2n ** 32n, 2n ** 61n]) {
      expect(used(amount)).toBe(amount + BigInt(TOY_GAS.consume) + 2n);
    }
    expect(run(consume(-1n), limit)).toMatchObject({ trap: 'out-of-gas', gasUsed: limit });
  });
});

describe('instantiation', () => {
  it('takes gas for pages above 32, for data and for elements', () => {
    const nothing = '(func $f (export "e"))';
    const used = (body: string): bigint => run(nothing + body).gasUsed;
    expect(used('')).toBe(0n);
    expect(used('(memory 32)')).toBe(0n);
    expect(used('(memory 40)')).toBe(8_000n);
    // All active bytes together are rounded up once.
    expect(
      used('(memory 1) (data (i32.const 0) "12345678") (data (i32.const 0) "123456789")'),
    ).toBe(2n);
    expect(used('(memory 1) (data "a passive one")')).toBe(0n);
    expect(used('(table 4 funcref) (elem (i32.const 1) $f $f $f)')).toBe(3n);
  });

  it('takes gas for parts in great number, beyond what contracts usually have', () => {
    const of = (count: number, part: string): bigint => {
      const parts = Array.from({ length: count }, (_, i) => part.replace('#', String(i)));
      return run(`(memory 1) (table 0 funcref) (func $f (export "e")) ${parts.join('')}`).gasUsed;
    };
    // The entry is an export too.
    expect([of(63, '(export "x#" (func $f))'), of(65, '(export "x#" (func $f))')]).toEqual([
      0n,
      400n,
    ]);
    const global = '(global i32 (i32.const 0))';
    expect([of(256, global), of(258, global)]).toEqual([0n, 120n]);
    const mixed = '(elem (i32.const 0)) (data (i32.const 0) "")';
    expect([of(32, mixed), of(33, mixed), of(100, '(data "")')]).toEqual([0n, 40n, 0n]);
    const type = '(type (func))';
    // The toy host's imports have seven types.
    expect([of(249, type), of(251, type)]).toEqual([0n, 80n]);
    expect([of(2_047, '(func)'), of(2_049, '(func)')]).toEqual([0n, 60n]);
    const table = (entries: number): bigint =>
      run(`(table ${entries} funcref) (func (export "e"))`).gasUsed;
    expect([table(1_024), table(4_096)]).toEqual([0n, 24_576n]);
  });

  it('does not begin on less gas than it takes', () => {
    const body = '(memory 33) (func (export "e"))';
    expect(run(body, 999)).toEqual({ kind: 'trapped', trap: 'out-of-gas', gasUsed: 999n });
    expect(run(body, 1_000)).toMatchObject({ kind: 'returned', gasUsed: 1_000n });
  });

  it('traps where an active segment lies outside, with its gas', () => {
    const outcome = (body: string): unknown => run(`${body} (func $f (export "e"))`);
    const data = (offset: number, text: string): unknown =>
      outcome(`(memory 1) (data (i32.const ${offset}) "${text}")`);
    const outside = { kind: 'trapped', trap: 'memory-out-of-bounds' };
    expect(data(65_535, 'a')).toMatchObject({ kind: 'returned' });
    expect(data(65_536, '')).toMatchObject({ kind: 'returned' });
    expect(data(65_536, 'a')).toEqual({ ...outside, gasUsed: 1n });
    expect(data(65_537, '')).toEqual({ ...outside, gasUsed: 0n });
    expect(data(-1, 'ab')).toEqual({ ...outside, gasUsed: 1n });
    expect(outcome('(memory 0) (data (i32.const 0) "a")')).toEqual({ ...outside, gasUsed: 1n });

    const table = { kind: 'trapped', trap: 'table-out-of-bounds' };
    expect(outcome('(table 2 funcref) (elem (i32.const 1) $f)')).toMatchObject({
      kind: 'returned',
    });
    expect(outcome('(table 2 funcref) (elem (i32.const 1) $f $f)')).toEqual({
      ...table,
      gasUsed: 2n,
    });
    expect(outcome('(table 2 funcref) (elem (i32.const -1) $f)')).toEqual({
      ...table,
      gasUsed: 1n,
    });
  });

  it('runs the start function first, on the same gas', () => {
    const outcome = run(`(memory 1) (start $s)
      (func $s (i32.store8 (i32.const 0) (i32.const 7)))
      (func (export "e") (call $return (i32.const 0) (i32.const 1)))`);
    expect(outcome).toEqual({ kind: 'returned', gasUsed: 6n, data: bytes(7) });
  });

  it('ends with a start function that ends', () => {
    const start = (code: string): unknown =>
      run(`(memory 1) (start $s) (func $s ${code}) (func (export "e") unreachable)`, 5_000);
    expect(start('(loop (br 0))')).toEqual({
      kind: 'trapped',
      trap: 'out-of-gas',
      gasUsed: 5_000n,
    });
    expect(start('(call $s)')).toMatchObject({ trap: 'stack-exhausted' });
    expect(start('(call $return (i32.const 0) (i32.const 1))')).toMatchObject({ kind: 'returned' });
    expect(start('(drop (i32.load (i32.const -1)))')).toMatchObject({
      trap: 'trap',
      detail: 'memory-out-of-bounds',
    });
  });

  it('gives nothing of one call to the next', () => {
    const chain = new ToyChain();
    chain.deploy(
      0,
      `(memory 1) (global $count (mut i32) (i32.const 0)) (table 1 funcref)
      (func (export "e")
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (i32.store8 (i32.const 5) (global.get $count))
        (i32.store8 (i32.const 6) (i32.add (i32.load8_u (i32.const 6)) (i32.const 1)))
        (call $return (i32.const 0) (i32.const 8)))`,
    );
    const first = chain.run(0);
    expect(first).toMatchObject({ data: bytes(0, 0, 0, 0, 0, 1, 1, 0) });
    expect(chain.run(0)).toEqual(first);
    expect(chain.run(0)).toEqual(first);
  });
});

describe('memory, as host functions reach it', () => {
  const OUTSIDE = { kind: 'trapped', trap: 'host.memory-out-of-bounds' };
  const returned = (pointer: number, length: number, memory = '(memory 1)'): unknown =>
    run(
      `${memory} (func (export "e") (call $return (i32.const ${pointer}) (i32.const ${length})))`,
    );

  it('ends where the memory does', () => {
    expect(returned(PAGE_BYTES - 2, 2)).toMatchObject({ data: bytes(0, 0) });
    expect(returned(PAGE_BYTES, 0)).toMatchObject({ data: bytes() });
    expect(returned(PAGE_BYTES - 1, 2)).toMatchObject(OUTSIDE);
    expect(returned(PAGE_BYTES + 1, 0)).toMatchObject(OUTSIDE);
  });

  it('reads pointers and lengths as unsigned', () => {
    expect(returned(-1, 1)).toMatchObject(OUTSIDE);
    expect(returned(-1, 2)).toMatchObject(OUTSIDE);
    expect(returned(1, -1)).toMatchObject(OUTSIDE);
    expect(returned(-65_536, 65_537)).toMatchObject(OUTSIDE);
  });

  it('is empty where a module has none', () => {
    expect(returned(0, 0, '')).toMatchObject({ data: bytes() });
    expect(returned(0, 1, '')).toMatchObject(OUTSIDE);
  });

  it('is written wholly or not at all', () => {
    const chain = new ToyChain();
    chain.deploy(
      0,
      `(memory 1) (data (i32.const 100) "abcd") (func (export "e")
        (call $sstore (i32.const 0) (i32.const 100) (i32.const 4))
        (drop (call $sload (i32.const 0) (i32.const 65534) (i32.const 4))))`,
    );
    expect(chain.run(0)).toMatchObject(OUTSIDE);
  });

  it('is the memory of now after it grew', () => {
    const outcome = run(`(memory 1) (func (export "e")
      (call $sstore (i32.const 0) (i32.const 0) (i32.const 1))
      (drop (memory.grow (i32.const 2)))
      (i32.store8 (i32.const 131072) (i32.const 9))
      (call $sstore (i32.const 0) (i32.const 131072) (i32.const 1))
      (drop (memory.grow (i32.const 0)))
      (drop (call $sload (i32.const 0) (i32.const 196607) (i32.const 1)))
      (call $return (i32.const 196607) (i32.const 1)))`);
    expect(outcome).toMatchObject({ kind: 'returned', data: bytes(9) });
  });

  it('is bounded by what the module says', () => {
    const outcome = run(`(memory 1 2) (func (export "e")
      (i32.store8 (i32.const 0) (memory.grow (i32.const 1)))
      (i32.store8 (i32.const 1) (memory.grow (i32.const 1)))
      (call $return (i32.const 0) (i32.const 2)))`);
    expect(outcome).toMatchObject({ data: bytes(1, 255) });
  });

  it('is used again only by calls, and not where it grew', () => {
    const pool = new MemoryPool();
    const chain = new ToyChain({}, pool);
    chain.deploy(0, '(memory 1) (func (export "e"))');
    chain.deploy(1, '(memory 1) (func (export "e") (drop (memory.grow (i32.const 1))))');
    chain.run(0);
    chain.run(0);
    expect(pool.idle).toEqual({ memories: 1, pages: 1 });
    chain.run(1);
    expect(pool.idle).toEqual({ memories: 0, pages: 0 });
  });
});
