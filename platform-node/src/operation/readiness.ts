/**
 * Whether a node is live, and whether it is ready: caught up, and able to do what it is there for.
 * A node that is live and not ready mends itself; one that is not live needs somebody.
 */
import { quorum } from '@pyde/core/finality';
import type { OperationSource } from './source.ts';

/** Why not, for a machine and for a person. */
export interface Hindrance {
  readonly code: 'halted' | 'catching-up' | 'stale' | 'links' | 'no-wave';
  readonly message: string;
}

/** A newest wave that is older is stale, whatever the pace of rounds. */
const LEAST_FRESH_MS = 10_000;
/** And older than so many idle rounds: two make a wave. */
const FRESH_IDLE_ROUNDS = 20;

/** Links to others with which a validator of `n` has a quorum. */
export const quorumLinks = (n: number): number => quorum(n) - 1;

/** Empty when ready. */
export function hindrancesOf(source: OperationSource, unixMs: number): readonly Hindrance[] {
  const { phase, halted, isValidator } = source.standing();
  const { validators, parameters } = source.genesis;
  const hindrances: Hindrance[] = [];
  if (halted !== undefined) {
    hindrances.push({ code: 'halted', message: `the node has stopped: ${halted}` });
  }
  if (phase !== 'following') {
    hindrances.push({
      code: 'catching-up',
      message: `the node was left behind and comes back (${phase}); wait`,
    });
  }
  const head = source.head();
  const freshMs = Math.max(LEAST_FRESH_MS, FRESH_IDLE_ROUNDS * parameters.idleRoundMs);
  const ageMs = unixMs - Number(head.timestampMs);
  if (head.waveId === 0n) {
    hindrances.push({ code: 'no-wave', message: 'no wave was executed yet; wait' });
  } else if (ageMs > freshMs) {
    hindrances.push({
      code: 'stale',
      message: `the newest wave is ${seconds(ageMs)} old, at most ${seconds(freshMs)} is fresh`,
    });
  }
  const needed = quorumLinks(validators.length);
  const linked = new Set(source.peers().flatMap(({ validator }) => validator ?? [])).size;
  if (isValidator && linked < needed) {
    hindrances.push({
      code: 'links',
      message: `there are links to ${linked} other validators, and a quorum needs ${needed}`,
    });
  }
  return hindrances;
}

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
