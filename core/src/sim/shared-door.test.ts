import { describe, expect, it } from 'vitest';
import { frameMessage, openMessage, VERTEX_DOOR, type VertexRules } from '../consensus/index.ts';
import { genesisCommittee } from '../finality/index.ts';
import {
  encodeVertex,
  genesisVertexHash,
  toEpoch,
  toFalconSignature,
  toHash,
  toMemberIndex,
  toRound,
  type UnsignedVertex,
  vertexHash,
} from '../types/index.ts';
import { sharedDoor } from './shared-door.ts';
import { keyedSignatures } from './signatures.ts';
import { SIM_CHAIN_ID, simGenesis } from './sim-genesis.ts';

const MEMBERS = 4;
const PACE = { minRoundDelayMs: 0, idleRoundMs: 500, gcRounds: 60, epochDurationMs: 3_600_000 };
const signatures = keyedSignatures(1, MEMBERS);
const start = toHash(new Uint8Array(32));
const unsigned: UnsignedVertex = {
  chainId: SIM_CHAIN_ID,
  epoch: toEpoch(0),
  round: toRound(1),
  author: toMemberIndex(2),
  timestampMs: 5n,
  parents: [0, 1, 2, 3].map(toMemberIndex).map((author) => ({
    author,
    name: genesisVertexHash(start, toEpoch(0), author),
  })),
  weakParents: [],
  batches: [],
  attestations: [],
};
const name = vertexHash(unsigned);
const signer = signatures.signers[2];
if (signer === undefined) throw new Error('every member signs');
const bytes = encodeVertex({ ...unsigned, signature: signer.sign(name) });

/** Rules of one member, which has read its committee for itself, and what it had verified. */
function rules(verified: string[], of: string): VertexRules {
  return {
    chainId: SIM_CHAIN_ID,
    committee: genesisCommittee(simGenesis(signatures, MEMBERS, PACE)),
    verify: (checks) => {
      verified.push(of);
      return signatures.verify(checks);
    },
  };
}

describe('the shared door', () => {
  it('opens what a member on its own does, once for the same bytes', () => {
    const door = sharedDoor();
    const opened = door.open(bytes);
    expect({ vertex: opened.vertex, name: opened.name }).toEqual(VERTEX_DOOR.open(bytes));
    expect(opened.name).toEqual(name);
    expect(door.open(bytes)).toBe(opened);
    expect(door.open(bytes.slice())).not.toBe(opened);
  });

  it('judges once for all members of equal committees, and anew for others', () => {
    const door = sharedDoor();
    const verified: string[] = [];
    door.judge(door.open(bytes), rules(verified, 'a'));
    door.judge(door.open(bytes), rules(verified, 'b'));
    expect(verified).toEqual(['a']);
    const other = rules(verified, 'c');
    const [first, second, ...rest] = other.committee.members;
    if (first === undefined || second === undefined) throw new Error('there are four members');
    const swapped = { ...other.committee, members: [second, first, ...rest] };
    door.judge(door.open(bytes), { ...other, committee: swapped });
    expect(verified).toEqual(['a', 'c']);
    expect(() => door.judge(door.open(bytes), { ...other, chainId: 7n })).toThrow('of chain');
  });

  it('refuses a vertex to every member that brings it', () => {
    const door = sharedDoor();
    const verified: string[] = [];
    const signature = toFalconSignature(signer.sign(name).map((b, i) => (i === 9 ? b ^ 1 : b)));
    const forged = encodeVertex({ ...unsigned, signature });
    for (const member of ['a', 'b']) {
      expect(() => door.judge(door.open(forged), rules(verified, member))).toThrow('signature');
    }
    expect(verified).toEqual(['a', 'b']);
  });

  it('frames the same bytes as one message', () => {
    const door = sharedDoor();
    const message = door.frame(bytes);
    expect(message).toEqual(frameMessage('vertex', bytes));
    expect(door.frame(bytes)).toBe(message);
    expect(door.open(openMessage(message).bytes).name).toEqual(name);
  });
});
