/// <reference path="../../../webassembly.d.ts" />
/** Runs cases of nested frames by the engine at hand, through the machine that contracts run on. */
import { type Frame, Machine, type Outcome, prepareModule } from '../../instance/index.ts';
import { binaryOf, type CompiledCase, type CorpusRun } from './case.ts';
import { type FrameEnd, nestedLine } from './line.ts';

interface Context {
  readonly deep: number;
  readonly log: FrameEnd[];
}

/** @returns what does the first run, and what does all of them and tells of each */
export function nestedByEngine(given: CompiledCase): readonly [() => void, () => string[]] {
  const module = prepareModule(binaryOf(given), 'contract');
  const machine = new Machine<Context>({
    host: {
      calldata_size: ({ context }: Frame<Context>) => context.deep,
      cross_call: (frame: Frame<Context>, ...args) => {
        const { stackLeft, depth, context } = frame;
        const outcome = frame.call(module, 'run', { gasLimit: BigInt(args[6] ?? 0), context });
        const end = endOf(outcome);
        context.log.push({ depth: depth + 1, stackLeft, end, gas: outcome.gasUsed });
        return end === 'returned' ? 0 : 1;
      },
    },
  });
  const runOne = (run: CorpusRun): string => {
    const context: Context = { deep: Number(run.args?.[0] ?? 0), log: [] };
    const outcome = machine.run(module, 'run', { gasLimit: BigInt(run.fuel), context });
    return nestedLine(run, endOf(outcome), outcome.gasUsed, context.log);
  };
  const first = (): void => {
    for (const run of given.runs.slice(0, 1)) runOne(run);
  };
  return [first, () => given.runs.map(runOne)];
}

const endOf = (outcome: Outcome): string =>
  outcome.kind !== 'trapped' ? outcome.kind : outcome.trap === 'trap' ? 'trapped' : outcome.trap;
