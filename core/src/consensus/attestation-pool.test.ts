import { describe, expect, it } from 'vitest';
import { falconVerifyBatch } from '../crypto/index.ts';
import { verifyCert } from '../finality/index.ts';
import {
  type Attestation,
  signerIndexes,
  toHash,
  toMemberIndex,
  toWaveId,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';
import { ATTESTED_WAVES, type AttestationOutcome, AttestationPool } from './attestation-pool.ts';
import { OwnAttestations } from './own-attestations.ts';
import { CHAIN_ID, GENESIS_RECORD, nameOf, testCommittee, testSigner } from './testing.ts';

const committee = testCommittee(4);
const seat = toMemberIndex;
const record = (waveId: bigint): WaveCommitRecord => ({
  ...GENESIS_RECORD,
  waveId: toWaveId(waveId),
});
const signers = [0, 1, 2, 3].map((i) => testSigner(i));

function attest(member: number, waveId: bigint, digest = waveDigest(record(waveId))): Attestation {
  const signature = signers[member]?.sign(digest);
  if (signature === undefined) throw new Error('no such member');
  return { waveId: toWaveId(waveId), digest, signature };
}
const wrong = toHash(nameOf('another result'));
const fresh = (): AttestationPool =>
  new AttestationPool(committee, seat(0), toWaveId(0n), falconVerifyBatch);
const execute = (pool: AttestationPool, waveId: bigint): readonly AttestationOutcome[] =>
  pool.executed(record(waveId), waveDigest(record(waveId)), { certified: false });

describe('attestations', () => {
  it('of q members with the digest computed here make a certificate that verifies', () => {
    const pool = fresh();
    execute(pool, 1n);
    expect(pool.add(seat(0), [attest(0, 1n)])).toEqual([]);
    expect(pool.add(seat(3), [attest(3, 1n)])).toEqual([]);
    const [outcome] = pool.add(seat(1), [attest(1, 1n)]);
    if (outcome?.kind !== 'cert') throw new Error('no certificate');
    expect(signerIndexes(outcome.cert.signers)).toEqual([0, 1, 3]);
    verifyCert(outcome.cert, committee, { chainId: CHAIN_ID });
    expect(pool.add(seat(2), [attest(2, 1n)])).toEqual([]);
  });

  it('wait for the wave to be executed here', () => {
    const pool = fresh();
    for (const member of [1, 2, 3])
      expect(pool.add(seat(member), [attest(member, 2n)])).toEqual([]);
    execute(pool, 1n);
    expect(execute(pool, 2n).map(({ kind }) => kind)).toEqual(['cert']);
  });

  it('count once a member', () => {
    const pool = fresh();
    execute(pool, 1n);
    for (let i = 0; i < 4; i++)
      expect(pool.add(seat(1), [attest(1, 1n), attest(1, 1n)])).toEqual([]);
  });

  it('count once a member also against a result, the first of each', () => {
    const pool = fresh();
    execute(pool, 1n);
    const twice = [attest(1, 1n, wrong), attest(1, 1n, wrong)];
    expect(pool.add(seat(1), twice)).toEqual([]);
    expect(pool.add(seat(1), twice)).toEqual([]);
    // Neither does it take its word back.
    expect(pool.add(seat(1), [attest(1, 1n)])).toEqual([]);
    pool.add(seat(0), [attest(0, 1n)]);
    expect(pool.add(seat(2), [attest(2, 1n)])).toEqual([]);
    expect(pool.add(seat(3), [attest(3, 1n)]).map(({ kind }) => kind)).toEqual(['cert']);
  });

  it('of another digest stop this member at f + 1 of them, not at f', () => {
    const pool = fresh();
    execute(pool, 1n);
    expect(pool.add(seat(1), [attest(1, 1n, wrong)])).toEqual([]);
    expect(pool.add(seat(2), [attest(2, 1n, wrong)])).toEqual([
      { kind: 'outvoted', waveId: 1n, members: [1, 2] },
    ]);
    const late = fresh();
    late.add(seat(1), [attest(1, 1n, wrong)]);
    late.add(seat(2), [attest(2, 1n, wrong)]);
    expect(execute(late, 1n).map(({ kind }) => kind)).toEqual(['outvoted']);
  });

  it('signed by someone else count for nothing', () => {
    const pool = fresh();
    execute(pool, 1n);
    pool.add(seat(0), [attest(0, 1n)]);
    pool.add(seat(1), [attest(1, 1n)]);
    expect(pool.add(seat(2), [attest(3, 1n)])).toEqual([]);
    expect(pool.add(seat(2), [attest(2, 1n)]).map(({ kind }) => kind)).toEqual(['cert']);
  });

  it('far from the newest executed wave are not kept', () => {
    const span = BigInt(ATTESTED_WAVES);
    const pool = fresh();
    const far = span + 1n;
    for (const member of [1, 2, 3]) pool.add(seat(member), [attest(member, far)]);
    for (const member of [1, 2, 3]) pool.add(seat(member), [attest(member, 0n)]);
    expect(execute(pool, far)).toEqual([]);
    // Wave 1 is now too far behind.
    execute(pool, 1n);
    for (const member of [1, 2, 3]) {
      expect(pool.add(seat(member), [attest(member, 1n)])).toEqual([]);
    }
  });

  it('of a wave whose certificate is kept already are done with', () => {
    const pool = fresh();
    pool.executed(record(1n), waveDigest(record(1n)), { certified: true });
    for (const member of [1, 2, 3])
      expect(pool.add(seat(member), [attest(member, 1n)])).toEqual([]);
  });
});

describe('own attestations', () => {
  it('go out newest first, eight a vertex, and are urgent while a wave had transactions', () => {
    const own = new OwnAttestations();
    for (let wave = 1n; wave <= 10n; wave++) {
      const executed = { ...record(wave), txCount: wave === 2n ? 3 : 0 };
      own.add(executed, waveDigest(executed));
    }
    expect(own.urgent).toBe(true);
    const signer = testSigner(0);
    expect(own.take(signer).map(({ waveId }) => waveId)).toEqual([10n, 9n, 8n, 7n, 6n, 5n, 4n, 3n]);
    expect(own.urgent).toBe(true);
    expect(own.take(signer).map(({ waveId }) => waveId)).toEqual([2n, 1n]);
    expect(own.urgent).toBe(false);
    expect(own.take(signer)).toEqual([]);
  });

  it('are bounded, the oldest given up', () => {
    const own = new OwnAttestations();
    for (let wave = 1n; wave <= 200n; wave++) own.add(record(wave), waveDigest(record(wave)));
    const taken: bigint[] = [];
    for (let i = 0; i < 100; i++)
      taken.push(...own.take(testSigner(0)).map(({ waveId }) => waveId));
    expect(taken.length).toBe(64);
    expect(taken.at(-1)).toBe(137n);
  });
});
