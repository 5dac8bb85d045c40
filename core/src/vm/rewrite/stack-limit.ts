/**
 * The stack's budget: a frame takes its true size in slots of 8 bytes where its function begins,
 * before any gas, and gives it back where that ends. A function that calls nothing only looks
 * whether there is as much.
 */
import { CODE_BYTES_PER_SLOT, FRAME_SLOTS } from '../gas.ts';
import type { FuncType, FunctionBody } from '../module.ts';
import type { ByteSink } from './byte-sink.ts';
import { writeStatus } from './fuel.ts';
import { STATUS } from './internal.ts';

const LOCAL_GET = 0x20;
const LOCAL_TEE = 0x22;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const I32_CONST = 0x41;
const I32_LT_S = 0x48;
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const IF = [0x04, 0x40];
const UNREACHABLE_END = [0x00, 0x0b];

/** Slots that a frame of the function takes. */
export function frameSlots(type: FuncType, body: FunctionBody, maxOperandHeight: number): number {
  const codeSlots = Math.ceil((body.code.end - body.code.start) / CODE_BYTES_PER_SLOT);
  return localCount(type, body) + maxOperandHeight + codeSlots + FRAME_SLOTS;
}

/** Params and locals of a function. */
export function localCount(type: FuncType, body: FunctionBody): number {
  return body.locals.reduce((sum, { count }) => sum + count, type.params.length);
}

/** Indices of the globals that metering adds. */
export interface StackGlobals {
  readonly stack: number;
  readonly status: number;
}

/** In a function that calls nothing: traps when less than `slots` are left. */
export function writeStackCheck(out: ByteSink, globals: StackGlobals, slots: number): void {
  out.u8(GLOBAL_GET);
  out.u32(globals.stack);
  out.u8(I32_CONST);
  out.s32(slots);
  out.u8(I32_LT_S);
  writeTrap(out, globals);
}

/** Takes `slots`, and traps when there were less. @param local an i32 for what is left then */
export function writeStackEntry(
  out: ByteSink,
  globals: StackGlobals,
  slots: number,
  local: number,
): void {
  out.u8(GLOBAL_GET);
  out.u32(globals.stack);
  out.u8(I32_CONST);
  out.s32(slots);
  out.u8(I32_SUB);
  out.u8(LOCAL_TEE);
  out.u32(local);
  out.u8(GLOBAL_SET);
  out.u32(globals.stack);
  out.u8(LOCAL_GET);
  out.u32(local);
  out.u8(I32_CONST);
  out.s32(0);
  out.u8(I32_LT_S);
  writeTrap(out, globals);
}

/** Gives back what `writeStackEntry` took. */
export function writeStackExit(
  out: ByteSink,
  globals: StackGlobals,
  slots: number,
  local: number,
): void {
  out.u8(LOCAL_GET);
  out.u32(local);
  out.u8(I32_CONST);
  out.s32(slots);
  out.u8(I32_ADD);
  out.u8(GLOBAL_SET);
  out.u32(globals.stack);
}

function writeTrap(out: ByteSink, globals: StackGlobals): void {
  out.bytes(IF);
  writeStatus(out, globals.status, STATUS.stackExhausted);
  out.bytes(UNREACHABLE_END);
}
