import { describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { FalconSigner } from '../crypto/index.ts';
import { testKey } from '../crypto/testing.ts';
import {
  type HardFinalityCert,
  toAddress,
  toEpoch,
  toFalconPublicKey,
  toFalconSignature,
  toHash,
  toQuanta,
  toRound,
  toValidatorIndex,
  toVertexHash,
  toWaveId,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';
import { committeeHash, type SeatedValidator } from '../validators/index.ts';
import { buildCert } from './cert.ts';
import { type Committee, quorum } from './committee.ts';
import { type HandOver, namedCommittee, verifyHandOver, verifyHandOverChain } from './hand-over.ts';

const CHAIN_ID = 31_337n;
const options = { chainId: CHAIN_ID };
const fill = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const seated = (...keys: readonly number[]): SeatedValidator[] =>
  keys.map((i) => ({
    index: toValidatorIndex(i),
    publicKey: toFalconPublicKey(testKey(i).publicKey),
  }));
const committeeOf = (epoch: number, ...keys: readonly number[]): Committee => ({
  epoch: toEpoch(epoch),
  members: keys.map((i) => ({
    address: toAddress(testKey(i).address),
    publicKey: toFalconPublicKey(testKey(i).publicKey),
  })),
});

/** The record that closes `epoch` and hands over to the devnet keys `next`. */
const closingRecord = (epoch: number, next: readonly number[]): WaveCommitRecord => ({
  chainId: CHAIN_ID,
  epoch: toEpoch(epoch),
  waveId: toWaveId(BigInt(100 * (epoch + 1))),
  anchorRound: toRound(9),
  priorAnchorRound: toRound(8),
  anchorHash: toVertexHash(fill(1)),
  prevDigest: toHash(fill(2)),
  timestampMs: 5n,
  stateRoot: { blake3: toHash(fill(3)), poseidon2: toHash(fill(4)) },
  eventsRoot: toHash(fill(0)),
  eventsBloom: new Uint8Array(256),
  txRoot: toHash(fill(0)),
  txCount: 0,
  eventsCount: 0,
  gasUsed: 0n,
  baseFee: toQuanta(1n),
  nextBeacon: toHash(fill(5)),
  nextCommitteeHash: committeeHash(toEpoch(epoch + 1), seated(...next)),
});

/** Signed by the first q of the devnet keys `keys`. */
function certified(record: WaveCommitRecord, keys: readonly number[]): HardFinalityCert {
  const signatures = keys.slice(0, quorum(keys.length)).map((key, member) => {
    const signer = new FalconSigner(testKey(key).secretKey, (length) =>
      Uint8Array.from({ length }, (_, i) => (i * 5 + key) & 255),
    );
    return { member, signature: toFalconSignature(signer.sign(waveDigest(record))) };
  });
  return buildCert(record, signatures, keys.length);
}

const first = [0, 1, 2, 3];
const second = [3, 1, 4];
const third = [2, 0, 1, 4];
const handOver = (epoch: number, from: readonly number[], to: readonly number[]): HandOver => ({
  closing: certified(closingRecord(epoch, to), from),
  members: seated(...to),
});

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (error) {
    return isPydeError(error) ? error.code : `defect: ${error}`;
  }
}
const verdict = (given: HandOver, trusted = committeeOf(0, ...first)): string =>
  codeOf(() => verifyHandOver(given, trusted, options));

describe('a hand-over', () => {
  const good = handOver(0, first, second);

  it('gives the committee that a certified closing record names, in its order', () => {
    expect(verifyHandOver(good, committeeOf(0, ...first), options)).toEqual(
      committeeOf(1, ...second),
    );
  });

  it('to another list, order, index or number of members is refused', () => {
    const lists = [[3, 1], [3, 4, 1], [3, 1, 4, 0], [3, 1, 2], []];
    for (const list of lists) {
      expect(verdict({ ...good, members: seated(...list) })).toBe('cert.next-committee');
    }
    const renamed = seated(...second).map((one) => ({ ...one, index: toValidatorIndex(7) }));
    expect(verdict({ ...good, members: renamed })).toBe('cert.next-committee');
  });

  it('by a record that closes nothing is refused', () => {
    const record = { ...closingRecord(0, second), nextCommitteeHash: undefined };
    expect(verdict({ ...good, closing: certified(record, first) })).toBe('cert.not-closing');
    expect(codeOf(() => namedCommittee(record, seated(...second)))).toBe('cert.not-closing');
  });

  it('signed by another committee, or for another chain or epoch, is refused', () => {
    expect(verdict(good, committeeOf(0, ...third))).toBe('cert.signature');
    expect(verdict(good, committeeOf(1, ...first))).toBe('cert.epoch');
    const other = () => verifyHandOver(good, committeeOf(0, ...first), { chainId: 1n });
    expect(codeOf(other)).toBe('cert.chain-id');
  });

  it('to the list of another epoch is refused', () => {
    const record = {
      ...closingRecord(0, second),
      nextCommitteeHash: committeeHash(toEpoch(2), seated(...second)),
    };
    expect(verdict({ ...good, closing: certified(record, first) })).toBe('cert.next-committee');
  });
});

describe('a chain of hand-overs', () => {
  const chain = [handOver(0, first, second), handOver(1, second, third)];
  const follow = (handOvers: readonly HandOver[]): string =>
    codeOf(() => verifyHandOverChain(committeeOf(0, ...first), handOvers, options));

  it('leads from a trusted committee to the newest one', () => {
    const trusted = committeeOf(0, ...first);
    expect(verifyHandOverChain(trusted, chain, options)).toEqual(committeeOf(2, ...third));
    expect(verifyHandOverChain(trusted, [], options)).toEqual(trusted);
  });

  it('with one left out, out of order or twice is refused', () => {
    expect(follow(chain.slice(1))).toBe('cert.epoch');
    expect(follow([...chain].reverse())).toBe('cert.epoch');
    expect(follow([...chain.slice(0, 1), ...chain.slice(0, 1)])).toBe('cert.epoch');
  });

  it('whose later link is signed by an earlier committee is refused', () => {
    expect(follow([...chain.slice(0, 1), handOver(1, first, third)])).toMatch(/^cert\./);
  });
});
