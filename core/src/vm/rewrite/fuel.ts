/**
 * Takes gas in a body: the whole cost of a basic block when it is entered (docs/protocol/
 * contracts-wasm.md, "Metering"). That is the definition; the code written here keeps to it where
 * anything can tell, and is cheaper elsewhere:
 *
 * - Fuel is held in a local. The global has the same value before every operator that can trap or
 *   call, so a trap leaves exact fuel behind; only there, and when the function ends, is it
 *   written.
 * - What straight code owes is taken together, where it first splits, joins, traps or calls.
 * - That fuel is below 0 is looked at once on every way around a loop, where a function begins,
 *   before the host is called, and after `MAX_UNCHECKED_GAS`. Until then nothing of a run that is
 *   over can be seen: its memory is thrown away, and whoever finds fuel below 0 after any other
 *   trap calls it out of gas (internal.ts).
 *
 * Every method writes code that leaves the operand stack as it is.
 */
import type { ByteSink } from './byte-sink.ts';
import { STATUS } from './internal.ts';

/**
 * Gas that one frame may use beyond its fuel before that is found. Frames that return one after
 * another may each do so, so it stays far below what matters to anyone.
 */
const MAX_UNCHECKED_GAS = 1_000;

const I64_CONST = 0x42;
const I64_SUB = 0x7d;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
/** `i64.const 0 i64.lt_s if`. */
const IF_BELOW_ZERO = [I64_CONST, 0x00, 0x53, 0x04, 0x40];
/** `unreachable end`. */
const UNREACHABLE_END = [0x00, 0x0b];

/** Indices of the globals that metering adds. */
export interface FuelGlobals {
  readonly fuel: number;
  readonly status: number;
}

/** What holds at one place of a body, on every way there. */
export interface FuelState {
  /** The local is ahead of the global. */
  readonly isUnwritten: boolean;
  /** Upper bound of what this frame has taken since fuel was last looked at. */
  readonly unchecked: number;
}

/** What is known at a loop's start, where branches come back. */
export const AROUND_A_LOOP: FuelState = { isUnwritten: true, unchecked: MAX_UNCHECKED_GAS + 1 };

/** What holds where two ways meet. */
export function joined(one: FuelState | undefined, other: FuelState): FuelState {
  if (one === undefined) return other;
  return {
    isUnwritten: one.isUnwritten || other.isUnwritten,
    unchecked: Math.max(one.unchecked, other.unchecked),
  };
}

export class FuelWriter {
  readonly #out: ByteSink;
  readonly #globals: FuelGlobals;
  #local = 0;
  /** Owed since the local was last brought up to date. */
  #owed = 0;
  /** Only the global is right. */
  #isStale = true;
  #isUnwritten = false;
  #unchecked = 0;

  constructor(out: ByteSink, globals: FuelGlobals) {
    this.#out = out;
    this.#globals = globals;
  }

  /** @param local an i64 for this use */
  start(local: number): void {
    this.#local = local;
    this.#owed = 0;
    this.#isStale = true;
    this.#isUnwritten = false;
    this.#unchecked = 0;
    this.#unchecked = MAX_UNCHECKED_GAS + 1;
  }

  /** Whether `enter` has anything to write for a block of this cost. */
  looksAtOnce(cost: number): boolean {
    return cost > 0 && this.#unchecked > MAX_UNCHECKED_GAS;
  }

  /**
   * A basic block begins. Where fuel must be looked at, that is done here: further on it could
   * stand between a comparison and the branch on it, which engines would then not join.
   */
  enter(cost: number): void {
    this.#owed += cost;
    if (this.looksAtOnce(cost)) this.#take({ writes: false, keeps: true, checks: true });
  }

  /** Whether `settle` has anything to write. */
  get isUnsettled(): boolean {
    return this.#owed > 0 || this.#isStale || this.#unchecked > MAX_UNCHECKED_GAS;
  }

  /** Before code splits or joins: nothing is owed, and the local is right. */
  settle(): void {
    if (!this.isUnsettled) return;
    this.#take({ writes: false, keeps: true, checks: this.#isCheckDue });
  }

  /** Whether `write` has anything to write. */
  get isUnwritten(): boolean {
    return this.#owed > 0 || this.#isUnwritten;
  }

  /** Before an operator that can trap. */
  write(): void {
    if (!this.isUnwritten) return;
    this.#take({ writes: true, keeps: true, checks: this.#isCheckDue });
  }

  /** Before a call, after which fuel is what the callee left. */
  call(isHost: boolean): void {
    const checks = this.#isCheckDue || (isHost && this.#unchecked + this.#owed > 0);
    if (this.isUnwritten || checks) this.#take({ writes: true, keeps: false, checks });
    this.#isStale = true;
    this.#isUnwritten = false;
    // The callee may have ended with less than nothing left, without having looked.
    this.#unchecked = Math.max(this.#unchecked, 1);
  }

  /** Where the function ends. @param checks for callers who do not look at fuel themselves */
  finish(checks: boolean): void {
    const due = checks && this.#unchecked + this.#owed > 0;
    if (this.isUnwritten || due) this.#take({ writes: true, keeps: false, checks: due });
  }

  /** Settled code only. */
  get state(): FuelState {
    return { isUnwritten: this.#isUnwritten, unchecked: this.#unchecked };
  }

  /** What holds where settled code goes on from elsewhere. */
  resume({ isUnwritten, unchecked }: FuelState): void {
    this.#owed = 0;
    this.#isStale = false;
    this.#isUnwritten = isUnwritten;
    this.#unchecked = unchecked;
  }

  get #isCheckDue(): boolean {
    return this.#unchecked + this.#owed > MAX_UNCHECKED_GAS;
  }

  #take({ writes, keeps, checks }: { writes: boolean; keeps: boolean; checks: boolean }): void {
    const out = this.#out;
    const isNew = this.#isStale || this.#owed > 0;
    this.#op(this.#isStale ? GLOBAL_GET : LOCAL_GET);
    if (this.#owed > 0) {
      out.u8(I64_CONST);
      out.s32(this.#owed);
      out.u8(I64_SUB);
    }
    if (writes) {
      if (isNew && (keeps || checks)) this.#op(LOCAL_TEE);
      this.#op(GLOBAL_SET);
      if (checks) this.#op(LOCAL_GET);
    } else if (isNew) {
      this.#op(checks ? LOCAL_TEE : LOCAL_SET);
    }
    if (checks) this.#trapBelowZero(!writes);
    this.#isUnwritten = writes ? false : this.#isUnwritten || this.#owed > 0;
    this.#unchecked = checks ? 0 : this.#unchecked + this.#owed;
    this.#isStale = false;
    this.#owed = 0;
  }

  /** Of the fuel on top of the stack. */
  #trapBelowZero(writes: boolean): void {
    const out = this.#out;
    out.bytes(IF_BELOW_ZERO);
    if (writes) {
      this.#op(LOCAL_GET);
      this.#op(GLOBAL_SET);
    }
    writeStatus(out, this.#globals.status, STATUS.outOfGas);
    out.bytes(UNREACHABLE_END);
  }

  #op(operator: number): void {
    this.#out.u8(operator);
    const isGlobal = operator === GLOBAL_GET || operator === GLOBAL_SET;
    this.#out.u32(isGlobal ? this.#globals.fuel : this.#local);
  }
}

/** `status = value`. */
export function writeStatus(out: ByteSink, status: number, value: number): void {
  out.u8(0x41);
  out.s32(value);
  out.u8(GLOBAL_SET);
  out.u32(status);
}
