/**
 * Decoders against hostile input (docs/protocol/fuzzing.md). A target is one decoder with valid
 * encodings to start from; each case is made from a seed that names it, so a run is the same every
 * time, and longer runs begin like short ones.
 *
 * Of every case is asked: nothing but a refusal escapes; what is accepted encodes to the bytes that
 * were given; no request for memory is above the bound; no case takes long.
 */
import { equalBytes } from '../array.ts';
import { isPydeError } from '../error.ts';
import { toHex } from '../hex.ts';
import { AllocationWatch } from './allocation-watch.ts';
import { type Layout, recordLayout } from './layout.ts';
import { mutateField, scramble } from './mutation.ts';
import { SeededRandom } from './random.ts';

/** A decoder, whatever it takes and gives. */
export interface FuzzTarget {
  readonly name: string;
  /** Cases of this target for one of the others; below 1 for those that are slow. */
  readonly share: number;
  /** Runs case after case; throws a `FuzzFailure` at the first that breaks a rule. */
  run(budget: FuzzBudget): Promise<FuzzResult>;
}

export interface FuzzBudget {
  /** Case numbers below this. */
  readonly runs: number;
  /** Ends before `runs` when this says so. */
  readonly done?: () => boolean;
}

export interface FuzzResult {
  readonly cases: number;
  readonly accepted: number;
  /** Codes of the refusals, and how often each was given. */
  readonly refusals: ReadonlyMap<string, number>;
}

/** What memory one case may ask for. */
export interface AllocationBound {
  readonly largest: number;
  readonly total: number;
}

export interface BytesDecoder<T> {
  readonly name: string;
  /** Encodings that are accepted, one for each shape that a value can have; none if none is. */
  readonly seeds: readonly Uint8Array[];
  readonly decode: (bytes: Uint8Array) => T | Promise<T>;
  /** The encoding of what was accepted; absent in a decoder that only judges. */
  readonly encode?: (value: T) => Uint8Array;
  /** Reads the fields as `decode` does, where that waits for something before it reads. */
  readonly layout?: (bytes: Uint8Array) => unknown;
  /** For encodings that `BorshReader` does not read: bytes that the general mutations rarely make. */
  readonly craft?: (random: SeededRandom, seed: Uint8Array) => Uint8Array;
  /** By the length of the input; `decode` that computes, rather than reads, needs its own. */
  readonly bound?: (length: number) => AllocationBound;
  readonly share?: number;
}

export class FuzzFailure extends Error {}

/** Above any pause of a busy machine, below any work that grows faster than its input. */
const MAX_CASE_MS = 3_000;
/** Accepted inputs that later cases start from, besides the seeds. */
const MAX_KEPT = 24;

/** A value takes no more than a few times its encoding. */
const defaultBound = (length: number): AllocationBound => ({
  largest: Math.max(4_096, 2 * length),
  total: 65_536 + 16 * length,
});

interface Specimen {
  readonly bytes: Uint8Array;
  readonly layout: Layout;
}

export function bytesTarget<T>(decoder: BytesDecoder<T>): FuzzTarget {
  const { name, share = 1 } = decoder;
  return {
    name,
    share,
    async run({ runs, done }) {
      const run = new BytesRun(decoder);
      await run.requireSeeds();
      for (let i = 0; i < runs && done?.() !== true; i++) await run.case(i);
      return run.result;
    },
  };
}

class BytesRun<T> {
  readonly #decoder: BytesDecoder<T>;
  readonly #seeds: readonly Specimen[];
  readonly #kept: Specimen[] = [];
  readonly #refusals = new Map<string, number>();
  #cases = 0;
  #accepted = 0;

  constructor(decoder: BytesDecoder<T>) {
    this.#decoder = decoder;
    this.#seeds = decoder.seeds.map((bytes) => this.#specimen(bytes));
  }

  get result(): FuzzResult {
    return { cases: this.#cases, accepted: this.#accepted, refusals: this.#refusals };
  }

  async requireSeeds(): Promise<void> {
    for (const { bytes } of this.#seeds) {
      if (!(await this.#judge(bytes, 'a seed'))) {
        throw new FuzzFailure(`${this.#decoder.name} refuses its own seed ${toHex(bytes)}`);
      }
    }
  }

  async case(i: number): Promise<void> {
    const random = new SeededRandom(`${this.#decoder.name}/${i}`);
    const from = this.#pick(random);
    const bytes = this.#input(random, from, i);
    this.#cases++;
    if (!(await this.#judge(bytes, `case ${i}`))) return;
    this.#accepted++;
    if (bytes.length > 4 * from.bytes.length + 256) return;
    if (this.#kept.length < MAX_KEPT) this.#kept.push(this.#specimen(bytes));
    else if (random.oneIn(8)) this.#kept[random.below(MAX_KEPT)] = this.#specimen(bytes);
  }

  #input(random: SeededRandom, { bytes, layout }: Specimen, i: number): Uint8Array {
    if (i % 2 === 1) {
      const other = this.#pick(random).bytes;
      const edges = layout.fields.map(({ at }) => at);
      return scramble(random, bytes, other, edges);
    }
    const { craft } = this.#decoder;
    // Where the fields are not known, the general changes are mostly those of noise.
    const crafted = layout.fields.length > 1 ? random.oneIn(2) : !random.oneIn(8);
    if (craft !== undefined && crafted) return craft(random, bytes);
    return mutateField(random, bytes, layout);
  }

  /** No bytes for a decoder that accepts nothing. */
  #pick(random: SeededRandom): Specimen {
    const all = [...this.#seeds, ...this.#kept];
    return all.length === 0 ? this.#specimen(new Uint8Array(0)) : random.pick(all);
  }

  #specimen(bytes: Uint8Array): Specimen {
    const { decode, layout = decode } = this.#decoder;
    return { bytes, layout: recordLayout(bytes, layout) };
  }

  /** Is it accepted? */
  async #judge(bytes: Uint8Array, which: string): Promise<boolean> {
    const given = bytes.slice();
    const bound = (this.#decoder.bound ?? defaultBound)(bytes.length);
    const watch = new AllocationWatch(bound.largest);
    const started = performance.now();
    const outcome = await watched(watch, () => this.#decoder.decode(bytes));
    const fail = (what: string, cause?: unknown): never => {
      throw new FuzzFailure(`${this.#decoder.name}, ${which}: ${what}; input ${toHex(given)}`, {
        cause,
      });
    };
    if (performance.now() - started > MAX_CASE_MS) fail(`took more than ${MAX_CASE_MS} ms`);
    if (!equalBytes(bytes, given)) fail('changed its input');
    if (watch.largest > bound.largest) fail(`asked for ${watch.largest} bytes at once`);
    if (watch.total > bound.total) fail(`asked for ${watch.total} bytes in all`);
    if ('error' in outcome) {
      const { error } = outcome;
      if (!isPydeError(error)) return fail(`threw ${String(error)}`, error);
      this.#refusals.set(error.code, (this.#refusals.get(error.code) ?? 0) + 1);
      return false;
    }
    const again = this.#decoder.encode?.(outcome.value);
    if (again !== undefined && !equalBytes(again, given)) {
      fail(`accepted what encodes to ${toHex(again)}`);
    }
    return true;
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

async function watched<T>(
  watch: AllocationWatch,
  decode: () => T | Promise<T>,
): Promise<Outcome<T>> {
  watch.start();
  try {
    const value = decode();
    return { value: value instanceof Promise ? await value : value };
  } catch (error) {
    return { error };
  } finally {
    watch.stop();
  }
}

const DEFAULT_RUNS = 2_000;

/**
 * How many cases of `target`: `PYDE_FUZZ_RUNS` of a target with share 1, or as many as fit into
 * `PYDE_FUZZ_SECONDS` for each target; without either, few enough for every run of the tests.
 */
export function budgetOf(
  target: FuzzTarget,
  env: Readonly<Record<string, string | undefined>>,
): FuzzBudget {
  const seconds = positive(env, 'PYDE_FUZZ_SECONDS');
  if (seconds !== undefined) {
    const until = performance.now() + 1_000 * seconds;
    return { runs: Number.POSITIVE_INFINITY, done: () => performance.now() >= until };
  }
  const runs = positive(env, 'PYDE_FUZZ_RUNS') ?? DEFAULT_RUNS;
  return { runs: Math.ceil(runs * target.share) };
}

function positive(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): number | undefined {
  const text = env[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`${name} must be a number above 0, not ${text}`);
}
