/**
 * The functions that metering adds to a module: what grows the memory and what pays for bulk
 * operations, called in the place of or before those operators, and the exported one with which
 * host functions charge. Each takes gas from the global and traps when there was less.
 */
import { BULK_BYTES_PER_GAS, GROW_GAS_PER_PAGE } from '../gas.ts';
import { type FuncType, VALUE_TYPE } from '../module.ts';
import { ByteSink } from './byte-sink.ts';
import { type FuelGlobals, writeStatus } from './fuel.ts';
import { STATUS } from './internal.ts';

/** (pages) → (pages before, or −1), as memory.grow. */
export const GROW_TYPE: FuncType = { params: [VALUE_TYPE.i32], results: [VALUE_TYPE.i32] };
/** (bytes) → (the same): the length is on top of the stack, and stays there. */
export const BULK_TYPE: FuncType = GROW_TYPE;
/** (gas). */
export const CHARGE_TYPE: FuncType = { params: [VALUE_TYPE.i32], results: [] };

const NO_LOCALS = 0x00;
const ONE_GROUP = 0x01;
const END = 0x0b;
const RETURN = 0x0f;
const LOCAL_GET_0 = [0x20, 0x00];
const LOCAL_TEE_1 = [0x22, 0x01];
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const IF = [0x04, 0x40];
const UNREACHABLE_END = [0x00, END];
const I64_EXTEND_I32_U = 0xad;
const I64_ADD = 0x7c;
const I64_MUL = 0x7e;
const I64_DIV_U = 0x80;

/**
 * memory.grow: beyond the bound −1 and no gas; else gas for each page, then it grows, which an
 * engine may only refuse for want of memory of its own.
 */
export function growBody(globals: FuelGlobals, maxPages: number): Uint8Array {
  const out = new ByteSink();
  out.bytes([ONE_GROUP, 1, VALUE_TYPE.i32]);
  // if (u64 pages + memory.size > maxPages) return −1
  out.bytes([...LOCAL_GET_0, I64_EXTEND_I32_U, 0x3f, 0x00, I64_EXTEND_I32_U, I64_ADD, I64_CONST]);
  out.s32(maxPages);
  out.bytes([0x56, ...IF, I32_CONST, 0x7f, RETURN, END]);
  writeTake(out, globals, () => {
    out.bytes([...LOCAL_GET_0, I64_EXTEND_I32_U, I64_CONST]);
    out.s32(GROW_GAS_PER_PAGE);
    out.u8(I64_MUL);
  });
  // if (memory.grow == −1) trap
  out.bytes([...LOCAL_GET_0, 0x40, 0x00, ...LOCAL_TEE_1, I32_CONST, 0x7f, 0x46, ...IF]);
  writeStatus(out, globals.status, STATUS.growFailed);
  out.bytes([...UNREACHABLE_END, 0x20, 0x01, END]);
  return out.view();
}

/** Before memory.copy, memory.fill and memory.init: gas by length, begun units count. */
export function bulkBody(globals: FuelGlobals): Uint8Array {
  const out = new ByteSink();
  out.u8(NO_LOCALS);
  writeTake(out, globals, () => {
    out.bytes([...LOCAL_GET_0, I64_EXTEND_I32_U, I64_CONST]);
    out.s32(BULK_BYTES_PER_GAS - 1);
    out.bytes([I64_ADD, I64_CONST]);
    out.s32(BULK_BYTES_PER_GAS);
    out.u8(I64_DIV_U);
  });
  out.bytes([...LOCAL_GET_0, END]);
  return out.view();
}

export function chargeBody(globals: FuelGlobals): Uint8Array {
  const out = new ByteSink();
  out.u8(NO_LOCALS);
  writeTake(out, globals, () => out.bytes([...LOCAL_GET_0, I64_EXTEND_I32_U]));
  out.u8(END);
  return out.view();
}

/** Takes the gas that `amount` leaves on the stack. */
function writeTake(out: ByteSink, globals: FuelGlobals, amount: () => void): void {
  out.u8(GLOBAL_GET);
  out.u32(globals.fuel);
  amount();
  out.bytes([0x7d, GLOBAL_SET]);
  out.u32(globals.fuel);
  out.u8(GLOBAL_GET);
  out.u32(globals.fuel);
  out.bytes([I64_CONST, 0x00, 0x53, ...IF]);
  writeStatus(out, globals.status, STATUS.outOfGas);
  out.bytes(UNREACHABLE_END);
}
