/**
 * A first look at a body: what each of its basic blocks costs (docs/protocol/contracts-wasm.md,
 * "Metering"), and what of it the rewriter has to know before it writes. Unreachable code is left
 * out here and there: it follows a branch that is always taken, up to the end of its block.
 *
 * Blocks, loops and float results are numbered as they stand in the code.
 */
import { LIMITS } from '../limits.ts';
import { COST, OP } from '../operators.ts';
import { CodeReader } from './code-reader.ts';
import { NanTracker } from './nan.ts';

const NO_LOOP = -1;

export class BodySurvey {
  readonly #costs: Uint32Array;
  readonly #isRepeated: Uint8Array;
  readonly #nans: NanTracker;
  readonly #reader = new CodeReader();
  /** Of the open blocks within the function: the loop's number, or `NO_LOOP`. */
  readonly #open = new Int32Array(LIMITS.blockDepth);
  #depth = 0;
  #blocks = 0;
  #loops = 0;
  #cost = 0;
  #takesFuel = false;
  #hasCalls = false;
  #leavesEarly = false;

  /** @param longest bytes of code in the longest body that will be looked at */
  constructor(longest: number) {
    // Operators have a byte at least.
    this.#costs = new Uint32Array(longest + 1);
    this.#isRepeated = new Uint8Array(longest);
    this.#nans = new NanTracker(longest);
  }

  /** Whether anything in it costs gas. */
  get takesFuel(): boolean {
    return this.#takesFuel;
  }

  /** Calls functions, of the module or the host. */
  get hasCalls(): boolean {
    return this.#hasCalls;
  }

  /** Returns or branches out, rather than only reaching its end. */
  get leavesEarly(): boolean {
    return this.#leavesEarly;
  }

  /** Gas of a whole basic block. */
  costOf(block: number): number {
    return this.#costs[block] ?? 0;
  }

  /** Whether a branch leads back to the loop's start. */
  isRepeated(loop: number): boolean {
    return this.#isRepeated[loop] === 1;
  }

  /** Whether a NaN that the float arithmetic makes must be canonical. */
  isNanVisible(result: number): boolean {
    return this.#nans.isVisible(result);
  }

  /** Whether any such result is of this `NAN_TYPE`. */
  seesNanOf(type: number): boolean {
    return this.#nans.seesType(type);
  }

  /**
   * @param start first operator of a validated body
   * @param entryCost gas that its first block costs besides its operators
   */
  look(bytes: Uint8Array, start: number, entryCost: number): void {
    this.#reader.start(bytes, start);
    this.#nans.start();
    this.#depth = 0;
    this.#blocks = 0;
    this.#loops = 0;
    this.#cost = entryCost;
    this.#takesFuel = false;
    this.#hasCalls = false;
    this.#leavesEarly = false;
    while (this.#depth >= 0) this.#operator();
  }

  #operator(): void {
    const reader = this.#reader;
    const code = reader.operator();
    this.#cost += COST[code] ?? 0;
    switch (code) {
      case OP.block:
        reader.skip(code);
        this.#open[this.#depth++] = NO_LOOP;
        return;
      case OP.loop:
        reader.skip(code);
        this.#isRepeated[this.#loops] = 0;
        this.#open[this.#depth++] = this.#loops++;
        this.#endBlock();
        return;
      case OP.if:
        reader.skip(code);
        this.#open[this.#depth++] = NO_LOOP;
        this.#endBlock();
        return;
      case OP.else:
        this.#endBlock();
        return;
      case OP.end:
        this.#depth--;
        this.#endBlock();
        return;
      case OP.br:
        this.#branch(reader.u32());
        this.#leave();
        return;
      case OP.brIf:
        this.#branch(reader.u32());
        this.#endBlock();
        return;
      case OP.brTable:
        for (let left = reader.u32(); left >= 0; left--) this.#branch(reader.u32());
        this.#leave();
        return;
      case OP.return:
        this.#leavesEarly = true;
        this.#leave();
        return;
      case OP.unreachable:
        this.#leave();
        return;
      case OP.call:
      case OP.callIndirect:
        reader.skip(code);
        this.#hasCalls = true;
        this.#endBlock();
        return;
      default:
        reader.skip(code);
        this.#follow(code);
    }
  }

  /** What the operator does to the operand stack. */
  #follow(code: number): void {
    const nans = this.#nans;
    switch (code) {
      case OP.localGet:
      case OP.globalGet:
        nans.push();
        return;
      case OP.localSet:
      case OP.globalSet:
      case OP.drop:
        nans.pop(1, code !== OP.drop);
        return;
      case OP.localTee:
        nans.pop(1, true);
        nans.push();
        return;
      case OP.select:
        nans.pop(3, true);
        nans.push();
        return;
      default:
        nans.apply(code);
    }
  }

  #branch(label: number): void {
    if (label >= this.#depth) {
      this.#leavesEarly = true;
      return;
    }
    const loop = this.#open[this.#depth - 1 - label] ?? NO_LOOP;
    if (loop !== NO_LOOP) this.#isRepeated[loop] = 1;
  }

  #endBlock(): void {
    this.#nans.endBlock();
    this.#costs[this.#blocks++] = this.#cost;
    if (this.#cost > 0) this.#takesFuel = true;
    this.#cost = 0;
  }

  /** Behind a branch that is always taken. */
  #leave(): void {
    this.#endBlock();
    this.#reader.skipUnreachable();
  }
}
