import { describe, expect, test } from 'vitest';
import { gasOf, Metered, rewritten, runOnce } from './testing/metered.ts';

const GROW =
  '(func (export "f") (param i32) (result i32) (memory.grow (local.get 0))) ' +
  '(func (export "size") (result i32) (memory.size))';

describe('memory.grow', () => {
  test('costs 1,000 gas a page', () => {
    expect(gasOf(`(memory 1 10) ${GROW}`, [0])).toBe(2);
    expect(gasOf(`(memory 1 10) ${GROW}`, [3])).toBe(3_002);
  });

  test('gives the size before it, and grows', () => {
    const metered = new Metered(rewritten(`(memory 1 10) ${GROW}`));
    expect(metered.run('f', [9]).result).toBe(1);
    expect(metered.run('size').result).toBe(10);
    expect(metered.memory?.buffer.byteLength).toBe(10 * 65_536);
  });

  test('beyond the maximum is −1 and costs nothing more', () => {
    for (const pages of [10, 65_536, 0x7fffffff, -1]) {
      const run = runOnce(`(memory 1 10) ${GROW}`, [pages], { fuel: 2n });
      expect(run).toMatchObject({ end: 'returned', result: -1, fuelLeft: 0n });
    }
  });

  test('is bounded by the chain where the module states more or nothing', () => {
    for (const memory of ['(memory 1)', '(memory 1 65536)']) {
      const { memory: bounds } = rewritten(`${memory} ${GROW}`);
      expect(bounds).toEqual({ minPages: 1, maxPages: 1_024 });
      const budget = { fuel: 2_000_000n };
      expect(runOnce(`${memory} ${GROW}`, [1_024], budget).result).toBe(-1);
      expect(runOnce(`${memory} ${GROW}`, [1_023], budget).result).toBe(1);
    }
  });

  test('without gas for its pages traps and does not grow', () => {
    const metered = new Metered(rewritten(`(memory 1 10) ${GROW}`));
    expect(metered.run('f', [1], { fuel: 1_001n }).end).toBe('out-of-gas');
    expect(metered.memory?.buffer.byteLength).toBe(65_536);
  });

  test('that the engine refuses below the bound ends with a status of its own', () => {
    const { bytes } = rewritten(`(memory 1 10) ${GROW}`);
    // As small a memory as an engine without memory would leave.
    const metered = new Metered({ bytes, memory: { minPages: 1, maxPages: 10 }, hasStart: false });
    expect(metered.run('f', [5]).end).toBe('returned');
    const short = new Metered({ bytes, memory: { minPages: 2, maxPages: 2 }, hasStart: false }, {});
    expect(short.run('f', [5]).end).toBe('grow-failed');
  });
});

describe('bulk operations', () => {
  const BULK = `(memory 2) (data "0123456789abcdefghij")
    (func (export "fill") (param i32) (memory.fill (i32.const 0) (i32.const 7) (local.get 0)))
    (func (export "copy") (param i32) (memory.copy (i32.const 0) (i32.const 9) (local.get 0)))
    (func (export "init") (param i32) (memory.init 0 (i32.const 0) (i32.const 0) (local.get 0)))`;

  test.each([
    [0, 0],
    [1, 1],
    [16, 1],
    [17, 2],
  ])('%i bytes cost %i gas besides the operators', (length, gas) => {
    for (const name of ['fill', 'copy', 'init']) {
      const run = new Metered(rewritten(BULK)).run(name, [length], { fuel: 100n });
      expect(run).toMatchObject({ end: 'returned', fuelLeft: 96n - BigInt(gas) });
    }
  });

  test('are paid before they trap', () => {
    const run = new Metered(rewritten(BULK)).run('fill', [131_073], { fuel: 10_000n });
    expect(run).toMatchObject({ end: 'trap', fuelLeft: 10_000n - 4n - 8_193n });
  });

  test('a length is unsigned', () => {
    const used = 4n + 2n ** 28n;
    const budget = { fuel: used };
    expect(new Metered(rewritten(BULK)).run('fill', [-1], budget)).toMatchObject({
      end: 'trap',
      fuelLeft: 0n,
    });
    expect(new Metered(rewritten(BULK)).run('fill', [-1], { fuel: used - 1n }).end).toBe(
      'out-of-gas',
    );
  });

  test('without gas write nothing', () => {
    const metered = new Metered(rewritten(BULK));
    expect(metered.run('fill', [32], { fuel: 5n }).end).toBe('out-of-gas');
    expect(new Uint8Array(metered.memory?.buffer ?? new ArrayBuffer(0))[0]).toBe(0);
  });
});

describe('the charge export', () => {
  test('takes an unsigned amount, and traps when there is less', () => {
    const metered = new Metered(rewritten('(func (export "f"))'));
    expect(metered.run('\0charge', [40], { fuel: 40n })).toMatchObject({ fuelLeft: 0n });
    expect(metered.run('\0charge', [41], { fuel: 40n }).end).toBe('out-of-gas');
    const run = new Metered(rewritten('')).run('\0charge', [-1], { fuel: 2n ** 32n });
    expect(run).toMatchObject({ end: 'returned', fuelLeft: 1n });
  });
});
