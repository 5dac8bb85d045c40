/** The page's half of the cross-runtime tests: what a test runs on Node, it can run here by name. */
import { PROBES, type ProbeName } from '../src/probes.ts';

declare global {
  interface Window {
    pyde: { run(name: ProbeName, argument: string): Promise<string> };
  }
}

window.pyde = { run: async (name, argument) => PROBES[name](argument) };
