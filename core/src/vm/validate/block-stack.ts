/**
 * The open blocks of a function under validation: core specification, appendix A.3. Depth 0 is the
 * innermost block, as in labels. Types of blocks are lists that are shared, never copied.
 */
import { limitError } from '../error.ts';
import { LIMITS } from '../limits.ts';
import type { ValueType } from '../module.ts';

type Types = readonly ValueType[];

const NONE: Types = [];

export class BlockStack {
  /** The operator that opened the block; `block` for the function itself. */
  readonly #operators = new Uint8Array(LIMITS.blockDepth);
  /** Height of the operand stack below the block's own operands. */
  readonly #bases = new Uint32Array(LIMITS.blockDepth);
  readonly #polymorphic = new Uint8Array(LIMITS.blockDepth);
  readonly #params: Types[] = [];
  readonly #results: Types[] = [];
  #depth = 0;

  /** How many blocks are open. */
  get depth(): number {
    return this.#depth;
  }

  clear(): void {
    this.#depth = 0;
  }

  open(operator: number, params: Types, results: Types, base: number, at: number): void {
    const depth = this.#depth;
    if (depth === LIMITS.blockDepth) {
      throw limitError('blockDepth', depth + 1, LIMITS.blockDepth, at);
    }
    this.#operators[depth] = operator;
    this.#bases[depth] = base;
    this.#polymorphic[depth] = 0;
    this.#params[depth] = params;
    this.#results[depth] = results;
    this.#depth = depth + 1;
  }

  close(): void {
    this.#depth--;
  }

  operatorAt(label: number): number {
    return this.#operators[this.#depth - 1 - label] ?? 0;
  }

  baseAt(label: number): number {
    return this.#bases[this.#depth - 1 - label] ?? 0;
  }

  paramsAt(label: number): Types {
    return this.#params[this.#depth - 1 - label] ?? NONE;
  }

  resultsAt(label: number): Types {
    return this.#results[this.#depth - 1 - label] ?? NONE;
  }

  /** Whether the innermost block's rest is unreachable. */
  get isPolymorphic(): boolean {
    return this.#polymorphic[this.#depth - 1] === 1;
  }

  becomePolymorphic(): void {
    this.#polymorphic[this.#depth - 1] = 1;
  }
}
