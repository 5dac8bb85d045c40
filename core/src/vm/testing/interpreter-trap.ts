/** Why a run of the reference interpreter ended without returning. */
export type TrapReason =
  | 'out-of-gas'
  | 'stack-exhausted'
  | 'unreachable'
  | 'memory-out-of-bounds'
  | 'table-out-of-bounds'
  | 'null-element'
  | 'indirect-call-type'
  | 'integer-divide-by-zero'
  | 'integer-overflow'
  | 'invalid-conversion';

export class Trap extends Error {
  readonly reason: TrapReason;

  constructor(reason: TrapReason) {
    super(reason);
    this.reason = reason;
  }
}
