/** Who plays false, and how: drawn by the seed. */
import { Prng } from '../prng.ts';
import type { Disguise } from '../sim-node.ts';
import { ByzantineMember } from './byzantine-member.ts';
import { BEHAVIOURS, type BehaviourName, behaviourOf } from './catalogue.ts';

export interface FaultyMember {
  readonly index: number;
  /** One or two. */
  readonly behaviours: readonly BehaviourName[];
}

export interface ByzantineOptions {
  readonly validators: number;
  readonly seed: number;
  readonly byzantine: number;
  /** To draw from; all when empty. */
  readonly behaviours: readonly BehaviourName[];
}

const STREAM = 4;
const TWO_BEHAVIOURS = 500_000;

export function drawFaulty(options: ByzantineOptions): FaultyMember[] {
  const { validators, seed, byzantine } = options;
  const prng = Prng.seeded(seed, STREAM);
  const from = options.behaviours.length > 0 ? options.behaviours : BEHAVIOURS;
  const left = Array.from({ length: validators }, (_, i) => i);
  return Array.from({ length: byzantine }, () => {
    const [index = 0] = left.splice(prng.below(left.length), 1);
    const first = prng.pick(from);
    const second = prng.chance(TWO_BEHAVIOURS) ? prng.pick(from) : undefined;
    const behaviours = [first, second].filter((name) => name !== undefined);
    return { index, behaviours: [...new Set(behaviours)] };
  }).sort((a, b) => a.index - b.index);
}

/** By index of the member. A behaviour begins anew whenever its node starts. */
export function disguisesOf(members: readonly FaultyMember[]): Map<number, Disguise> {
  const faulty: ReadonlySet<number> = new Set(members.map(({ index }) => index));
  return new Map(
    members.map(({ index, behaviours }) => [
      index,
      {
        honest: false,
        wrap: (node, seat) => new ByzantineMember(node, seat, behaviours.map(behaviourOf), faulty),
      },
    ]),
  );
}
