/**
 * Canonical NaNs: where the specification lets an engine choose the bits of a NaN (§4.3.3), the
 * result becomes the canonical one. Left out where nothing can see the bits: where, within one
 * basic block, the value goes straight into float arithmetic, whose own result is made canonical
 * in turn, into a comparison, or into a conversion to an integer.
 */
import { OPERATORS } from '../operators.ts';
import type { ByteSink } from './byte-sink.ts';

/** Types of results, as bits. */
export const NAN_TYPE = { f32: 1, f64: 2 } as const;

/** By code: the type where the result may be a NaN of any bits, else 0. */
export const NAN_RESULT = Uint8Array.from(OPERATORS, (operator) => {
  if (operator?.makesNan !== true) return 0;
  return operator.name.startsWith('f32') ? NAN_TYPE.f32 : NAN_TYPE.f64;
});

/** Takes floats, and what comes out does not depend on the bits of a NaN. */
const IGNORES_NAN_BITS = Uint8Array.from(OPERATORS, (operator) => {
  if (operator === undefined) return 0;
  const isComparison = /^f\d\d\.(eq|ne|lt|gt|le|ge)$/.test(operator.name);
  const isTruncation = /^i\d\d\.trunc/.test(operator.name);
  return operator.makesNan || isComparison || isTruncation ? 1 : 0;
});

const OPERANDS = Uint8Array.from(OPERATORS, (operator) => operator?.signature?.params.length ?? 0);
const HAS_RESULT = Uint8Array.from(OPERATORS, (operator) =>
  (operator?.signature?.result ?? 0) === 0 ? 0 : 1,
);

/** What stands on the stack, if it is no result of float arithmetic in this block. */
const OTHER = -1;

/** Follows the results of float arithmetic on the operand stack, within one basic block. */
export class NanTracker {
  /** By the arithmetic's place in the function: 1 where something can see the result's bits. */
  readonly #visible: Uint8Array;
  /** Operands since the block began; those from before are not on it. */
  readonly #stack: Int32Array;
  /** As in NAN_RESULT. */
  readonly #types: Uint8Array;
  #height = 0;
  #results = 0;
  #visibleTypes = 0;

  /** @param capacity operators in the longest body */
  constructor(capacity: number) {
    this.#visible = new Uint8Array(capacity);
    this.#types = new Uint8Array(capacity);
    this.#stack = new Int32Array(capacity);
  }

  start(): void {
    this.#height = 0;
    this.#results = 0;
    this.#visibleTypes = 0;
  }

  /** Whether anything sees a result of this `NAN_TYPE`. */
  seesType(type: number): boolean {
    return (this.#visibleTypes & type) !== 0;
  }

  isVisible(result: number): boolean {
    return this.#visible[result] === 1;
  }

  /** An operator whose operands and result its code alone tells. */
  apply(code: number): void {
    this.pop(OPERANDS[code] ?? 0, IGNORES_NAN_BITS[code] === 0);
    const type = NAN_RESULT[code] ?? 0;
    if (type !== 0) {
      this.#visible[this.#results] = 0;
      this.#types[this.#results] = type;
      this.#stack[this.#height++] = this.#results++;
    } else if (HAS_RESULT[code] === 1) {
      this.push();
    }
  }

  push(): void {
    this.#stack[this.#height++] = OTHER;
  }

  /** @param sees what takes the operands can pass on their bits */
  pop(count: number, sees: boolean): void {
    const bottom = Math.max(0, this.#height - count);
    while (this.#height > bottom) {
      const result = this.#stack[--this.#height] ?? OTHER;
      if (!sees || result === OTHER) continue;
      this.#visible[result] = 1;
      this.#visibleTypes |= this.#types[result] ?? 0;
    }
  }

  /** The block ends: whatever is still on the stack may be seen. */
  endBlock(): void {
    if (this.#height > 0) this.pop(this.#height, true);
  }
}

const F32_CANONICAL = [0x43, 0x00, 0x00, 0xc0, 0x7f];
const F64_CANONICAL = [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f];
const F32_NE = 0x5c;
const F64_NE = 0x62;

/**
 * Makes the float on top of the stack canonical: `if (x != x) x = nan`.
 * @param local of the float's type, for this use
 */
export function writeCanonical(out: ByteSink, isF64: boolean, local: number): void {
  out.u8(0x22);
  out.u32(local);
  out.u8(0x20);
  out.u32(local);
  out.bytes([isF64 ? F64_NE : F32_NE, 0x04, 0x40]);
  out.bytes(isF64 ? F64_CANONICAL : F32_CANONICAL);
  out.u8(0x21);
  out.u32(local);
  out.bytes([0x0b, 0x20]);
  out.u32(local);
}
