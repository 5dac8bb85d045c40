/**
 * The corpus: modules with runs whose every visible effect is written down (expected.txt) and must
 * come out the same of every engine, of code that was just compiled and of code that ran for long.
 */
import { fromHex } from '../../../bytes/index.ts';
import { LIMITS } from '../../limits.ts';

/** Everything here survives JSON, so that a case can be sent into a page. */
export interface CorpusRun {
  /** Names the run within its case; no colon. */
  readonly name: string;
  /** The exported function, of integers alone. */
  readonly call: string;
  /** Decimal, signed. */
  readonly args?: readonly string[];
  readonly fuel: number;
  readonly stackSlots: number;
}

export interface CorpusCase {
  readonly name: string;
  /** WebAssembly text. */
  readonly text: string;
  readonly runs: readonly CorpusRun[];
  /** Contracts that call contracts (frames.ts): the argument is how deep each goes by itself. */
  readonly isNested?: true;
  /** Calls of each function before a run counts as hot; fewer where one call loops for long. */
  readonly warmups: number;
}

/** The module's bytes. */
export const binaryOf = ({ binary }: CompiledCase): Uint8Array =>
  fromHex(binary, { maxBytes: LIMITS.moduleBytes });

/** What a page is given: the case with its module in the binary format. */
export interface CompiledCase extends Omit<CorpusCase, 'text'> {
  /** Hex. */
  readonly binary: string;
}

export const ENOUGH_FUEL = 1_000_000_000;
export const WHOLE_STACK = 16_384;
export const MANY_CALLS = 10_000;

/** A run with fuel and stack to spare. */
export function run(call: string, ...args: readonly (number | bigint)[]): CorpusRun {
  return {
    name: [call, ...args].join(' '),
    call,
    args: args.map(String),
    fuel: ENOUGH_FUEL,
    stackSlots: WHOLE_STACK,
  };
}

/** The same run with another budget, which its name then tells. */
export function within(
  base: CorpusRun,
  budget: { readonly fuel?: number; readonly stackSlots?: number },
): CorpusRun {
  const told = Object.entries(budget).map(([what, amount]) => `${what} ${amount}`);
  return { ...base, ...budget, name: `${base.name} on ${told.join(', ')}` };
}

/** One run for every amount of fuel from 0 to `most`. */
export const onEveryFuel = (base: CorpusRun, most: number): CorpusRun[] =>
  Array.from({ length: most + 1 }, (_, fuel) => within(base, { fuel }));
