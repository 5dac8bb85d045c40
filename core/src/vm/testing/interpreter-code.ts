/**
 * A function body as the reference interpreter runs it: one entry an operator, branches resolved to
 * the entry they go to, and at the first operator of every basic block what the block costs. Gas
 * and operand height follow the chain's rules as written, counted here from the code alone; the
 * rewriter's and the validator's numbers are checked against these.
 */
import type { FuncType, WasmModule } from '../module.ts';
import { typeIndexOf } from '../module.ts';
import { type Bits, NUMERIC } from './interpreter-operators.ts';

/** Where a branch goes, and which operands it takes along. */
export interface Branch {
  /** Index of the next operator; the number of operators when the function returns. */
  readonly target: number;
  /** Operands carried, from the top. */
  readonly keep: number;
  /** Operands that stay beneath them. */
  readonly height: number;
}

export interface Instruction {
  /** The opcode; 0xfc00 + n behind the prefix. */
  readonly op: number;
  /** An index, or the offset of a load or store. */
  readonly index: number;
  /** Of a constant. */
  readonly bits: Bits;
  /** br, br_if: one; br_table: each label, the default last; if, else: where they skip to. */
  readonly branches: readonly Branch[];
  /** Gas of the basic block that begins with this operator; 0 in the middle of one. */
  readonly charge: number;
}

export interface Code {
  readonly type: FuncType;
  readonly localCount: number;
  readonly instructions: readonly Instruction[];
  readonly maxOperandHeight: number;
  /** Of the operators, the final `end` included. */
  readonly byteLength: number;
}

const FREE = new Set([0x00, 0x01, 0x02, 0x03, 0x05, 0x0b, 0x0f, 0x1a]);
/** loop, if, else, end, br, br_if, br_table, return, unreachable, call, call_indirect. */
const ENDS_BLOCK = new Set([3, 4, 5, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x00, 0x10, 0x11]);

/** Declared locals that cost nothing at entry, and how many of the others a unit of gas pays for. */
const FREE_LOCALS = 64;
const LOCALS_A_GAS = 4;

const NO_TYPE: FuncType = { params: [], results: [] };

interface Label {
  readonly op: number;
  readonly type: FuncType;
  /** Operands beneath the block's own. */
  readonly height: number;
  /** Of a loop. */
  readonly start: number;
  /** Those to fill in when the block's end is known. */
  readonly forward: number[][];
}

type Draft = { -readonly [K in keyof Instruction]: Instruction[K] } & { branches: Branch[] };

/** Reads the body of a defined function; it must be valid. */
export function readCode(module: WasmModule, functionIndex: number): Code {
  const body = module.functions[functionIndex - module.imports.length];
  if (body === undefined) throw new Error(`function ${functionIndex} is not the module's own`);
  const type = module.types[body.typeIndex] ?? NO_TYPE;
  const { instructions, maxOperandHeight } = new CodeReader(module, body.code.start, type).read(
    body.code.end,
  );
  charge(instructions);
  const localCount = body.locals.reduce((sum, group) => sum + group.count, 0);
  const [first] = instructions;
  if (first !== undefined && localCount > FREE_LOCALS) {
    first.charge += Math.ceil((localCount - FREE_LOCALS) / LOCALS_A_GAS);
  }
  const byteLength = body.code.end - body.code.start;
  return { type, localCount, instructions, maxOperandHeight, byteLength };
}

/** Sums every basic block up and notes it at the block's first operator. */
function charge(instructions: readonly Draft[]): void {
  let first: Draft | undefined;
  let begins = true;
  for (const instruction of instructions) {
    if (begins) first = instruction;
    if (first !== undefined && !FREE.has(instruction.op)) first.charge++;
    begins = ENDS_BLOCK.has(instruction.op);
  }
}

class CodeReader {
  private readonly module: WasmModule;
  private readonly bytes: Uint8Array;
  private at: number;
  private readonly instructions: Draft[] = [];
  private readonly labels: Label[] = [];
  private height = 0;
  private maxHeight = 0;

  constructor(module: WasmModule, start: number, type: FuncType) {
    this.module = module;
    this.bytes = module.bytes;
    this.at = start;
    this.open(0x02, { params: [], results: type.results });
  }

  read(end: number): { instructions: Draft[]; maxOperandHeight: number } {
    while (this.at < end) this.instruction();
    return { instructions: this.instructions, maxOperandHeight: this.maxHeight };
  }

  private instruction(): void {
    const byte = this.byte();
    const op = byte === 0xfc ? 0xfc00 + Number(this.unsigned()) : byte;
    const draft: Draft = { op, index: 0, bits: 0n, branches: [], charge: 0 };
    this.instructions.push(draft);
    const [pops, pushes] = this.immediates(draft);
    this.operands(pops, pushes);
  }

  /** Reads what follows the opcode. @returns how many operands are taken and given in a row */
  private immediates(draft: Draft): readonly [pops: number, pushes: number] {
    const { op } = draft;
    const numeric = NUMERIC.get(op);
    if (numeric !== undefined) return [numeric.operands, 1];
    if (op >= 0x28 && op <= 0x3e) {
      this.unsigned(); // the alignment is only a hint
      draft.index = Number(this.unsigned());
      return op < 0x36 ? [1, 1] : [2, 0];
    }
    switch (op) {
      case 0x00: // unreachable
        this.unreachable();
        return [0, 0];
      case 0x01: // nop
        return [0, 0];
      case 0x02: // block
      case 0x03: // loop
        this.enter(op, this.blockType());
        return [0, 0];
      case 0x04: {
        // if
        const type = this.blockType();
        this.pop(1);
        this.enter(op, type, draft.branches);
        return [0, 0];
      }
      case 0x05:
        this.otherwise(draft);
        return [0, 0];
      case 0x0b:
        this.end();
        return [0, 0];
      case 0x0c: // br
        this.branch(draft, Number(this.unsigned()));
        this.unreachable();
        return [0, 0];
      case 0x0d: {
        // br_if
        this.pop(1);
        const arity = this.branch(draft, Number(this.unsigned()));
        return [arity, arity];
      }
      case 0x0e: {
        // br_table
        this.pop(1);
        for (let left = Number(this.unsigned()); left >= 0; left--) {
          const arity = this.branch(draft, Number(this.unsigned()));
          this.operands(arity, arity);
        }
        this.unreachable();
        return [0, 0];
      }
      case 0x0f: // return
        this.branch(draft, this.labels.length - 1);
        this.unreachable();
        return [0, 0];
      case 0x10: {
        // call
        draft.index = Number(this.unsigned());
        const type = this.typeAt(typeIndexOf(this.module, draft.index) ?? -1);
        return [type.params.length, type.results.length];
      }
      case 0x11: {
        // call_indirect
        draft.index = Number(this.unsigned());
        this.unsigned(); // the table, of which there is one
        const type = this.typeAt(draft.index);
        return [type.params.length + 1, type.results.length];
      }
      case 0x1a: // drop
        return [1, 0];
      case 0x1b: // select
        return [3, 1];
      case 0x20: // local.get
      case 0x23: // global.get
        draft.index = Number(this.unsigned());
        return [0, 1];
      case 0x21: // local.set
      case 0x24: // global.set
        draft.index = Number(this.unsigned());
        return [1, 0];
      case 0x22: // local.tee
        draft.index = Number(this.unsigned());
        return [1, 1];
      case 0x3f: // memory.size
        this.byte();
        return [0, 1];
      case 0x40: // memory.grow
        this.byte();
        return [1, 1];
      case 0x41: // i32.const
        draft.bits = BigInt.asUintN(32, this.signed());
        return [0, 1];
      case 0x42: // i64.const
        draft.bits = BigInt.asUintN(64, this.signed());
        return [0, 1];
      case 0x43: // f32.const
        draft.bits = this.little(4);
        return [0, 1];
      case 0x44: // f64.const
        draft.bits = this.little(8);
        return [0, 1];
      case 0xfc08: // memory.init
        draft.index = Number(this.unsigned());
        this.byte();
        return [3, 0];
      case 0xfc09: // data.drop
        draft.index = Number(this.unsigned());
        return [0, 0];
      case 0xfc0a: // memory.copy
        this.byte();
        this.byte();
        return [3, 0];
      case 0xfc0b: // memory.fill
        this.byte();
        return [3, 0];
      default:
        throw new Error(`operator 0x${op.toString(16)} is not in the accepted language`);
    }
  }

  private open(op: number, type: FuncType): void {
    this.labels.push({
      op,
      type,
      height: this.height - type.params.length,
      start: this.instructions.length,
      forward: [],
    });
  }

  /** Opens a block; `skip` takes the way of an `if` whose condition is false. */
  private enter(op: number, type: FuncType, skip?: Branch[]): void {
    this.operands(type.params.length, type.params.length);
    this.open(op, type);
    if (skip !== undefined) skip.push({ target: -1, keep: -1, height: -1 });
  }

  private otherwise(draft: Draft): void {
    const label = this.innermost();
    const opening = this.instructions[label.start - 1];
    if (opening === undefined) throw new Error('an else belongs to an if');
    opening.branches[0] = this.skipTo(this.instructions.length);
    // What falls into `else` has run the first branch and goes on behind the end.
    draft.branches.push({ target: -1, keep: -1, height: -1 });
    label.forward.push([this.instructions.length - 1, 0]);
    this.height = label.height + label.type.params.length;
  }

  private end(): void {
    const label = this.innermost();
    this.labels.pop();
    const after = this.instructions.length;
    for (const [index = 0, which = 0] of label.forward) {
      const instruction = this.instructions[index];
      const branch = instruction?.branches[which];
      if (instruction === undefined || branch === undefined) throw new Error('a branch is missing');
      instruction.branches[which] =
        branch.keep < 0 ? this.skipTo(after) : { ...branch, target: after };
    }
    const opening = this.instructions[label.start - 1];
    if (label.op === 0x04 && opening?.branches[0]?.target === -1) {
      opening.branches[0] = this.skipTo(after);
    }
    this.height = label.height + label.type.results.length;
    this.maxHeight = Math.max(this.maxHeight, this.height);
  }

  /** A jump that leaves the operands as they are. */
  private skipTo(target: number): Branch {
    return { target, keep: 0, height: -1 };
  }

  /** @returns how many operands the branch carries */
  private branch(draft: Draft, depth: number): number {
    const label = this.labels.at(-1 - depth);
    if (label === undefined) throw new Error(`no label ${depth}`);
    const isLoop = label.op === 0x03;
    const keep = isLoop ? label.type.params.length : label.type.results.length;
    draft.branches.push({ target: isLoop ? label.start : -1, keep, height: label.height });
    if (!isLoop) label.forward.push([this.instructions.length - 1, draft.branches.length - 1]);
    return keep;
  }

  private unreachable(): void {
    this.height = this.innermost().height;
  }

  private operands(pops: number, pushes: number): void {
    this.pop(pops);
    this.height += pushes;
    this.maxHeight = Math.max(this.maxHeight, this.height);
  }

  /** Behind an unconditional branch, a block's floor gives whatever is asked for. */
  private pop(count: number): void {
    this.height = Math.max(this.height - count, this.labels.at(-1)?.height ?? 0);
  }

  private innermost(): Label {
    const label = this.labels.at(-1);
    if (label === undefined) throw new Error('code goes on behind its end');
    return label;
  }

  private blockType(): FuncType {
    const code = this.signed();
    if (code >= 0n) return this.typeAt(Number(code));
    if (code === -64n) return NO_TYPE;
    const results = [0x7f, 0x7e, 0x7d, 0x7c] as const;
    const result = results[Number(-1n - code)];
    return { params: [], results: result === undefined ? [] : [result] };
  }

  private typeAt(index: number): FuncType {
    const type = this.module.types[index];
    if (type === undefined) throw new Error(`no type ${index}`);
    return type;
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error('code goes on behind the module');
    return byte;
  }

  private little(length: number): bigint {
    let value = 0n;
    for (let i = 0n; i < length; i++) value |= BigInt(this.byte()) << (8n * i);
    return value;
  }

  private unsigned(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  private signed(): bigint {
    let value = 0n;
    for (let shift = 0n; ; ) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return BigInt.asIntN(Number(shift), value);
    }
  }
}
