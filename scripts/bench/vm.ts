/**
 * Contracts: what metering costs in programs of every kind, beside the same module as the engine
 * runs it by itself; how fast a module is read, and how fast a call starts. Two programs that are
 * compared run in turn, and the ratio is the median over the turns.
 */
import {
  decodeModule,
  INTERNAL,
  Machine,
  MemoryPool,
  prepareModule,
  rewriteModule,
  validateModule,
} from '../../core/src/vm/index.ts';
import type { Row } from '../bench.ts';
import { median } from './rate.ts';
import { compileWorkload, LIBRARY, RECURSION, WORKLOADS, type Workload } from './vm-workloads.ts';

const WARM_MS = 600;
/** Our own code of the front takes this long until all of it is compiled. */
const WARM_FRONT_MS = 3_000;
const MEASURE_MS = 1_200;
const FUEL = 2n ** 60n;
const STACK_SLOTS = 16_384;
const CALLS = 200;

export async function run(): Promise<Row[]> {
  const rows: Row[] = [];
  const ratios: number[] = [];
  for (const workload of WORKLOADS) {
    const row = await metered(workload);
    rows.push(row);
    ratios.push(row.ratio);
  }
  const mean = ratios.reduce((product, ratio) => product * ratio, 1) ** (1 / ratios.length);
  rows.push({
    name: 'contract, geometric mean of these',
    value: mean,
    unit: '×',
    comparedWith: 'the raw modules',
    ratio: mean,
  });
  rows.push(await metered(RECURSION), ...(await reading()), await starting());
  return rows;
}

async function metered(workload: Workload): Promise<Row & { readonly ratio: number }> {
  const code = await compileWorkload(workload.name);
  const raw = runnerOf(code, {});
  const { bytes, memory } = rewriteModule(validateModule(decodeModule(code), 'contract'));
  const imported =
    memory === undefined
      ? {}
      : new WebAssembly.Memory({ initial: memory.minPages, maximum: memory.maxPages });
  const own = runnerOf(bytes, { [INTERNAL.importModule]: { [INTERNAL.memory]: imported } });
  const { size } = workload;
  if (raw(size) !== own(size)) throw new Error(`${workload.name}: another result under metering`);
  const { ms, ratio } = inTurns(
    () => void own(size),
    () => void raw(size),
  );
  return {
    name: `contract, ${workload.name}, metered`,
    value: ms,
    unit: 'ms',
    comparedWith: 'the raw module',
    ratio,
  };
}

/** The module's `run`, with as much fuel as it needs where it is metered. */
function runnerOf(
  bytes: Uint8Array,
  imports: Record<string, Record<string, unknown>>,
): (size: number) => unknown {
  const module = new WebAssembly.Module(Uint8Array.from(bytes));
  const { exports } = new WebAssembly.Instance(module, imports);
  const program = exports['run'] as (size: number) => unknown;
  const [fuel, stack] = [exports[INTERNAL.fuel], exports[INTERNAL.stack]];
  if (!(fuel instanceof WebAssembly.Global && stack instanceof WebAssembly.Global)) return program;
  return (size) => {
    fuel.value = FUEL;
    stack.value = STACK_SLOTS;
    return program(size);
  };
}

/** From bytes to rewritten bytes, beside the engine's own check of the same bytes. */
async function reading(): Promise<Row[]> {
  const code = await compileWorkload(LIBRARY);
  const decoded = decodeModule(code);
  const valid = validateModule(decoded, 'contract');
  const bytes = Uint8Array.from(code);
  const whole = inTurns(
    () => void rewriteModule(validateModule(decodeModule(code), 'contract')),
    () => void WebAssembly.validate(bytes),
    WARM_FRONT_MS,
  );
  const megabytes = code.length / 1e6;
  const alone = (name: string, act: () => void): Row => ({
    name: `of that, ${name}`,
    value: inTurns(act, act).ms,
    unit: 'ms',
  });
  return [
    {
      name: `contract, ${Math.round(code.length / 1000)} KB decoded, validated, rewritten`,
      value: (1000 * megabytes) / whole.ms,
      unit: 'MB/s',
      comparedWith: 'the speed of WebAssembly.validate',
      ratio: 1 / whole.ratio,
    },
    alone('decoding', () => void decodeModule(code)),
    alone('validation', () => void validateModule(decoded, 'contract')),
    alone('rewriting', () => void rewriteModule(valid)),
  ];
}

/** A call that does nothing, in a fresh instance on a pooled memory. */
async function starting(): Promise<Row> {
  const prepared = prepareModule(minimalContract(), 'contract');
  const machine = new Machine<undefined>({ host: {}, pool: new MemoryPool() });
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const imports = { [INTERNAL.importModule]: { [INTERNAL.memory]: memory } };
  const { ms, ratio } = inTurns(
    () => {
      for (let i = 0; i < CALLS; i++) {
        const { kind } = machine.run(prepared, 'f', { gasLimit: 1_000n, context: undefined });
        if (kind !== 'returned') throw new Error(`a call that does nothing ${kind}`);
      }
    },
    () => {
      for (let i = 0; i < CALLS; i++) new WebAssembly.Instance(prepared.compiled, imports);
    },
  );
  return {
    name: 'contract, call in a fresh instance',
    value: (1000 * ms) / CALLS,
    unit: 'µs',
    comparedWith: 'the instance alone, its memory not cleared',
    ratio,
  };
}

/** `(module (memory 1 1) (func (export "f")))` */
function minimalContract(): Uint8Array {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
    ...[0x03, 0x02, 0x01, 0x00],
    ...[0x05, 0x04, 0x01, 0x01, 0x01, 0x01],
    ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
    ...[0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b],
  ]);
}

/** The median time of `one`, and the median of its time ÷ that of `other` just before or after. */
function inTurns(
  one: () => void,
  other: () => void,
  warmMs = WARM_MS,
): { readonly ms: number; readonly ratio: number } {
  const time = (act: () => void): number => {
    const started = performance.now();
    act();
    return performance.now() - started;
  };
  const warmUntil = performance.now() + warmMs;
  while (performance.now() < warmUntil) {
    one();
    other();
  }
  const [times, ratios]: [number[], number[]] = [[], []];
  const until = performance.now() + MEASURE_MS;
  for (let turn = 0; performance.now() < until; turn++) {
    const early = turn % 2 === 0 ? undefined : time(other);
    const ms = time(one);
    times.push(ms);
    ratios.push(ms / (early ?? time(other)));
  }
  return { ms: median(times), ratio: median(ratios) };
}
