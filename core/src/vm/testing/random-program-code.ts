/**
 * Function bodies of a random program: well-typed by construction, with operands left beneath
 * blocks, branches of every kind out of the middle of expressions, code behind unconditional
 * branches, and loops that end by a counter or only for want of gas.
 */
import { type FuncType, VALUE_TYPE, type ValueType } from '../module.ts';
import { OPERATORS, type Operator } from '../operators.ts';
import { leb, sleb } from './module-builder.ts';
import { type Choices, randomBits, VALUE_TYPES } from './random-program-choices.ts';
import { LOADS_BY_RESULT, NUMERIC_BY_RESULT, STORES } from './random-program-operators.ts';

const { i32, i64, f32, f64 } = VALUE_TYPE;
const MOST_DEPTH = 7;

/** What code can refer to. */
export interface Surroundings {
  /** Grows: block types are added as they are met. */
  readonly types: FuncType[];
  /** By function index, imports included. */
  readonly functions: readonly FuncType[];
  readonly globals: readonly { readonly type: ValueType; readonly isMutable: boolean }[];
  readonly hasMemory: boolean;
  /** Functions by slot; undefined for a module without a table. */
  readonly table: readonly (number | undefined)[] | undefined;
  readonly dataSegments: number;
}

interface Label {
  /** What a branch to it carries. */
  readonly carries: readonly ValueType[];
}

export interface RandomBody {
  readonly locals: readonly ValueType[];
  /** Without the last `end`. */
  readonly code: Uint8Array;
}

/** The index of a type, which is added when it is new. */
export function typeIndex(types: FuncType[], type: FuncType): number {
  const same = (a: readonly ValueType[], b: readonly ValueType[]): boolean =>
    a.length === b.length && a.every((one, i) => one === b[i]);
  const found = types.findIndex(
    (t) => same(t.params, type.params) && same(t.results, type.results),
  );
  return found >= 0 ? found : types.push(type) - 1;
}

export function randomBody(type: FuncType, around: Surroundings, choices: Choices): RandomBody {
  return new BodyWriter(type, around, choices).write();
}

class BodyWriter {
  private readonly around: Surroundings;
  private readonly choices: Choices;
  private readonly type: FuncType;
  private readonly locals: ValueType[];
  /** Counters of loops are only read by other code. */
  private readonly counters = new Set<number>();
  private readonly labels: Label[];
  private readonly out: number[] = [];

  constructor(type: FuncType, around: Surroundings, choices: Choices) {
    this.around = around;
    this.choices = choices;
    this.type = type;
    this.locals = [...type.params, ...choices.several(4, () => choices.pick(VALUE_TYPES))];
    this.labels = [{ carries: type.results }];
  }

  write(): RandomBody {
    this.statements(0);
    for (const type of this.type.results) this.expression(type, 1);
    return {
      locals: this.locals.slice(this.type.params.length),
      code: Uint8Array.from(this.out),
    };
  }

  private emit(...parts: (number | Uint8Array)[]): void {
    for (const part of parts) {
      if (typeof part === 'number') this.out.push(part);
      else this.out.push(...part);
    }
  }

  private operator({ code }: Operator): void {
    if (code < 0x100) this.emit(code);
    else this.emit(0xfc, leb(code - 0x100));
  }

  private constant(type: ValueType, bits: bigint): void {
    if (type === i32) this.emit(0x41, sleb(BigInt.asIntN(32, bits)));
    else if (type === i64) this.emit(0x42, sleb(BigInt.asIntN(64, bits)));
    else {
      const bytes = type === f32 ? 4 : 8;
      this.emit(type === f32 ? 0x43 : 0x44);
      for (let i = 0n; i < bytes; i++) this.emit(Number((bits >> (8n * i)) & 0xffn));
    }
  }

  // Expressions: code that leaves one value of the type.

  private expression(type: ValueType, depth: number): void {
    if ((type === f32 || type === f64) && this.choices.once(4)) {
      this.madeNan(type);
      return;
    }
    const kind = depth > MOST_DEPTH ? this.choices.next(2) : this.choices.next(26);
    switch (kind) {
      case 1:
      case 2:
        this.localGet(type);
        return;
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
      case 9:
        this.numeric(type, depth);
        return;
      case 10:
        this.globalGet(type);
        return;
      case 11:
      case 12:
        this.load(type, depth);
        return;
      case 13:
        this.tee(type, depth);
        return;
      case 14:
      case 15:
        this.block(0x02, type, depth);
        return;
      case 16:
        this.block(0x03, type, depth);
        return;
      case 17:
      case 18:
        this.ifElse(type, depth);
        return;
      case 19:
        this.expression(type, depth + 1);
        this.expression(type, depth + 1);
        this.expression(i32, depth + 1);
        this.emit(0x1b);
        return;
      case 20:
      case 21:
        this.callFor(type, depth);
        return;
      case 22:
        this.branchIfWith(type, depth);
        return;
      case 23:
        this.parametricBlock(type, depth);
        return;
      case 24:
        this.memorySize(type, depth);
        return;
      case 25:
        // What follows an unconditional branch has any type; one value is written to hold it.
        if (this.choices.once(3)) this.leave(depth);
        this.constant(type, 0n);
        return;
      default:
        this.constant(type, randomBits(type, this.choices));
        return;
    }
  }

  private pickLocal(type: ValueType, forWriting: boolean): number | undefined {
    const fitting = [...this.locals.keys()].filter(
      (i) => this.locals[i] === type && !(forWriting && this.counters.has(i)),
    );
    return fitting[this.choices.next(Math.max(1, fitting.length))];
  }

  private localGet(type: ValueType): void {
    const local = this.pickLocal(type, false);
    if (local === undefined) this.constant(type, randomBits(type, this.choices));
    else this.emit(0x20, leb(local));
  }

  private tee(type: ValueType, depth: number): void {
    this.expression(type, depth + 1);
    const local = this.pickLocal(type, true);
    if (local !== undefined) this.emit(0x22, leb(local));
  }

  private globalGet(type: ValueType): void {
    const fitting = [...this.around.globals.keys()].filter(
      (i) => this.around.globals[i]?.type === type,
    );
    const index = fitting[this.choices.next(Math.max(1, fitting.length))];
    if (index === undefined) this.localGet(type);
    else this.emit(0x23, leb(index));
  }

  private numeric(type: ValueType, depth: number): void {
    const operators = NUMERIC_BY_RESULT.get(type) ?? [];
    const operator = operators[this.choices.next(operators.length)];
    if (operator === undefined) {
      this.localGet(type);
      return;
    }
    for (const param of operator.signature?.params ?? []) this.expression(param, depth + 1);
    // Most divisors are odd, most truncations saturate: programs that trap early show little.
    if (/\.(div|rem)_/.test(operator.name) && !this.choices.once(4)) {
      this.constant(type, 1n);
      this.emit(type === i32 ? 0x72 : 0x84);
    }
    const saturating = OPERATORS.find(
      (one) => one?.name === operator.name.replace('.trunc_f', '.trunc_sat_f'),
    );
    this.operator(this.choices.once(4) ? operator : (saturating ?? operator));
  }

  /** Float arithmetic on any shapes, many of them NaNs that are not canonical. */
  private madeNan(type: ValueType): void {
    const arithmetic = (NUMERIC_BY_RESULT.get(type) ?? []).filter((one) => one.makesNan);
    const operator = arithmetic[this.choices.next(arithmetic.length)];
    if (operator === undefined) return;
    for (const param of operator.signature?.params ?? []) {
      this.constant(param, randomBits(param, this.choices));
    }
    this.operator(operator);
  }

  private address(depth: number): void {
    switch (this.choices.next(16)) {
      case 14:
        this.constant(i32, BigInt(65_520 + this.choices.next(32)));
        return;
      case 15:
        this.expression(i32, depth + 1);
        return;
      case 0:
      case 1:
      case 2:
      case 3:
        this.constant(i32, BigInt(this.choices.next(64)));
        return;
      default:
        this.expression(i32, depth + 1);
        this.constant(i32, 0xfffn);
        this.emit(0x71);
    }
  }

  private memoryArgument(operator: Operator): void {
    const alignment = this.choices.next((operator.naturalAlignment ?? 0) + 1);
    const offset = this.choices.pick([0, 0, 0, 1, 7, 4096] as const);
    const far = this.choices.pick([65_535, 0xffff_ffff, 0x8000_0000] as const);
    this.emit(leb(alignment), leb(this.choices.once(30) ? far : offset));
  }

  private load(type: ValueType, depth: number): void {
    const loads = LOADS_BY_RESULT.get(type) ?? [];
    const operator = loads[this.choices.next(loads.length)];
    if (!this.around.hasMemory || operator === undefined) {
      this.localGet(type);
      return;
    }
    this.address(depth);
    this.operator(operator);
    this.memoryArgument(operator);
  }

  private memorySize(type: ValueType, depth: number): void {
    if (!this.around.hasMemory || type !== i32) {
      this.localGet(type);
      return;
    }
    if (this.choices.once(2)) {
      this.emit(0x3f, 0);
      return;
    }
    const delta = this.choices.next(8);
    if (delta === 7) this.expression(i32, depth + 1);
    else this.constant(i32, delta === 6 ? randomBits(i32, this.choices) : BigInt(delta >> 1));
    this.emit(0x40, 0);
  }

  private blockType(params: readonly ValueType[], results: readonly ValueType[]): Uint8Array {
    const [result] = results;
    const isShort = params.length === 0 && results.length <= 1 && !this.choices.once(6);
    if (isShort) return Uint8Array.of(result ?? 0x40);
    return sleb(typeIndex(this.around.types, { params, results }));
  }

  private inside(carries: readonly ValueType[], write: () => void): void {
    this.labels.push({ carries });
    write();
    this.labels.pop();
    this.emit(0x0b);
  }

  private block(op: 0x02 | 0x03, type: ValueType, depth: number): void {
    this.emit(op, this.blockType([], [type]));
    this.inside(op === 0x03 ? [] : [type], () => {
      this.statements(depth + 1);
      this.expression(type, depth + 1);
    });
  }

  private ifElse(type: ValueType, depth: number): void {
    this.expression(i32, depth + 1);
    this.emit(0x04, this.blockType([], [type]));
    this.inside([type], () => {
      this.statements(depth + 1);
      this.expression(type, depth + 1);
      this.emit(0x05);
      this.statements(depth + 1);
      this.expression(type, depth + 1);
    });
  }

  /** A block that takes operands from outside and gives the value and some more. */
  private parametricBlock(type: ValueType, depth: number): void {
    const params = this.choices.several(3, () => this.choices.pick(VALUE_TYPES));
    const more = this.choices.several(2, () => this.choices.pick(VALUE_TYPES));
    const results = [type, ...more];
    for (const param of params) this.expression(param, depth + 1);
    const op = this.choices.pick([0x02, 0x03, 0x04] as const);
    if (op === 0x04) this.expression(i32, depth + 1);
    this.emit(op, this.blockType(params, results));
    const branch = (): void => {
      for (const param of params.toReversed()) this.store1(param);
      this.statements(depth + 1);
      for (const result of results) this.expression(result, depth + 1);
    };
    this.inside(op === 0x03 ? params : results, () => {
      branch();
      if (op !== 0x04) return;
      this.emit(0x05);
      branch();
    });
    for (const _ of more) this.emit(0x1a);
  }

  /** Takes the operand on top away, into a local where one fits. */
  private store1(type: ValueType): void {
    const local = this.pickLocal(type, true);
    if (local === undefined) this.emit(0x1a);
    else this.emit(0x21, leb(local));
  }

  /** A call of any function whose first result has the type; further results are dropped. */
  private callFor(type: ValueType, depth: number): void {
    const { functions } = this.around;
    const fitting = [...functions.keys()].filter((i) => functions[i]?.results[0] === type);
    const index = fitting[this.choices.next(Math.max(1, fitting.length))];
    const callee = functions[index ?? -1];
    if (index === undefined || callee === undefined) {
      this.localGet(type);
      return;
    }
    this.call(index, callee, depth);
    for (const _ of callee.results.slice(1)) this.emit(0x1a);
  }

  private call(index: number, callee: FuncType, depth: number): void {
    for (const param of callee.params) this.expression(param, depth + 1);
    const { table } = this.around;
    if (table === undefined || !this.choices.once(3)) {
      this.emit(0x10, leb(index));
      return;
    }
    const slot = table.indexOf(index);
    const kind = this.choices.next(8);
    if (kind === 7) this.expression(i32, depth + 1);
    else this.constant(i32, BigInt(kind === 6 || slot < 0 ? this.choices.next(10) : slot));
    // The table's index, now and then in more bytes than it needs.
    const zero = leb(0, this.choices.once(4) ? 5 : 1);
    this.emit(0x11, leb(typeIndex(this.around.types, callee)), zero);
  }

  private pickLabel(fits: (label: Label) => boolean): number | undefined {
    const fitting = [...this.labels.keys()].filter((i) => {
      const label = this.labels[i];
      return label !== undefined && fits(label);
    });
    const index = fitting[this.choices.next(Math.max(1, fitting.length))];
    return index === undefined ? undefined : this.labels.length - 1 - index;
  }

  private carried(labelDepth: number): readonly ValueType[] {
    return this.labels.at(-1 - labelDepth)?.carries ?? [];
  }

  /** A value that leaves the block when a condition holds and stays when not. */
  private branchIfWith(type: ValueType, depth: number): void {
    const label = this.pickLabel(({ carries }) => carries.length === 1 && carries[0] === type);
    this.expression(type, depth + 1);
    if (label === undefined) return;
    this.expression(i32, depth + 1);
    this.emit(0x0d, leb(label));
  }

  // Statements: code that leaves the operands as they were.

  private statements(depth: number): void {
    for (let i = 0; i < 6 && this.statement(depth); i++);
  }

  /** @returns whether another may follow */
  private statement(depth: number): boolean {
    const kind = depth > MOST_DEPTH ? this.choices.next(4) : this.choices.next(22);
    const { choices } = this;
    switch (kind) {
      case 1:
      case 2: {
        const type = choices.pick(VALUE_TYPES);
        this.expression(type, depth + 1);
        this.store1(type);
        return true;
      }
      case 3:
      case 4:
        this.globalSet(depth);
        return true;
      case 5:
      case 6:
      case 7:
        this.store(depth);
        return true;
      case 8:
        this.expression(choices.pick(VALUE_TYPES), depth + 1);
        this.emit(0x1a);
        return true;
      case 9:
        this.expression(i32, depth + 1);
        this.emit(0x04, this.blockType([], []));
        this.inside([], () => {
          this.statements(depth + 1);
          if (!choices.once(2)) return;
          this.emit(0x05);
          this.statements(depth + 1);
        });
        return true;
      case 10:
        this.emit(0x02, this.blockType([], []));
        this.inside([], () => this.statements(depth + 1));
        return true;
      case 11:
      case 12:
        this.countedLoop(depth);
        return true;
      case 13:
        this.openLoop(depth);
        return true;
      case 14:
      case 15:
        this.branchIf(depth);
        return true;
      case 16:
        this.callStatement(depth);
        return true;
      case 17:
      case 18:
        this.bulk(depth);
        return true;
      case 19: {
        // NaNs come of these alone, and only where their bits can be seen again do they matter.
        const type = choices.pick([f32, f64] as const);
        this.numeric(type, depth + 1);
        this.store1(type);
        if (choices.once(4)) this.emit(0x01);
        return true;
      }
      case 20:
        this.expression(i32, depth + 1);
        this.emit(0x04, 0x40);
        this.inside([], () => this.leave(depth + 1));
        return true;
      case 21:
        if (choices.once(8)) this.leave(depth);
        return true;
      default:
        return false;
    }
  }

  private globalSet(depth: number): void {
    const { globals } = this.around;
    const fitting = [...globals.keys()].filter((i) => globals[i]?.isMutable === true);
    const index = fitting[this.choices.next(Math.max(1, fitting.length))];
    const type = globals[index ?? -1]?.type;
    if (index === undefined || type === undefined) return;
    this.expression(type, depth + 1);
    this.emit(0x24, leb(index));
  }

  private store(depth: number): void {
    const operator = STORES[this.choices.next(STORES.length)];
    const type = operator?.signature?.params[1];
    if (!this.around.hasMemory || operator === undefined || type === undefined) return;
    this.address(depth);
    this.expression(type, depth + 1);
    this.operator(operator);
    this.memoryArgument(operator);
  }

  private countedLoop(depth: number): void {
    const counter = this.locals.push(i32) - 1;
    this.counters.add(counter);
    this.constant(i32, BigInt(1 + this.choices.next(12)));
    this.emit(0x21, leb(counter), 0x03, this.blockType([], []));
    this.inside([], () => {
      this.statements(depth + 1);
      this.emit(0x20, leb(counter), 0x41, 1, 0x6b, 0x22, leb(counter), 0x0d, 0);
    });
  }

  private openLoop(depth: number): void {
    this.emit(0x03, this.blockType([], []));
    this.inside([], () => {
      this.statements(depth + 1);
      if (this.choices.once(3)) {
        this.emit(0x0c, 0);
        return;
      }
      this.expression(i32, depth + 1);
      this.emit(0x0d, 0);
    });
  }

  private branchIf(depth: number): void {
    const label = this.pickLabel(() => true) ?? 0;
    for (const type of this.carried(label)) this.expression(type, depth + 1);
    this.expression(i32, depth + 1);
    this.emit(0x0d, leb(label));
    for (const _ of this.carried(label)) this.emit(0x1a);
  }

  private callStatement(depth: number): void {
    const { functions } = this.around;
    const index = this.choices.next(functions.length);
    const callee = functions[index];
    if (callee === undefined) return;
    this.call(index, callee, depth);
    for (const _ of callee.results) this.emit(0x1a);
  }

  private bulk(depth: number): void {
    if (!this.around.hasMemory) return;
    const kind = this.choices.next(4);
    const segment = this.choices.next(Math.max(1, this.around.dataSegments));
    if (kind >= 2 && this.around.dataSegments === 0) return;
    if (kind === 3) {
      this.emit(0xfc, 9, leb(segment));
      return;
    }
    this.address(depth);
    if (kind === 2) this.constant(i32, BigInt(this.choices.next(12)));
    else this.address(depth);
    if (this.choices.once(12)) this.expression(i32, depth + 1);
    else this.constant(i32, BigInt(this.choices.next(kind === 2 ? 9 : 40)));
    if (kind === 0) this.emit(0xfc, 10, 0, 0);
    else if (kind === 1) this.emit(0xfc, 11, 0);
    else this.emit(0xfc, 8, leb(segment), 0);
  }

  /** Ends the flow of control: branch, table of branches, return or unreachable. */
  private leave(depth: number): void {
    const kind = this.choices.next(4);
    if (kind === 3) {
      this.emit(0x00);
      return;
    }
    if (kind === 2) {
      for (const type of this.type.results) this.expression(type, depth + 1);
      this.emit(0x0f);
      return;
    }
    const label = this.pickLabel(() => true) ?? 0;
    const carries = this.carried(label);
    for (const type of carries) this.expression(type, depth + 1);
    if (kind === 0) {
      this.emit(0x0c, leb(label));
      return;
    }
    const same = carries.join();
    const others = this.choices.several(
      4,
      () => this.pickLabel((one) => one.carries.join() === same) ?? label,
    );
    this.expression(i32, depth + 1);
    this.emit(0x0e, leb(others.length), ...others.map((one) => leb(one)), leb(label));
  }
}
