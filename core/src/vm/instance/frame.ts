/**
 * One running call, as host functions see it: its memory, its gas, its end. What a call means
 * (whose storage, which value, view or not) is the caller's own and travels in `context`.
 *
 * Every pointer and length is hostile. The memory may have grown since the last host function, and
 * its old buffer is then detached, so no view is kept without looking.
 */
import { invariant } from '../../bytes/index.ts';
import type { HostTrapCode, Outcome, TrapCode } from './outcome.ts';
import type { PreparedModule } from './prepared-module.ts';

/** What a call is given. */
export interface CallRequest<Context> {
  /** The most it may use. A frame's `call` cuts it to what the frame has left. */
  readonly gasLimit: bigint;
  readonly context: Context;
}

/** A WebAssembly global, of which browsers' declarations say less. */
export interface Counter<T extends number | bigint> {
  value: T;
}

/** What rewriting exports from every module, under the names of `INTERNAL`. */
export interface Internals {
  readonly fuel: Counter<bigint>;
  readonly stack: Counter<number>;
  readonly status: Counter<number>;
  readonly charge: (gas: number) => void;
  readonly memory: WebAssembly.Memory | undefined;
}

/** The part of the machine that a frame may ask for. */
export interface NestedCalls<Context> {
  nested(
    parent: Frame<Context>,
    module: PreparedModule,
    entry: string,
    request: CallRequest<Context>,
  ): Outcome;
}

/** How a frame ended other than by running to its end. */
export type FrameEnd =
  | { readonly kind: 'returned' | 'reverted'; readonly data: Uint8Array }
  | { readonly kind: 'trapped'; readonly trap: TrapCode };

/**
 * Thrown by a host function to leave the contract's code, which cannot catch it; why is in the
 * frame. One object for all, since making one would cost more than the rest of the call.
 */
export const UNWIND = new Error('a frame has ended; only the machine may catch this');

const U32_MAX = 0xffff_ffff;
const NO_BYTES = new Uint8Array(0);

export class Frame<Context> {
  readonly context: Context;
  /** 1 for the outermost. */
  readonly depth: number;
  /** Pages that the frames below this one hold. */
  readonly pagesBelow: number;
  readonly #internals: Internals;
  readonly #machine: NestedCalls<Context>;
  #end: FrameEnd | undefined;
  #view = NO_BYTES;

  constructor(
    machine: NestedCalls<Context>,
    internals: Internals,
    place: { readonly depth: number; readonly pagesBelow: number },
    context: Context,
  ) {
    this.#machine = machine;
    this.#internals = internals;
    this.depth = place.depth;
    this.pagesBelow = place.pagesBelow;
    this.context = context;
  }

  /** Set once the frame is to be left. */
  get end(): FrameEnd | undefined {
    return this.#end;
  }

  /** Bytes of its memory now. */
  get memoryBytes(): number {
    return this.#memory().length;
  }

  /** Slots of the stack budget that are left. */
  get stackLeft(): number {
    return this.#internals.stack.value;
  }

  /**
   * Takes gas before work is done for the contract. Ends the frame out of gas, with everything
   * used, where less is left.
   */
  charge(gas: number | bigint): void {
    if (gas <= U32_MAX) {
      invariant(gas >= 0, 'gas to take is not negative');
      try {
        this.#internals.charge(Number(gas));
      } catch (error) {
        if (this.#internals.fuel.value >= 0n) throw error;
        this.#leave({ kind: 'trapped', trap: 'out-of-gas' });
      }
      return;
    }
    const left = this.#internals.fuel.value - BigInt(gas);
    this.#internals.fuel.value = left < 0n ? -1n : left;
    if (left < 0n) this.#leave({ kind: 'trapped', trap: 'out-of-gas' });
  }

  /** Gas that is left. */
  fuelLeft(): bigint {
    const fuel = this.#internals.fuel.value;
    return fuel < 0n ? 0n : fuel;
  }

  /**
   * The bytes at `pointer`, copied: up to 64 MiB, so charge for the length first. Both numbers are
   * i32 of the contract, read as unsigned; a range that is not wholly inside its memory traps it
   * with `host.memory-out-of-bounds`.
   */
  bytes(pointer: number, length: number): Uint8Array {
    return this.view(pointer, length).slice();
  }

  /**
   * As `bytes`, but the memory itself: good only until the host function returns or writes, and
   * never to be kept.
   */
  view(pointer: number, length: number): Uint8Array {
    const start = pointer >>> 0;
    const end = start + (length >>> 0);
    const memory = this.#memory();
    if (end > memory.length) this.trap('host.memory-out-of-bounds');
    return memory.subarray(start, end);
  }

  /** Writes `bytes` at `pointer`, wholly or, where they do not fit, not at all (as `bytes`). */
  write(pointer: number, bytes: Uint8Array): void {
    this.view(pointer, bytes.length).set(bytes);
  }

  /**
   * Runs another contract's `entry` in a frame of its own, on what this one has left of stack and
   * depth and on at most its gas, and takes from this frame what that used.
   */
  call(module: PreparedModule, entry: string, request: CallRequest<Context>): Outcome {
    const left = this.fuelLeft();
    const gasLimit = request.gasLimit < left ? request.gasLimit : left;
    const { context } = request;
    const outcome = this.#machine.nested(this, module, entry, { gasLimit, context });
    this.charge(outcome.gasUsed);
    return outcome;
  }

  /** As `call`, but on gas of its own, which this frame does not pay. */
  callFree(module: PreparedModule, entry: string, request: CallRequest<Context>): Outcome {
    return this.#machine.nested(this, module, entry, request);
  }

  /** Ends the frame with data; never comes back. */
  return(pointer: number, length: number): never {
    this.#leave({ kind: 'returned', data: this.bytes(pointer, length) });
  }

  /** Ends the frame as undone, with data; never comes back. */
  revert(pointer: number, length: number): never {
    this.#leave({ kind: 'reverted', data: this.bytes(pointer, length) });
  }

  /** Ends the frame with a trap of the host function's; never comes back. */
  trap(code: HostTrapCode): never {
    this.#leave({ kind: 'trapped', trap: code });
  }

  #leave(end: FrameEnd): never {
    this.#end = end;
    throw UNWIND;
  }

  #memory(): Uint8Array {
    // Growing detaches the buffer, whose views then have length 0.
    if (this.#view.length === 0 && this.#internals.memory !== undefined) {
      this.#view = new Uint8Array(this.#internals.memory.buffer);
    }
    return this.#view;
  }
}
