/** All behaviours by name. Bad shares are not among them: nothing is sealed yet. */
import { PydeError } from '../../bytes/index.ts';
import { badAttestations } from './bad-attestations.ts';
import type { Behaviour } from './behaviour.ts';
import { equivocate } from './equivocate.ts';
import { equivocatingVoter } from './equivocating-voter.ts';
import { flood } from './flood.ts';
import { futureRounds } from './future-rounds.ts';
import { garbage } from './garbage.ts';
import { inventParents } from './invent-parents.ts';
import { lies } from './lies.ts';
import { replay } from './replay.ts';
import { silence } from './silence.ts';
import { voteForNone } from './vote-for-none.ts';
import { voteStarve } from './vote-starve.ts';
import { withholdBatches } from './withhold-batches.ts';
import { withholdVertices } from './withhold-vertices.ts';
import { wrongEpoch } from './wrong-epoch.ts';

const CATALOGUE = {
  equivocate,
  'withhold-vertices': withholdVertices,
  'withhold-batches': withholdBatches,
  'vote-for-none': voteForNone,
  'vote-starve': voteStarve,
  'equivocating-voter': equivocatingVoter,
  'invent-parents': inventParents,
  'future-rounds': futureRounds,
  'wrong-epoch': wrongEpoch,
  replay,
  'bad-attestations': badAttestations,
  silence,
  lies,
  garbage,
  flood,
} as const satisfies Record<string, () => Behaviour>;

export type BehaviourName = keyof typeof CATALOGUE;

export const BEHAVIOURS: readonly BehaviourName[] = Object.keys(CATALOGUE).filter(isBehaviour);

export const behaviourOf = (name: BehaviourName): Behaviour => CATALOGUE[name]();

function isBehaviour(name: string): name is BehaviourName {
  return Object.hasOwn(CATALOGUE, name);
}

/**
 * Names with commas between.
 * @throws PydeError `sim.option`
 */
export function behaviourNames(list: string): BehaviourName[] {
  return list.split(',').map((name) => {
    if (isBehaviour(name)) return name;
    throw new PydeError(
      'sim.option',
      `there is no behaviour ${name}; there are ${BEHAVIOURS.join(', ')}`,
    );
  });
}
