/** What other members send: frames, and vertices and batches that reach the machine. */
import { concatBytes, decodeExactly, encode, isPydeError, PydeError } from '../../bytes/index.ts';
import { bytesTarget, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import { recordLayout } from '../../bytes/testing/layout.ts';
import { mutateField } from '../../bytes/testing/mutation.ts';
import type { SeededRandom } from '../../bytes/testing/random.ts';
import { ManualClock, MemoryStore } from '../../platform/index.ts';
import { TABLE, Table } from '../../state/index.ts';
import {
  decodeBatch,
  decodeVertex,
  encodeBatch,
  encodeVertex,
  genesisVertexHash,
  MAX_BATCH_BYTES,
  toBatchHash,
  toEpoch,
  toMemberIndex,
  toRound,
  toVertexHash,
  type UnsignedVertex,
} from '../../types/index.ts';
import {
  decodeHashes,
  decodeRefs,
  decodeRounds,
  decodeWantRounds,
  encodeHashes,
  encodeRefs,
  encodeRounds,
  encodeWantRounds,
} from '../fetch-message.ts';
import { frameMessage, openMessage } from '../message.ts';
import { ConsensusRecords } from '../records.ts';
import {
  CHAIN_ID,
  GENESIS_MS,
  START,
  signVertex,
  TestMember,
  testCommittee,
  testSigner,
  testTransaction,
} from '../testing.ts';

const SIZE = 4;
const committee = testCommittee(SIZE);
const signers = Array.from({ length: SIZE }, (_, seat) => testSigner(seat));
const epoch = toEpoch(0);

const unsigned = (author: number): UnsignedVertex => ({
  chainId: CHAIN_ID,
  epoch,
  round: toRound(1),
  author: toMemberIndex(author),
  timestampMs: GENESIS_MS + 1n,
  parents: Array.from({ length: SIZE }, (_, seat) => ({
    author: toMemberIndex(seat),
    name: genesisVertexHash(START, epoch, toMemberIndex(seat)),
  })),
  weakParents: [],
  batches: [],
  attestations: [],
});

function signed(vertex: UnsignedVertex): Uint8Array {
  const signer = signers[vertex.author] ?? signers[1];
  if (signer === undefined) throw new Error('there are four signers');
  return encodeVertex(signVertex(vertex, signer));
}

/** A changed vertex that its author signed all the same, so that the rules behind are reached. */
function craftSigned(random: SeededRandom, seed: Uint8Array): Uint8Array {
  const changed = mutateField(random, seed, recordLayout(seed, decodeVertex));
  try {
    return signed({ ...decodeVertex(changed), ...extras(random) });
  } catch (error) {
    if (!isPydeError(error)) throw error;
    return changed;
  }
}

/** Lists that the seeds have not, since a first vertex cannot have them. */
function extras(random: SeededRandom): Partial<UnsignedVertex> {
  const hash = new Uint8Array(32).fill(random.below(3));
  const author = toMemberIndex(random.below(SIZE + 2));
  const round = toRound(random.pick([0, 1, 2, 5, 20]));
  const weakParents = [0, 1]
    .filter(() => random.oneIn(3))
    .map(() => ({ author, round, name: toVertexHash(hash) }));
  const bytes = random.pick([1, MAX_BATCH_BYTES, MAX_BATCH_BYTES + 1]);
  const batches = [0, 1]
    .filter(() => random.oneIn(2))
    .map(() => ({ hash: toBatchHash(hash), bytes, count: 1 }));
  // A committee of four needs three.
  const parents = unsigned(0).parents.slice(0, random.below(SIZE));
  return {
    ...(random.oneIn(4) && { round: toRound(random.pick([2, 3, 60])) }),
    ...(random.oneIn(8) && { parents }),
    ...(weakParents.length > 0 && { weakParents }),
    ...(batches.length > 0 && { batches }),
  };
}

const member = async () => {
  const clock = new ManualClock(Number(GENESIS_MS) + 10);
  const opened = await TestMember.open({ committee, self: 0, clock });
  await opened.step({ kind: 'start' });
  return opened;
};
/** Batches are kept by nobody but the sender's own bound. */
const machine = await member();

const steps = (length: number) => ({
  largest: (4 << 20) + 4 * length,
  total: (32 << 20) + 64 * length,
});
const batch = encodeBatch({ transactions: [testTransaction(0), testTransaction(1)] });
/** Of epoch 0. */
const OWN = concatBytes(new TextEncoder().encode('own'), new Uint8Array(8));

const someRefs = [1, 2].map((at) => ({
  round: toRound(at),
  author: toMemberIndex(at),
  name: toVertexHash(new Uint8Array(32).fill(at)),
}));

export const consensusTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'want-vertices, want-accepted, accepted',
    seeds: [encodeRefs(someRefs), encodeRefs([])],
    decode: decodeRefs,
    encode: encodeRefs,
  }),
  bytesTarget({
    name: 'want-batches',
    seeds: [encodeHashes([toBatchHash(new Uint8Array(32).fill(7))])],
    decode: decodeHashes,
    encode: encodeHashes,
  }),
  bytesTarget({
    name: 'want-rounds',
    seeds: [encodeWantRounds({ fromRound: 3, fromAuthor: 1, toRound: 9 })],
    decode: decodeWantRounds,
    encode: encodeWantRounds,
  }),
  bytesTarget({
    name: 'rounds',
    seeds: [encodeRounds({ complete: true, vertices: [signed(unsigned(1)), new Uint8Array(3)] })],
    decode: decodeRounds,
    encode: encodeRounds,
  }),
  bytesTarget({
    name: 'frame of a message',
    seeds: [frameMessage('vertex', new Uint8Array(3)), frameMessage('batch', new Uint8Array(0))],
    decode: openMessage,
    encode: ({ kind, bytes }) => frameMessage(kind, bytes),
  }),
  bytesTarget({
    name: 'record of the own vertex',
    seeds: [concatBytes(Uint8Array.of(9), new Uint8Array(7), new Uint8Array(32).fill(1))],
    layout: (bytes) => decodeExactly(bytes, (r) => [r.u64(), r.fixed(32)]),
    decode: async (bytes) => {
      const store = new MemoryStore();
      await store.batch([new Table(store, TABLE.consensus).put(OWN, bytes)]);
      return new ConsensusRecords(store, toEpoch(0)).own();
    },
    encode: (own) =>
      own === undefined
        ? new Uint8Array(0)
        : encode((w) => w.u64(BigInt(own.round)).fixed(own.name)),
    bound: steps,
    share: 0.3,
  }),
  bytesTarget({
    name: 'vertex of another member, received',
    seeds: [1, 2, 3].map((author) => signed(unsigned(author))),
    layout: decodeVertex,
    // A member that has seen nothing yet: a second vertex of an author would be refused as such.
    decode: async (bytes) => {
      const { machine, clock } = await member();
      const message = frameMessage('vertex', bytes);
      const from = toMemberIndex(1);
      machine.step({ kind: 'message', bytes: message, from }, clock.now());
      const [refused] = machine.status.refused.keys();
      if (refused !== undefined) throw new PydeError(refused, 'refused by the machine');
    },
    craft: craftSigned,
    bound: steps,
    share: 0.25,
  }),
  bytesTarget({
    name: 'batch of another member, received',
    seeds: [batch],
    layout: decodeBatch,
    decode: async (bytes) => {
      const message = frameMessage('batch', bytes);
      await machine.step({ kind: 'message', bytes: message, from: toMemberIndex(2) });
    },
    bound: steps,
    share: 0.2,
  }),
];
