/**
 * A reference interpreter of the accepted language over a decoded, valid module, for tests: what a
 * metered run must return, leave in memory and cost. It follows the specification's execution
 * chapter and the chain's rules for gas and stack word for word and takes no short cut, so that it
 * can be believed by reading; speed is no aim. Every value is its bits (interpreter-operators.ts).
 */
import { LIMITS } from '../limits.ts';
import type { WasmModule } from '../module.ts';
import { typeIndexOf } from '../module.ts';
import { type Branch, type Code, type Instruction, readCode } from './interpreter-code.ts';
import { type Bits, CANONICAL_NAN_32, CANONICAL_NAN_64, NUMERIC } from './interpreter-operators.ts';
import { Trap } from './interpreter-trap.ts';

export { Trap, type TrapReason } from './interpreter-trap.ts';
export type { Bits };

const PAGE = 65_536;
const GAS_PER_PAGE = 1_000n;
const BYTES_PER_GAS = 16n;
/** Slots that a frame costs besides its params, locals, operands and code. */
const FRAME_SLOTS = 8;
/** A slot more for each begun run of so many bytes of code. */
const CODE_BYTES_PER_SLOT = 16;

/** An imported function: the bits of its arguments in, of its results out. */
export type HostFunction = (args: readonly Bits[], machine: Interpreter) => readonly Bits[];

export interface InterpreterOptions {
  readonly fuel: bigint;
  /** Slots of 8 bytes. */
  readonly stackSlots: number;
  /** One for each import, in the module's order. */
  readonly hosts?: readonly HostFunction[];
}

/** What has to be paid before the module is instantiated. */
export function instantiationGas({ memory, data, elements, ...module }: WasmModule): bigint {
  const above = (count: number, free: number, each: number): bigint =>
    BigInt(Math.max(0, count - free) * each);
  const active = data.filter((segment) => segment.offset !== undefined);
  const bytes = active.reduce((sum, segment) => sum + segment.bytes.end - segment.bytes.start, 0);
  const functions = elements.reduce((sum, segment) => sum + segment.functions.length, 0);
  return (
    above(memory?.min ?? 0, 32, 1_000) +
    perSixteen(BigInt(bytes)) +
    BigInt(functions) +
    above(module.exports.length, 64, 200) +
    above(module.globals.length, 256, 60) +
    above(module.table?.min ?? 0, 1_024, 8) +
    above(elements.length + active.length, 64, 20) +
    above(module.types.length, 256, 40) +
    above(module.functions.length, 2_048, 30)
  );
}

const perSixteen = (length: bigint): bigint => (length + BYTES_PER_GAS - 1n) / BYTES_PER_GAS;

export class Interpreter {
  readonly module: WasmModule;
  /** All of the memory; replaced when it grows. */
  memory: Uint8Array;
  readonly globals: Bits[];
  readonly table: (number | undefined)[];
  fuel: bigint;
  stackSlots: number;
  /** Operators that made a NaN so far, whose bits a raw run would leave to the engine. */
  nansMade = 0;
  private readonly hosts: readonly HostFunction[];
  private readonly data: Uint8Array[];
  private readonly maxPages: number;
  private readonly codes = new Map<number, Code>();

  /** Instantiates: a segment out of range is a {@link Trap}. The start function is not run. */
  constructor(module: WasmModule, options: InterpreterOptions) {
    this.module = module;
    this.fuel = options.fuel;
    this.stackSlots = options.stackSlots;
    this.hosts = options.hosts ?? [];
    this.maxPages = Math.min(module.memory?.max ?? LIMITS.memoryPages, LIMITS.memoryPages);
    this.memory = new Uint8Array((module.memory?.min ?? 0) * PAGE);
    this.table = Array.from({ length: module.table?.min ?? 0 }, () => undefined);
    this.globals = [];
    for (const { init } of module.globals) this.globals.push(init.value);
    for (const segment of module.elements) {
      const offset = Number(segment.offset.value);
      if (offset + segment.functions.length > this.table.length) {
        throw new Trap('table-out-of-bounds');
      }
      for (const [i, index] of segment.functions.entries()) this.table[offset + i] = index;
    }
    this.data = module.data.map(({ bytes }) => module.bytes.subarray(bytes.start, bytes.end));
    for (const [i, segment] of module.data.entries()) {
      if (segment.offset === undefined) continue;
      const bytes = this.data[i] ?? new Uint8Array();
      const offset = Number(segment.offset.value);
      this.checkRange(offset, bytes.length, this.memory.length);
      this.memory.set(bytes, offset);
      this.data[i] = new Uint8Array();
    }
  }

  /** Runs a function with the bits of its arguments. @returns the bits of its results */
  call(functionIndex: number, args: readonly Bits[]): readonly Bits[] {
    const host = this.hosts[functionIndex];
    if (functionIndex < this.module.imports.length) {
      if (host === undefined) throw new Error(`import ${functionIndex} has no host function`);
      return host(args, this);
    }
    const code = this.codeOf(functionIndex);
    const frame = frameSlots(code);
    this.stackSlots -= frame;
    if (this.stackSlots < 0) throw new Trap('stack-exhausted');
    const locals = [...args, ...Array.from({ length: code.localCount }, () => 0n)];
    const results = this.run(code, locals);
    this.stackSlots += frame;
    return results;
  }

  /** Runs an exported function by its name. */
  callExport(name: string, args: readonly Bits[]): readonly Bits[] {
    const found = this.module.exports.find((e) => e.kind === 'function' && e.name === name);
    if (found === undefined) throw new Error(`the module exports no function ${name}`);
    return this.call(found.index, args);
  }

  /** Takes gas; short of it, everything is used and the run is over. */
  charge(gas: bigint): void {
    this.fuel -= gas;
    if (this.fuel < 0n) {
      this.fuel = 0n;
      throw new Trap('out-of-gas');
    }
  }

  private codeOf(functionIndex: number): Code {
    const known = this.codes.get(functionIndex);
    if (known !== undefined) return known;
    const code = readCode(this.module, functionIndex);
    this.codes.set(functionIndex, code);
    return code;
  }

  private run(code: Code, locals: Bits[]): readonly Bits[] {
    const stack: Bits[] = [];
    for (let at = 0; at < code.instructions.length; ) {
      const instruction = code.instructions[at];
      if (instruction === undefined) throw new Error(`no operator ${at}`);
      if (instruction.charge > 0) this.charge(BigInt(instruction.charge));
      const branch = this.step(instruction, stack, locals);
      if (branch === undefined) at++;
      else {
        at = branch.target;
        if (branch.height >= 0)
          stack.splice(branch.height, stack.length - branch.height - branch.keep);
      }
    }
    const results = code.type.results.length;
    return results === 0 ? [] : stack.slice(-results);
  }

  /** @returns the branch that is taken; undefined to go on with the next operator */
  private step(instruction: Instruction, stack: Bits[], locals: Bits[]): Branch | undefined {
    const { op, index } = instruction;
    const numeric = NUMERIC.get(op);
    if (numeric !== undefined) {
      const b = numeric.operands === 2 ? pop(stack) : 0n;
      const result = numeric.apply(pop(stack), b);
      if (numeric.canonical && (result === CANONICAL_NAN_32 || result === CANONICAL_NAN_64)) {
        this.nansMade++;
      }
      stack.push(result);
      return undefined;
    }
    if (op >= 0x28 && op <= 0x3e) {
      this.access(op, index, stack);
      return undefined;
    }
    switch (op) {
      case 0x00: // unreachable
        throw new Trap('unreachable');
      case 0x01: // nop
      case 0x02: // block
      case 0x03: // loop
      case 0x0b: // end
        return undefined;
      case 0x04: // if
        return pop(stack) === 0n ? instruction.branches[0] : undefined;
      case 0x05: // else
      case 0x0c: // br
      case 0x0f: // return
        return instruction.branches[0];
      case 0x0d: // br_if
        return pop(stack) === 0n ? undefined : instruction.branches[0];
      case 0x0e: // br_table
        return instruction.branches[Number(pop(stack))] ?? instruction.branches.at(-1);
      case 0x10: // call
        this.enter(index, stack);
        return undefined;
      case 0x11: // call_indirect
        this.enter(this.element(Number(pop(stack)), index), stack);
        return undefined;
      case 0x1a: // drop
        pop(stack);
        return undefined;
      case 0x1b: {
        // select
        const condition = pop(stack);
        const second = pop(stack);
        const first = pop(stack);
        stack.push(condition === 0n ? second : first);
        return undefined;
      }
      case 0x20: // local.get
        stack.push(locals[index] ?? missing(`local ${index}`));
        return undefined;
      case 0x21: // local.set
        locals[index] = pop(stack);
        return undefined;
      case 0x22: // local.tee
        locals[index] = stack.at(-1) ?? missing('operand');
        return undefined;
      case 0x23: // global.get
        stack.push(this.globals[index] ?? missing(`global ${index}`));
        return undefined;
      case 0x24: // global.set
        this.globals[index] = pop(stack);
        return undefined;
      case 0x3f: // memory.size
        stack.push(BigInt(this.memory.length / PAGE));
        return undefined;
      case 0x40: // memory.grow
        stack.push(this.grow(pop(stack)));
        return undefined;
      case 0x41: // the four constants
      case 0x42:
      case 0x43:
      case 0x44:
        stack.push(instruction.bits);
        return undefined;
      case 0xfc09: // data.drop
        this.data[index] = new Uint8Array();
        return undefined;
      case 0xfc08: // memory.init
      case 0xfc0a: // memory.copy
      case 0xfc0b: // memory.fill
        this.bulk(op, index, stack);
        return undefined;
      default:
        throw new Error(`operator 0x${op.toString(16)} is not in the accepted language`);
    }
  }

  private enter(functionIndex: number, stack: Bits[]): void {
    const type = this.module.types[typeIndexOf(this.module, functionIndex) ?? -1];
    if (type === undefined) throw new Error(`no function ${functionIndex}`);
    const args = stack.splice(stack.length - type.params.length);
    stack.push(...this.call(functionIndex, args));
  }

  /** The function that a call_indirect of the type calls. */
  private element(slot: number, typeIndex: number): number {
    if (slot >= this.table.length) throw new Trap('table-out-of-bounds');
    const found = this.table[slot];
    if (found === undefined) throw new Trap('null-element');
    const wanted = this.module.types[typeIndex];
    const type = this.module.types[typeIndexOf(this.module, found) ?? -1];
    if (JSON.stringify(wanted) !== JSON.stringify(type)) throw new Trap('indirect-call-type');
    return found;
  }

  private grow(delta: bigint): Bits {
    const pages = this.memory.length / PAGE;
    if (BigInt(pages) + delta > BigInt(this.maxPages)) return 0xffff_ffffn;
    this.charge(GAS_PER_PAGE * delta);
    if (delta > 0n) {
      const grown = new Uint8Array((pages + Number(delta)) * PAGE);
      grown.set(this.memory);
      this.memory = grown;
    }
    return BigInt(pages);
  }

  private access(op: number, offset: number, stack: Bits[]): void {
    const { bytes, width, signed } = ACCESSES[op - 0x28] ?? missing('load or store');
    const value = op >= 0x36 ? pop(stack) : undefined;
    const address = Number(pop(stack)) + offset;
    this.checkRange(address, bytes, this.memory.length);
    if (value !== undefined) {
      for (let i = 0; i < bytes; i++) {
        this.memory[address + i] = Number((value >> BigInt(8 * i)) & 0xffn);
      }
      return;
    }
    let loaded = 0n;
    for (let i = bytes - 1; i >= 0; i--) {
      loaded = (loaded << 8n) | BigInt(this.memory[address + i] ?? 0);
    }
    stack.push(signed ? BigInt.asUintN(width, BigInt.asIntN(8 * bytes, loaded)) : loaded);
  }

  private bulk(op: number, index: number, stack: Bits[]): void {
    const length = pop(stack);
    const second = pop(stack);
    const target = Number(pop(stack));
    this.charge(perSixteen(length));
    const count = Number(length);
    if (op === 0xfc0b) {
      this.checkRange(target, count, this.memory.length);
      this.memory.fill(Number(second & 0xffn), target, target + count);
      return;
    }
    const source = Number(second);
    const from = op === 0xfc0a ? this.memory : (this.data[index] ?? missing(`data ${index}`));
    this.checkRange(source, count, from.length);
    this.checkRange(target, count, this.memory.length);
    this.memory.set(from.slice(source, source + count), target);
  }

  private checkRange(start: number, length: number, bound: number): void {
    if (start + length > bound) throw new Trap('memory-out-of-bounds');
  }
}

/** Slots that a call of the function takes from the stack's budget. */
export function frameSlots(code: Code): number {
  const { type, localCount, maxOperandHeight, byteLength } = code;
  const values = type.params.length + localCount + maxOperandHeight;
  return values + Math.ceil(byteLength / CODE_BYTES_PER_SLOT) + FRAME_SLOTS;
}

/** Loads from 0x28, stores from 0x36 on. */
const ACCESSES: readonly { bytes: number; width: number; signed: boolean }[] = (
  'i32.4 i64.8 f32.4 f64.8 i32.1s i32.1 i32.2s i32.2 i64.1s i64.1 i64.2s i64.2 i64.4s i64.4 ' +
  'i32.4 i64.8 f32.4 f64.8 i32.1 i32.2 i64.1 i64.2 i64.4'
)
  .split(' ')
  .map((text) => ({
    bytes: Number(text[4]),
    width: Number(text.slice(1, 3)),
    signed: text.endsWith('s'),
  }));

function pop(stack: Bits[]): Bits {
  return stack.pop() ?? missing('operand');
}

function missing(what: string): never {
  throw new Error(`a valid module has this: ${what}`);
}
