/**
 * One function body: its operators as they stand, with metering between them. Code goes over in
 * runs of bytes; only `return`, `memory.grow` and unreachable code are replaced or left out.
 *
 * The new body is, with what the function does not need left out:
 *
 *     locals, and: fuel i64, stack i32, nan f32, nan f64
 *     take the frame's slots
 *     block (results)        so that every way out passes what follows it
 *       the operators
 *     end
 *     write fuel, give the slots back
 */
import { invariant } from '../../bytes/index.ts';
import { entryGas } from '../gas.ts';
import { type FuncType, type FunctionBody, VALUE_TYPE } from '../module.ts';
import { OP, OPERATORS } from '../operators.ts';
import type { ByteSink } from './byte-sink.ts';
import { CodeReader, EMPTY_BLOCK } from './code-reader.ts';
import { AROUND_A_LOOP, type FuelState, FuelWriter, joined } from './fuel.ts';
import { NAN_RESULT, NAN_TYPE, writeCanonical } from './nan.ts';
import {
  frameSlots,
  localCount,
  writeStackCheck,
  writeStackEntry,
  writeStackExit,
} from './stack-limit.ts';
import { BodySurvey } from './survey.ts';

/** What a body needs of its module. */
export interface BodyContext {
  readonly bytes: Uint8Array;
  /** Bytes of code in its longest body. */
  readonly longestCode: number;
  /** Functions below this index are the host's. */
  readonly importCount: number;
  /** Host functions can be reached through the table. */
  readonly hasHostInTable: boolean;
  /** Indices of the globals and functions that metering adds. */
  readonly globals: { readonly fuel: number; readonly stack: number; readonly status: number };
  readonly growFunction: number;
  readonly bulkFunction: number;
  /** Index of the type () → (results), for two results or more. */
  typeOfResults(results: FuncType): number;
}

export interface BodyRequest {
  readonly type: FuncType;
  readonly body: FunctionBody;
  readonly maxOperandHeight: number;
  /** Callers from outside get back control with fuel at 0 or above, or a trap. */
  readonly isExported: boolean;
}

/** What the rewriter does at an operator, by code; all others only go over. */
const ACTION = { copy: 0, trapping: 1, float: 2, structured: 3 } as const;

const ACTIONS = Uint8Array.from(OPERATORS, (operator) => {
  if (operator === undefined) return ACTION.copy;
  const { name, code } = operator;
  if (NAN_RESULT[code] !== 0) return ACTION.float;
  const isAccess = /\.(load|store)/.test(name);
  const isDivision = /^i\d\d\.(div|rem)_/.test(name);
  const isTruncation = /^i\d\d\.trunc_f/.test(name);
  if (isAccess || isDivision || isTruncation || code === OP.unreachable) return ACTION.trapping;
  const isControl = code <= OP.callIndirect && code !== OP.nop;
  const isPaidByLength = code >= OP.memoryInit && code !== OP.dataDrop;
  return isControl || isPaidByLength || code === OP.memoryGrow ? ACTION.structured : ACTION.copy;
});

/** An open block: what holds where branches to its end and its own code meet. */
interface OpenBlock {
  readonly isLoop: boolean;
  /** The state where the `if` split, for its `else` or for passing it by. */
  readonly split: FuelState | undefined;
  /** Undefined while nothing leads to its end. */
  end: FuelState | undefined;
}

const plainBlock = (): OpenBlock => ({ isLoop: false, split: undefined, end: undefined });

/** Where code only stands to be complete. */
const NEVER: FuelState = { isUnwritten: false, unchecked: 0 };

export class BodyWriter {
  readonly #context: BodyContext;
  readonly #out: ByteSink;
  readonly #fuel: FuelWriter;
  readonly #survey: BodySurvey;
  readonly #reader = new CodeReader();
  readonly #open: OpenBlock[] = [];
  /** Bytes before this have gone over. */
  #copied = 0;
  #block = 0;
  #loop = 0;
  #result = 0;
  #isReachable = true;
  #f32Local = 0;
  #f64Local = 0;

  constructor(context: BodyContext, out: ByteSink) {
    this.#context = context;
    this.#out = out;
    this.#fuel = new FuelWriter(out, context.globals);
    this.#survey = new BodySurvey(context.longestCode);
  }

  /** Writes the body, without its size in front. */
  write({ type, body, maxOperandHeight, isExported }: BodyRequest): void {
    const { bytes, globals } = this.#context;
    const survey = this.#survey;
    survey.look(bytes, body.code.start, entryGas(localCount(type, body) - type.params.length));
    const { hasCalls } = survey;
    const slots = frameSlots(type, body, maxOperandHeight);
    const stackLocal = this.#declareLocals(type, body);
    if (hasCalls) writeStackEntry(this.#out, globals, slots, stackLocal);
    else writeStackCheck(this.#out, globals, slots);

    const isWrapped = survey.leavesEarly && survey.takesFuel;
    if (isWrapped) this.#openWrapper(type);
    this.#operators(body, isWrapped);
    if (isWrapped) this.#out.u8(OP.end);
    if (this.#isReachable) {
      if (survey.takesFuel) this.#fuel.finish(isExported);
      if (hasCalls) writeStackExit(this.#out, globals, slots, stackLocal);
    }
    this.#out.u8(OP.end);
  }

  /** Writes the locals, gives the fuel its own, and returns that of the stack. */
  #declareLocals(type: FuncType, body: FunctionBody): number {
    const survey = this.#survey;
    const own: number[] = [];
    let next = localCount(type, body);
    const declare = (isNeeded: boolean, valueType: number): number => {
      if (!isNeeded) return 0;
      own.push(valueType);
      return next++;
    };
    this.#fuel.start(declare(survey.takesFuel, VALUE_TYPE.i64));
    const stackLocal = declare(survey.hasCalls, VALUE_TYPE.i32);
    this.#f32Local = declare(survey.seesNanOf(NAN_TYPE.f32), VALUE_TYPE.f32);
    this.#f64Local = declare(survey.seesNanOf(NAN_TYPE.f64), VALUE_TYPE.f64);

    const out = this.#out;
    out.u32(body.locals.length + own.length);
    for (const group of body.locals) {
      out.u32(group.count);
      out.u8(group.type);
    }
    for (const valueType of own) {
      out.u32(1);
      out.u8(valueType);
    }
    return stackLocal;
  }

  #openWrapper(type: FuncType): void {
    const out = this.#out;
    out.u8(OP.block);
    const [first, second] = type.results;
    if (second !== undefined) out.s32(this.#context.typeOfResults(type));
    else out.u8(first ?? EMPTY_BLOCK);
  }

  /** All operators up to the function's `end`, which is left out. */
  #operators({ code: { start, end } }: FunctionBody, isWrapped: boolean): void {
    const reader = this.#reader;
    reader.start(this.#context.bytes, start);
    this.#copied = start;
    this.#block = 0;
    this.#loop = 0;
    this.#result = 0;
    this.#isReachable = true;
    this.#open.length = 0;
    this.#open.push(plainBlock());
    this.#enterBlock();
    while (reader.at < end - 1) {
      const at = reader.at;
      const code = reader.operator();
      switch (ACTIONS[code]) {
        case ACTION.trapping:
          if (this.#fuel.isUnwritten) {
            this.#copyTo(at);
            this.#fuel.write();
          }
          reader.skip(code);
          if (code === OP.unreachable) this.#leave();
          break;
        case ACTION.float:
          if (this.#survey.isNanVisible(this.#result++)) this.#canonical(code);
          break;
        case ACTION.structured:
          this.#structured(code, at, isWrapped);
          break;
        default:
          reader.skip(code);
      }
    }
    this.#closeFunction(end - 1, isWrapped);
  }

  #structured(code: number, at: number, isWrapped: boolean): void {
    const reader = this.#reader;
    switch (code) {
      case OP.block:
        reader.skip(code);
        this.#open.push(plainBlock());
        return;
      case OP.loop:
        this.#loopStart(at);
        return;
      case OP.if:
        this.#settle(at);
        reader.skip(code);
        this.#open.push({ isLoop: false, split: this.#fuel.state, end: undefined });
        this.#enterBlock();
        return;
      case OP.else:
        this.#elseStart(at);
        return;
      case OP.end:
        this.#blockEnd(at);
        return;
      case OP.br:
        this.#settle(at);
        this.#branch(reader.u32());
        this.#leave();
        return;
      case OP.brIf:
        this.#settle(at);
        this.#branch(reader.u32());
        this.#enterBlock();
        return;
      case OP.brTable:
        this.#settle(at);
        for (let left = reader.u32(); left >= 0; left--) this.#branch(reader.u32());
        this.#leave();
        return;
      case OP.return:
        this.#returnFrom(at, isWrapped);
        return;
      case OP.call:
      case OP.callIndirect:
        this.#call(code, at);
        return;
      default:
        this.#paidByLength(code, at);
    }
  }

  #loopStart(at: number): void {
    const isRepeated = this.#survey.isRepeated(this.#loop++);
    if (isRepeated) this.#settle(at);
    this.#reader.skip(OP.loop);
    this.#open.push({ isLoop: true, split: undefined, end: undefined });
    if (isRepeated) this.#fuel.resume(AROUND_A_LOOP);
    this.#enterBlock();
  }

  #elseStart(at: number): void {
    const block = this.#innermost();
    if (this.#isReachable) this.#join(block, at);
    if (block.split !== undefined) this.#fuel.resume(block.split);
    this.#open[this.#open.length - 1] = { ...plainBlock(), end: block.end };
    this.#isReachable = true;
    this.#enterBlock();
  }

  #blockEnd(at: number): void {
    const block = this.#innermost();
    if (block.split !== undefined) block.end = joined(block.end, block.split);
    if (block.end === undefined) {
      // Nothing branches here: straight code goes on, or what follows never runs.
      if (!this.#isReachable) this.#fuel.resume(NEVER);
    } else {
      if (this.#isReachable) this.#join(block, at);
      this.#fuel.resume(block.end);
    }
    this.#open.pop();
    this.#isReachable = true;
    this.#enterBlock();
  }

  /** The function's own block, before its `end` at `at`. */
  #closeFunction(at: number, isWrapped: boolean): void {
    const block = this.#innermost();
    if (isWrapped) {
      if (this.#isReachable) this.#join(block, at);
      this.#isReachable = block.end !== undefined;
      if (block.end !== undefined) this.#fuel.resume(block.end);
    }
    this.#copyTo(at);
  }

  #returnFrom(at: number, isWrapped: boolean): void {
    if (isWrapped) {
      this.#settle(at);
      const label = this.#open.length - 1;
      this.#branch(label);
      this.#copyTo(at);
      this.#out.u8(OP.br);
      this.#out.u32(label);
      this.#copied = this.#reader.at;
    }
    this.#leave();
  }

  #call(code: number, at: number): void {
    const { importCount, hasHostInTable } = this.#context;
    const reader = this.#reader;
    this.#copyTo(at);
    const index = reader.at;
    const isHost = code === OP.call ? reader.u32() < importCount : hasHostInTable;
    reader.at = index;
    reader.skip(code);
    this.#fuel.call(isHost);
    this.#enterBlock();
  }

  /** memory.grow, and memory.copy, fill and init. */
  #paidByLength(code: number, at: number): void {
    const { growFunction, bulkFunction } = this.#context;
    this.#copyTo(at);
    this.#fuel.call(false);
    this.#out.u8(OP.call);
    this.#out.u32(code === OP.memoryGrow ? growFunction : bulkFunction);
    this.#reader.skip(code);
    if (code === OP.memoryGrow) this.#copied = this.#reader.at;
  }

  #canonical(code: number): void {
    this.#copyTo(this.#reader.at);
    const isF64 = NAN_RESULT[code] === NAN_TYPE.f64;
    writeCanonical(this.#out, isF64, isF64 ? this.#f64Local : this.#f32Local);
  }

  #enterBlock(): void {
    const cost = this.#survey.costOf(this.#block++);
    if (this.#fuel.looksAtOnce(cost)) this.#copyTo(this.#reader.at);
    this.#fuel.enter(cost);
  }

  /** Behind a branch that is always taken; the code up to the block's end is left out. */
  #leave(): void {
    this.#copyTo(this.#reader.at);
    this.#reader.skipUnreachable();
    this.#copied = this.#reader.at;
    this.#isReachable = false;
    this.#enterBlock();
  }

  /** To a label; of a loop, whose start takes any state, nothing is kept. */
  #branch(label: number): void {
    const block = this.#open[this.#open.length - 1 - label];
    invariant(block !== undefined, 'a validated label names an open block');
    if (!block.isLoop) block.end = joined(block.end, this.#fuel.state);
  }

  /** Straight code comes to the end of a block. */
  #join(block: OpenBlock, at: number): void {
    this.#settle(at);
    block.end = joined(block.end, this.#fuel.state);
  }

  #settle(at: number): void {
    if (!this.#fuel.isUnsettled) return;
    this.#copyTo(at);
    this.#fuel.settle();
  }

  #innermost(): OpenBlock {
    const block = this.#open.at(-1);
    invariant(block !== undefined, 'a validated body closes what it opens');
    return block;
  }

  #copyTo(at: number): void {
    this.#out.copy(this.#context.bytes, this.#copied, at);
    this.#copied = at;
  }
}
