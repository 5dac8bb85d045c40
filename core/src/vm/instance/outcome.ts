/**
 * What comes out of a call. `kind`, `trap`, `data` and `gasUsed` are the same on every engine and
 * may go into receipts and roots; `detail` may not.
 */

/**
 * Why a frame trapped, as far as every engine agrees. All but `trap` are found by this chain's own
 * counters and checks:
 *
 * - `out-of-gas`, `stack-exhausted`: the budgets of metering
 * - `call-depth`, `memory-exhausted`: the call was never begun, its caller runs on
 * - `memory-out-of-bounds`, `table-out-of-bounds`: an active segment lies outside, at instantiation
 * - `host.…`: a host function refused; `host.memory-out-of-bounds` is a pointer outside the memory
 * - `trap`: any trap of WebAssembly itself
 */
export type TrapCode =
  | 'out-of-gas'
  | 'stack-exhausted'
  | 'call-depth'
  | 'memory-exhausted'
  | 'memory-out-of-bounds'
  | 'table-out-of-bounds'
  | 'trap'
  | HostTrapCode;

/** Raised by a host function through `Frame.trap`. */
export type HostTrapCode = `host.${string}`;

export interface Returned {
  readonly kind: 'returned';
  readonly gasUsed: bigint;
  /** What the contract handed to `return`; empty where it just ended. */
  readonly data: Uint8Array;
}

export interface Reverted {
  readonly kind: 'reverted';
  readonly gasUsed: bigint;
  /** What the contract handed to `revert`. */
  readonly data: Uint8Array;
}

export interface Trapped {
  readonly kind: 'trapped';
  readonly trap: TrapCode;
  readonly gasUsed: bigint;
  /**
   * Which trap of WebAssembly it was, where this engine's words tell. For people only: engines
   * differ, and one may say less than another. Never part of a receipt, a root or a decision.
   */
  readonly detail?: TrapDetail;
}

export type Outcome = Returned | Reverted | Trapped;

export type TrapDetail =
  | 'unreachable'
  | 'memory-out-of-bounds'
  | 'table-out-of-bounds'
  | 'indirect-call-type'
  | 'null-element'
  | 'integer-divide-by-zero'
  | 'integer-overflow'
  | 'invalid-conversion';

/**
 * The words of V8, SpiderMonkey and JavaScriptCore. The order matters: the texts about tables come
 * before those about bounds, and V8 says in one text that an element is null or of another type.
 */
const WORDS: readonly (readonly [RegExp, TrapDetail])[] = [
  [/signature/i, 'indirect-call-type'],
  [/call to null|null table entry/i, 'null-element'],
  [/table index|bounds call_indirect|table access|element segment/i, 'table-out-of-bounds'],
  [/unreachable/i, 'unreachable'],
  [/unrepresentable in integer range|conversion to integer|trunc/i, 'invalid-conversion'],
  [/(divide|division|remainder) by zero/i, 'integer-divide-by-zero'],
  [/integer overflow|result unrepresentable/i, 'integer-overflow'],
  [/out[ -]of[ -]bounds/i, 'memory-out-of-bounds'],
];

/** What an engine's text of a trap means, or undefined where it is not known. */
export function trapDetail(message: string): TrapDetail | undefined {
  return WORDS.find(([words]) => words.test(message))?.[1];
}
