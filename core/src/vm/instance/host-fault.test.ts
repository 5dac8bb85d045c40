import { afterEach, describe, expect, it, vi } from 'vitest';
import { PydeError } from '../../bytes/index.ts';
import { HostFault } from './host-fault.ts';
import type { HostFunctions } from './host-functions.ts';
import { Machine } from './machine.ts';
import { MemoryPool, type MemoryShape } from './memory-pool.ts';
import { CALLER_MEMORY, callOther, ToyChain, type ToyContext, toyModule } from './testing.ts';

/** Hands out memories that an engine cannot grow, far below what the module may grow to. */
class NarrowPool extends MemoryPool {
  override take(shape: MemoryShape): WebAssembly.Memory {
    return super.take({ minPages: shape.minPages, maxPages: shape.minPages + 1 });
  }
}

const GROW = `(func (export "e")
  (drop (memory.grow (i32.const 1))) (drop (memory.grow (i32.const 1))))`;

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a host fault', () => {
  it('is an engine that does not grow a memory below its bound', () => {
    const chain = new ToyChain({}, new NarrowPool());
    chain.deploy(0, `(memory 1 8) ${GROW}`);
    expect(() => chain.run(0)).toThrow(HostFault);
  });

  it('is none where gas ended first, or where the module reached its own bound', () => {
    const chain = new ToyChain({}, new NarrowPool());
    chain.deploy(0, `(memory 1 8) ${GROW}`);
    expect(chain.run(0, 1_500)).toMatchObject({ trap: 'out-of-gas' });
    chain.deploy(1, `(memory 1 2) ${GROW}`);
    expect(chain.run(1)).toMatchObject({ kind: 'returned' });
  });

  it('passes through every frame, and the machine runs nothing more', () => {
    const chain = new ToyChain({}, new NarrowPool());
    chain.deploy(2, `(memory 1 8) ${GROW}`);
    chain.deploy(1, `${CALLER_MEMORY} (func (export "e") (drop ${callOther(2)}))`);
    chain.deploy(0, `${CALLER_MEMORY} (func (export "e") (drop ${callOther(1)}))`);
    chain.deploy(3, '(func (export "e"))');
    const fault = thrownBy(() => chain.run(0));
    expect(fault).toBeInstanceOf(HostFault);
    expect(chain.nested).toEqual([]);
    expect(thrownBy(() => chain.run(3))).toBe(fault);
  });

  it('passes a host function that catches it', () => {
    const swallow: HostFunctions<ToyContext> = {
      wave_id: (frame) => {
        try {
          frame.call(chain.contract(1), 'e', { gasLimit: 9_000n, context: { self: 1 } });
        } catch {
          // As a careless host function would.
        }
        return 0n;
      },
    };
    const chain = new ToyChain(swallow, new NarrowPool());
    chain.deploy(1, `(memory 1 8) ${GROW}`);
    chain.deploy(0, '(func (export "e") (drop (call $tick)))');
    expect(() => chain.run(0)).toThrow(HostFault);
  });

  const overflow = (): bigint => overflow() + 1n;
  const THROWN: readonly (readonly [string, () => bigint])[] = [
    ['an error', () => thrower(new Error('defect'))],
    ['a refusal meant for someone else', () => thrower(new PydeError('wasm.magic', 'bad', {}))],
    ['a trap of other WebAssembly', () => thrower(new WebAssembly.RuntimeError('unreachable'))],
    ['something that is no error', () => thrower('text')],
    ['the end of the native stack', overflow],
    ['a memory that could not be had', () => thrower(new RangeError('could not allocate memory'))],
  ];

  it.each(THROWN)('is what a host function throws: %s', (_, throws) => {
    const chain = new ToyChain({ wave_id: throws });
    chain.deploy(1, '(func (export "e") (drop (call $tick)))');
    chain.deploy(0, `${CALLER_MEMORY} (func (export "e") (drop ${callOther(1)}))`);
    expect(() => chain.run(0)).toThrow(HostFault);
  });

  it('is a result that the engine does not take', () => {
    const chain = new ToyChain({ wave_id: () => 1 });
    chain.deploy(0, '(func (export "e") (drop (call $tick)))');
    expect(() => chain.run(0)).toThrow(HostFault);
  });

  it('is a memory that the engine does not make', () => {
    const chain = new ToyChain();
    chain.deploy(0, '(memory 1) (func (export "e"))');
    const Memory = class {
      constructor() {
        throw new RangeError('WebAssembly.Memory(): could not allocate memory');
      }
    };
    vi.stubGlobal('WebAssembly', Object.assign(Object.create(WebAssembly), { Memory }));
    expect(() => chain.run(0)).toThrow(/a memory of 1 pages could not be made/);
  });

  it('is an instance that the engine does not make', () => {
    const chain = new ToyChain(
      {},
      new (class extends MemoryPool {
        override take(): WebAssembly.Memory {
          return new WebAssembly.Memory({ initial: 0, maximum: 1 });
        }
      })(),
    );
    chain.deploy(0, '(memory 2) (func (export "e"))');
    expect(() => chain.run(0)).toThrow(HostFault);
  });

  it('is a module that the engine refuses after it was accepted', () => {
    const Module = class {
      constructor() {
        throw new Error('CompileError');
      }
    };
    vi.stubGlobal('WebAssembly', Object.assign(Object.create(WebAssembly), { Module }));
    expect(() => toyModule('(func (export "e"))')).toThrow(/refuses a module that was validated/);
  });

  it('is a host function that is not there', () => {
    const machine = new Machine<null>({ host: {} });
    const request = { gasLimit: 10n, context: null };
    expect(() => machine.run(toyModule('(func (export "e"))'), 'e', request)).toThrow(HostFault);
  });
});

function thrower(what: unknown): never {
  throw what;
}

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
