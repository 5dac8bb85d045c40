/**
 * A toy chain for tests of the machine: a few contracts with storage, that call each other through
 * host functions of the real names. Effects are not undone on a trap; that is the work of whoever
 * stands above the machine.
 */
import { toHex } from '../../bytes/index.ts';
import { wat } from '../testing/wat.ts';
import type { Frame } from './frame.ts';
import type { HostFunctions } from './host-functions.ts';
import { Machine } from './machine.ts';
import type { MemoryPool } from './memory-pool.ts';
import type { Outcome } from './outcome.ts';
import { type PreparedModule, prepareModule } from './prepared-module.ts';

/** The number of the contract whose storage is used. */
export interface ToyContext {
  readonly self: number;
}

export const TOY_GAS = { sload: 100, sstore: 200, call: 1_000, consume: 2, tick: 5 } as const;
const FAILED = -10;
const OUT_OF_GAS = -11;

export class ToyChain {
  /** By contract and slot, both in hex. */
  readonly storage = new Map<string, Uint8Array>();
  /** Outcomes of nested calls, in the order in which they ended. */
  readonly nested: Outcome[] = [];
  /** How often `wave_id` was called. */
  ticks = 0;
  readonly machine: Machine<ToyContext>;
  readonly #contracts = new Map<number, PreparedModule>();

  /** @param host replaces or adds host functions */
  constructor(host: HostFunctions<ToyContext> = {}, pool?: MemoryPool) {
    const options = { host: { ...this.#host(), ...host } };
    this.machine = new Machine(pool === undefined ? options : { ...options, pool });
  }

  /** Makes contract `number` of WebAssembly text with the toy's imports in front. */
  deploy(number: number, body: string): PreparedModule {
    const module = toyModule(body);
    this.#contracts.set(number, module);
    return module;
  }

  /** Runs entry `e` of a contract from outside. */
  run(number: number, gasLimit: bigint | number = 1_000_000_000n, entry = 'e'): Outcome {
    const request = { gasLimit: BigInt(gasLimit), context: { self: number } };
    return this.machine.run(this.contract(number), entry, request);
  }

  contract(number: number): PreparedModule {
    const module = this.#contracts.get(number);
    if (module === undefined) throw new Error(`no contract ${number}`);
    return module;
  }

  #host(): HostFunctions<ToyContext> {
    return {
      sload: (frame, slot: number, out: number, max: number) => {
        frame.charge(TOY_GAS.sload);
        const value = this.storage.get(keyOf(frame, slot));
        if (value === undefined) return -1;
        frame.write(out, value.subarray(0, Math.min(value.length, max >>> 0)));
        return value.length;
      },
      sstore: (frame, slot: number, pointer: number, length: number) => {
        frame.charge(TOY_GAS.sstore);
        this.storage.set(keyOf(frame, slot), frame.bytes(pointer, length));
        return undefined;
      },
      return: (frame, pointer: number, length: number) => frame.return(pointer, length),
      revert: (frame, pointer: number, length: number) => frame.revert(pointer, length),
      tx_gas_remaining: (frame) => frame.fuelLeft(),
      consume_gas: (frame, amount: bigint) => {
        frame.charge(BigInt(TOY_GAS.consume) + BigInt.asUintN(64, amount));
        return 0;
      },
      wave_id: (frame) => {
        frame.charge(TOY_GAS.tick);
        this.ticks++;
        return BigInt(this.ticks);
      },
      cross_call: (
        frame,
        target: number,
        name: number,
        nameLength: number,
        _data: number,
        _length: number,
        _value: number,
        gas: bigint,
        out: number,
        outLength: number,
      ) => this.#call(frame, 'call', target, name, nameLength, gas, out, outLength),
      cross_call_static: (
        frame,
        target: number,
        name: number,
        nameLength: number,
        _data: number,
        _length: number,
        gas: bigint,
        out: number,
        outLength: number,
      ) => this.#call(frame, 'callFree', target, name, nameLength, gas, out, outLength),
    };
  }

  #call(
    frame: Frame<ToyContext>,
    how: 'call' | 'callFree',
    target: number,
    name: number,
    nameLength: number,
    gas: bigint,
    out: number,
    outLength: number,
  ): number {
    frame.charge(TOY_GAS.call);
    const self = frame.bytes(target, 1)[0] ?? 0;
    const entry = String.fromCharCode(...frame.bytes(name, nameLength));
    const gasLimit = BigInt.asUintN(64, gas);
    const outcome = frame[how](this.contract(self), entry, { gasLimit, context: { self } });
    this.nested.push(outcome);
    if (outcome.kind === 'trapped') return outcome.trap === 'out-of-gas' ? OUT_OF_GAS : FAILED;
    frame.write(out, outcome.data);
    frame.write(outLength, new Uint8Array([outcome.data.length & 0xff]));
    return outcome.kind === 'returned' ? 0 : FAILED;
  }
}

function keyOf(frame: Frame<ToyContext>, slot: number): string {
  return `${frame.context.self}:${toHex(frame.bytes(slot, 32))}`;
}

/** Where calls of `callOther` put what comes back: one byte of length, and the bytes. */
export const OUT_LENGTH = 1_020;
export const OUT = 1_024;

/** A module of WebAssembly text after the imports of the toy's host functions. */
export function toyModule(body: string): PreparedModule {
  return prepareModule(
    wat(`(module
      (import "pyde" "sload" (func $sload (param i32 i32 i32) (result i32)))
      (import "pyde" "sstore" (func $sstore (param i32 i32 i32)))
      (import "pyde" "return" (func $return (param i32 i32)))
      (import "pyde" "revert" (func $revert (param i32 i32)))
      (import "pyde" "tx_gas_remaining" (func $gas (result i64)))
      (import "pyde" "consume_gas" (func $consume (param i64) (result i32)))
      (import "pyde" "wave_id" (func $tick (result i64)))
      (import "pyde" "cross_call" (func $cross_call
        (param i32 i32 i32 i32 i32 i32 i64 i32 i32) (result i32)))
      (import "pyde" "cross_call_static" (func $cross_call_static
        (param i32 i32 i32 i32 i32 i64 i32 i32) (result i32)))
      ${body})`),
    'contract',
  );
}

/** A memory with what `callOther` needs in it: numbers of contracts at 0, the name `e` at 64. */
export const CALLER_MEMORY = `(memory 1)
  (data (i32.const 0) "\\00\\01\\02\\03\\04\\05\\06\\07") (data (i32.const 64) "e")`;

/** An expression that calls entry `e` of a contract and leaves the i32 that comes back. */
export function callOther(number: number, gas = '(i64.const -1)'): string {
  return `(call $cross_call (i32.const ${number}) (i32.const 64) (i32.const 1)
    (i32.const 0) (i32.const 0) (i32.const 0) ${gas} (i32.const ${OUT}) (i32.const ${OUT_LENGTH}))`;
}
