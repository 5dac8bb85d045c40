/**
 * Function bodies: core specification §3.3 by the algorithm of appendix A.3, with the binary form
 * (§5.4) read in the same pass. Nothing recurses and no operator makes an object; the stacks are
 * kept from one function to the next.
 *
 * It trusts what decodeModule and validateDefinitions have checked: sizes, type indices of
 * functions, and where bodies begin and end.
 */
import { ModuleReader } from '../decode/reader.ts';
import { featureError, indexError, limitError, wasmError } from '../error.ts';
import { FEATURE, refusedOperator } from '../features.ts';
import { LIMITS } from '../limits.ts';
import {
  type FuncType,
  type FunctionBody,
  typeIndexOf,
  VALUE_TYPE,
  type ValueType,
  type WasmModule,
} from '../module.ts';
import {
  FIRST_OPERAND,
  HAS_SIGNATURE,
  IMMEDIATE,
  IMMEDIATE_KIND,
  MAKES_NAN,
  OP,
  PREFIX,
  PREFIXED,
  RESULT,
  SECOND_OPERAND,
  THIRD_OPERAND,
} from '../operators.ts';
import { BlockStack } from './block-stack.ts';
import { readBlockType } from './block-type.ts';
import { readImmediate } from './immediates.ts';
import { OperandStack, UNKNOWN } from './operand-stack.ts';

const { i32 } = VALUE_TYPE;

const NONE: readonly ValueType[] = [];
/** Compile work of an operand that a call passes or hands back. */
const CALL_OPERAND_WORK = 16;
/** Locals and operands passed over where code calls out, against one looked at in a split. */
const STATE_PER_CALL_WORK = 16;

export class FunctionValidator {
  readonly #module: WasmModule;
  /** By function index, imports first. */
  readonly #functionTypes: readonly (FuncType | undefined)[];
  readonly #operands = new OperandStack();
  readonly #blocks = new BlockStack();
  readonly #localTypes = new Uint8Array(LIMITS.locals);
  #localCount = 0;
  /** Which br_table last looked at a label, by its depth from the innermost block. */
  readonly #seenLabels = new Uint32Array(LIMITS.blockDepth);
  #labelTables = 0;
  /** Of the module so far, see `LIMITS.compileWork`. */
  #compileWork = 0;
  #reader: ModuleReader;
  /** Where the current operator starts. */
  #at = 0;

  constructor(module: WasmModule) {
    this.#module = module;
    const count = module.imports.length + module.functions.length;
    this.#functionTypes = Array.from(
      { length: count },
      (_, i) => module.types[typeIndexOf(module, i) ?? -1],
    );
    this.#reader = new ModuleReader(module.bytes, 0, 0, 'function body');
  }

  /** Validates one body and returns the greatest number of operands on its stack. */
  validate(body: FunctionBody): number {
    const type = this.#typeAt(body.typeIndex, body.declaration.start);
    this.#setLocals(type, body);
    const { start, end } = body.code;
    this.#reader = new ModuleReader(this.#module.bytes, start, end, 'function body');
    this.#operands.clear();
    this.#blocks.clear();
    this.#blocks.open(OP.block, NONE, type.results, 0, start);
    this.#operators();
    if (this.#reader.remaining > 0) {
      throw wasmError(
        'wasm.body-length',
        this.#reader.at,
        `${this.#reader.remaining} bytes follow the end of a function`,
        { remaining: this.#reader.remaining },
      );
    }
    return this.#operands.highest;
  }

  #setLocals(type: FuncType, body: FunctionBody): void {
    this.#localTypes.set(type.params);
    let count = type.params.length;
    for (const group of body.locals) {
      this.#localTypes.fill(group.type, count, count + group.count);
      count += group.count;
    }
    this.#localCount = count;
    this.#addCompileWork(count, body.declaration.start);
  }

  /** Reads operators to the end of the function. */
  #operators(): void {
    const reader = this.#reader;
    const operands = this.#operands;
    while (this.#blocks.depth > 0) {
      const at = reader.at;
      this.#at = at;
      let code = reader.u8();
      if (code === PREFIX) code = PREFIXED + reader.u32();
      if (HAS_SIGNATURE[code] !== 1) {
        if (code >= OP.block && code <= OP.return) this.#splitOrJoin();
        this.#structured(code);
        continue;
      }
      const immediate = IMMEDIATE_KIND[code] ?? 0;
      if (immediate !== IMMEDIATE.none) this.#immediate(immediate, code);
      const first = FIRST_OPERAND[code] ?? 0;
      if (first !== 0) {
        operands.pop(first, at);
        const second = SECOND_OPERAND[code] ?? 0;
        if (second !== 0) {
          operands.pop(second, at);
          const third = THIRD_OPERAND[code] ?? 0;
          if (third !== 0) operands.pop(third, at);
        }
      }
      const result = RESULT[code] ?? 0;
      if (result !== 0) operands.push(result, at);
      // Metering looks whether it is a NaN, and splits for that.
      if (MAKES_NAN[code] === 1) this.#splitOrJoin();
    }
  }

  #immediate(kind: number, code: number): void {
    const isBulk =
      kind === IMMEDIATE.memory ||
      kind === IMMEDIATE.twoMemories ||
      kind === IMMEDIATE.dataAndMemory;
    if (isBulk) this.#leaveCode();
    readImmediate(this.#reader, this.#module, kind, code);
  }

  /** Operators whose operands depend on the module, the function or the stack. */
  #structured(code: number): void {
    switch (code) {
      case OP.localGet:
        this.#operands.push(this.#localType(), this.#at);
        break;
      case OP.localSet:
        this.#operands.pop(this.#localType(), this.#at);
        break;
      case OP.localTee: {
        const type = this.#localType();
        this.#operands.pop(type, this.#at);
        this.#operands.push(type, this.#at);
        break;
      }
      case OP.globalGet:
        this.#globalGet();
        break;
      case OP.globalSet:
        this.#globalSet();
        break;
      case OP.drop:
        this.#operands.popAny(this.#at);
        break;
      case OP.select:
        this.#select();
        break;
      case OP.call:
        this.#call(this.#calledFunction());
        break;
      case OP.callIndirect:
        this.#callIndirect();
        break;
      case OP.block:
      case OP.loop:
      case OP.if:
        this.#openBlock(code);
        break;
      case OP.else:
        this.#else();
        break;
      case OP.end:
        this.#end();
        break;
      case OP.br:
        this.#operands.popAll(this.#labelTypes(this.#label()), this.#at);
        this.#becomePolymorphic();
        break;
      case OP.brIf:
        this.#brIf();
        break;
      case OP.brTable:
        this.#brTable();
        break;
      case OP.return:
        this.#operands.popAll(this.#blocks.resultsAt(this.#blocks.depth - 1), this.#at);
        this.#becomePolymorphic();
        break;
      case OP.unreachable:
        this.#becomePolymorphic();
        break;
      default:
        throw refusedOperator(code, this.#at);
    }
  }

  // Blocks

  #openBlock(operator: number): void {
    const at = this.#at;
    const { params, results } = readBlockType(this.#reader, this.#module);
    if (operator === OP.if) this.#operands.pop(i32, at);
    this.#operands.popAll(params, at);
    this.#open(operator, params, results);
  }

  #open(operator: number, params: readonly ValueType[], results: readonly ValueType[]): void {
    const base = this.#operands.height;
    this.#blocks.open(operator, params, results, base, this.#at);
    this.#operands.enterBlock(base, false);
    this.#operands.pushAll(params, this.#at);
  }

  #else(): void {
    const blocks = this.#blocks;
    if (blocks.operatorAt(0) !== OP.if) {
      throw wasmError('wasm.form', this.#at, 'an else belongs to no if');
    }
    const params = blocks.paramsAt(0);
    const results = blocks.resultsAt(0);
    this.#close(results);
    this.#open(OP.else, params, results);
  }

  #end(): void {
    const blocks = this.#blocks;
    const results = blocks.resultsAt(0);
    if (blocks.operatorAt(0) === OP.if && !sameTypes(blocks.paramsAt(0), results)) {
      throw wasmError('wasm.type', this.#at, 'an if without else must give back what it takes');
    }
    this.#close(results);
    if (blocks.depth > 0) this.#operands.pushAll(results, this.#at);
  }

  /** Takes the innermost block's results and leaves it. */
  #close(results: readonly ValueType[]): void {
    this.#operands.popAll(results, this.#at);
    this.#operands.expectBase(this.#at);
    this.#blocks.close();
    this.#operands.enterBlock(this.#blocks.baseAt(0), this.#blocks.isPolymorphic);
  }

  #becomePolymorphic(): void {
    this.#operands.becomePolymorphic();
    this.#blocks.becomePolymorphic();
  }

  // Branches

  /** A label's depth from the innermost block. */
  #label(): number {
    const at = this.#reader.at;
    const label = this.#reader.u32();
    if (label >= this.#blocks.depth) {
      throw wasmError(
        'wasm.label',
        at,
        `a branch to depth ${label} where ${this.#blocks.depth} blocks are open`,
        { label, open: this.#blocks.depth },
      );
    }
    return label;
  }

  /** What a branch to a label takes along: a loop's parameters, another block's results. */
  #labelTypes(label: number): readonly ValueType[] {
    return this.#blocks.operatorAt(label) === OP.loop
      ? this.#blocks.paramsAt(label)
      : this.#blocks.resultsAt(label);
  }

  #brIf(): void {
    const types = this.#labelTypes(this.#label());
    this.#operands.pop(i32, this.#at);
    this.#operands.popAll(types, this.#at);
    this.#operands.pushAll(types, this.#at);
  }

  /** Each distinct label is held against the stack once, however often the table names it. */
  #brTable(): void {
    const at = this.#at;
    const labels = this.#reader.count('tableLabels', 1) + 1;
    if (labels > LIMITS.tableLabels) {
      throw limitError('tableLabels', labels, LIMITS.tableLabels, at);
    }
    this.#operands.pop(i32, at);
    this.#labelTables++;
    let arity = -1;
    for (let i = 0; i < labels; i++) {
      const label = this.#label();
      if (this.#seenLabels[label] === this.#labelTables) continue;
      this.#seenLabels[label] = this.#labelTables;
      this.#splitOrJoin();
      const types = this.#labelTypes(label);
      if (arity >= 0 && types.length !== arity) {
        throw wasmError(
          'wasm.type',
          at,
          `a br_table has labels of ${arity} and of ${types.length} operands`,
          { label },
        );
      }
      arity = types.length;
      this.#operands.peekAll(types, at);
    }
    this.#becomePolymorphic();
  }

  // Calls

  #calledFunction(): FuncType {
    const at = this.#reader.at;
    const index = this.#reader.u32();
    const type = this.#functionTypes[index];
    if (type === undefined) {
      throw indexError('function', index, this.#functionTypes.length, at);
    }
    return type;
  }

  #callIndirect(): void {
    const at = this.#reader.at;
    const type = this.#typeAt(this.#reader.u32(), at);
    const tableAt = this.#reader.at;
    const table = this.#reader.u32();
    if (table !== 0) {
      throw featureError(FEATURE.multipleTables, tableAt, `call_indirect of table ${table}`);
    }
    if (this.#module.table === undefined) {
      throw wasmError('wasm.index', tableAt, 'call_indirect in a module that has no table');
    }
    this.#operands.pop(i32, this.#at);
    this.#call(type);
  }

  /** Where control splits or joins, engines look at every local and operand. */
  #splitOrJoin(): void {
    this.#addCompileWork(this.#localCount + this.#operands.height, this.#at);
  }

  /** Where code calls out, engines pass over every local and operand, which takes far less. */
  #leaveCode(): void {
    const state = this.#localCount + this.#operands.height;
    this.#addCompileWork(Math.floor(state / STATE_PER_CALL_WORK), this.#at);
  }

  #addCompileWork(amount: number, at: number): void {
    this.#compileWork += amount;
    if (this.#compileWork > LIMITS.compileWork) {
      throw limitError('compileWork', this.#compileWork, LIMITS.compileWork, at);
    }
  }

  #call(type: FuncType): void {
    const moved = type.params.length + type.results.length;
    this.#addCompileWork(CALL_OPERAND_WORK * moved, this.#at);
    this.#leaveCode();
    this.#operands.popAll(type.params, this.#at);
    this.#operands.pushAll(type.results, this.#at);
  }

  // Operands and variables

  /** Without a type: two operands of one type, whatever it is. */
  #select(): void {
    const at = this.#at;
    this.#operands.pop(i32, at);
    const second = this.#operands.popAny(at);
    const first = this.#operands.popAny(at);
    if (first !== second && first !== UNKNOWN && second !== UNKNOWN) {
      throw wasmError('wasm.type', at, 'select chooses between operands of different types');
    }
    this.#operands.push(first === UNKNOWN ? second : first, at);
  }

  #localType(): number {
    const at = this.#reader.at;
    const index = this.#reader.u32();
    if (index >= this.#localCount) throw indexError('local', index, this.#localCount, at);
    return this.#localTypes[index] ?? UNKNOWN;
  }

  #globalGet(): void {
    const at = this.#reader.at;
    const index = this.#reader.u32();
    const global = this.#module.globals[index];
    if (global === undefined) {
      throw indexError('global', index, this.#module.globals.length, at);
    }
    this.#operands.push(global.type, this.#at);
  }

  #globalSet(): void {
    const at = this.#reader.at;
    const index = this.#reader.u32();
    const global = this.#module.globals[index];
    if (global === undefined) {
      throw indexError('global', index, this.#module.globals.length, at);
    }
    if (!global.isMutable) {
      throw wasmError('wasm.immutable', at, `global ${index} cannot be set`, { index });
    }
    this.#operands.pop(global.type, this.#at);
  }

  #typeAt(index: number, at: number): FuncType {
    const type = this.#module.types[index];
    if (type === undefined) throw indexError('type', index, this.#module.types.length, at);
    return type;
  }
}

function sameTypes(a: readonly ValueType[], b: readonly ValueType[]): boolean {
  return a === b || (a.length === b.length && a.every((type, i) => type === b[i]));
}
