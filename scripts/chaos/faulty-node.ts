/**
 * A Byzantine validator: `pyde node --validator` in all but the machine, which signs two vertices for
 * one round and tells one to each half of the committee. `faulty-node.ts CONFIG INDEX SEED`.
 */
import type { OpenNode } from '@pyde/core/node';
import { ByzantineMember } from '../../core/src/sim/byzantine/byzantine-member.ts';
import { equivocate } from '../../core/src/sim/byzantine/equivocate.ts';
import { Prng } from '../../core/src/sim/prng.ts';
import { runChanged, signerOf } from './node-process.ts';

const STREAM = 12;

const [config = '', index = '', seed = ''] = process.argv.slice(2);
const signer = await signerOf(config);

function disguise(node: OpenNode) {
  const members = node.genesis.validators.length;
  const self = Number(index);
  const prng = Prng.seeded(Number(seed), STREAM);
  const seat = { index: self, members, signer, prng };
  const member = new ByzantineMember(node, seat, [equivocate()], new Set([self]));
  return { step: member.step.bind(member), prepare: () => node.machine.prepare() };
}

await runChanged(config, { disguise });
