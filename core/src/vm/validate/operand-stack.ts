/**
 * The operand stack of the validation algorithm: core specification, appendix A.3. Types stand in
 * one typed array that is kept from function to function. After an unconditional branch the stack
 * is polymorphic: what is popped below the block's base is of unknown type and fits everything.
 */
import { limitError, wasmError } from '../error.ts';
import { LIMITS } from '../limits.ts';
import { isValueType, type ValueType, valueTypeName } from '../module.ts';

/** Of an operand popped from a polymorphic stack. */
export const UNKNOWN = 0;

export class OperandStack {
  readonly #types = new Uint8Array(LIMITS.operandHeight);
  #height = 0;
  #highest = 0;
  #base = 0;
  #isPolymorphic = false;

  /** Of everything on the stack, enclosing blocks included. */
  get height(): number {
    return this.#height;
  }

  /** The greatest height since `clear`. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether code here is unreachable: operands below the block's base may be popped. */
  get isPolymorphic(): boolean {
    return this.#isPolymorphic;
  }

  clear(): void {
    this.#height = 0;
    this.#highest = 0;
    this.enterBlock(0, false);
  }

  /** Operands below `base` belong to enclosing blocks. */
  enterBlock(base: number, isPolymorphic: boolean): void {
    this.#base = base;
    this.#isPolymorphic = isPolymorphic;
  }

  /** Nothing that follows in this block is reached: its operands are forgotten. */
  becomePolymorphic(): void {
    this.#height = this.#base;
    this.#isPolymorphic = true;
  }

  push(type: number, at: number): void {
    const height = this.#height;
    if (height === LIMITS.operandHeight) {
      throw limitError('operandHeight', height + 1, LIMITS.operandHeight, at);
    }
    this.#types[height] = type;
    this.#height = height + 1;
    if (height >= this.#highest) this.#highest = height + 1;
  }

  /** Pops an operand of any type and returns that type, `UNKNOWN` below a polymorphic base. */
  popAny(at: number): number {
    if (this.#height === this.#base) {
      if (this.#isPolymorphic) return UNKNOWN;
      throw wasmError('wasm.stack', at, 'an operand is needed and the stack is empty');
    }
    this.#height--;
    return this.#types[this.#height] ?? UNKNOWN;
  }

  pop(expected: number, at: number): void {
    const actual = this.popAny(at);
    if (actual !== expected && actual !== UNKNOWN) throw mismatch(expected, actual, at);
  }

  pushAll(types: readonly ValueType[], at: number): void {
    for (let i = 0; i < types.length; i++) this.push(types[i] ?? UNKNOWN, at);
  }

  /** The last type is on top. */
  popAll(types: readonly ValueType[], at: number): void {
    for (let i = types.length - 1; i >= 0; i--) this.pop(types[i] ?? UNKNOWN, at);
  }

  /** Holds the top of the stack against types and leaves it as it is. */
  peekAll(types: readonly ValueType[], at: number): void {
    let height = this.#height;
    for (let i = types.length - 1; i >= 0; i--) {
      if (height === this.#base) {
        if (this.#isPolymorphic) return;
        throw wasmError('wasm.stack', at, `${types.length} operands are needed`);
      }
      height--;
      const actual = this.#types[height] ?? UNKNOWN;
      const expected = types[i] ?? UNKNOWN;
      if (actual !== expected && actual !== UNKNOWN) throw mismatch(expected, actual, at);
    }
  }

  /** A block ends: nothing of its own may be left. */
  expectBase(at: number): void {
    if (this.#height === this.#base) return;
    const left = this.#height - this.#base;
    throw wasmError('wasm.stack', at, `${left} operands are left where the block ends`, { left });
  }
}

function mismatch(expected: number, actual: number, at: number): Error {
  const [wanted, found] = [typeName(expected), typeName(actual)];
  return wasmError('wasm.type', at, `an operand of type ${wanted} is needed and it is ${found}`, {
    expected: wanted,
    actual: found,
  });
}

const typeName = (type: number): string => (isValueType(type) ? valueTypeName(type) : 'unknown');
