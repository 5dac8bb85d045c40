import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeExactly, isPydeError } from '../bytes/index.ts';
import { FalconSigner } from '../crypto/index.ts';
import { testKey } from '../crypto/testing.ts';
import {
  type HardFinalityCert,
  readHardFinalityCert,
  toAddress,
  toEpoch,
  toFalconPublicKey,
  toFalconSignature,
  toHash,
  toQuanta,
  toRound,
  toVertexHash,
  toWaveId,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';
import { buildCert, encodeCert, type MemberSignature, signerBitmap, verifyCert } from './cert.ts';
import { verifyCertChain, verifyLink } from './cert-chain.ts';
import { type Committee, maxFaulty, quorum } from './committee.ts';

const CHAIN_ID = 31_337n;
const bytes32 = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);

function committeeOf(...keys: readonly number[]): Committee {
  const members = keys.map((i) => ({
    address: toAddress(testKey(i).address),
    publicKey: toFalconPublicKey(testKey(i).publicKey),
  }));
  return { epoch: toEpoch(0), members };
}
const committee = committeeOf(0, 1, 2, 3);

function recordAfter(previous: WaveCommitRecord | undefined): WaveCommitRecord {
  return {
    chainId: CHAIN_ID,
    epoch: toEpoch(0),
    waveId: toWaveId((previous?.waveId ?? 0n) + 1n),
    anchorRound: toRound((previous?.anchorRound ?? 0) + 1),
    priorAnchorRound: toRound(previous?.anchorRound ?? 0),
    anchorHash: toVertexHash(bytes32(1)),
    prevDigest: previous === undefined ? toHash(bytes32(0)) : waveDigest(previous),
    timestampMs: (previous?.timestampMs ?? 0n) + 5n,
    stateRoot: { blake3: toHash(bytes32(2)), poseidon2: toHash(bytes32(3)) },
    eventsRoot: toHash(bytes32(0)),
    eventsBloom: new Uint8Array(256),
    txRoot: toHash(bytes32(0)),
    txCount: 0,
    eventsCount: 0,
    gasUsed: 0n,
    baseFee: toQuanta(1n),
    nextBeacon: undefined,
    nextCommitteeHash: undefined,
  };
}
const first = recordAfter(undefined);

function sign(record: WaveCommitRecord, ...members: readonly number[]): MemberSignature[] {
  return members.map((member) => {
    const signer = new FalconSigner(testKey(member).secretKey, (length) =>
      Uint8Array.from({ length }, (_, i) => (i * 7 + member) & 255),
    );
    return { member, signature: toFalconSignature(signer.sign(waveDigest(record))) };
  });
}
const certOf = (record: WaveCommitRecord): HardFinalityCert =>
  buildCert(record, sign(record, 0, 1, 3), 4);

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (error) {
    return isPydeError(error) ? error.code : `defect: ${error}`;
  }
}
const verdict = (cert: HardFinalityCert, by = committee, chainId = CHAIN_ID): string =>
  codeOf(() => verifyCert(cert, by, { chainId }));

describe('quorums', () => {
  it('are n - f, with n > 3f: 1 of 1, 3 of 4, 5 of 7, 86 of 128', () => {
    expect([1, 2, 3, 4, 7, 10, 128].map(quorum)).toEqual([1, 2, 3, 3, 5, 7, 86]);
    expect([1, 3, 4, 7, 128].map(maxFaulty)).toEqual([0, 0, 1, 2, 42]);
  });

  it('share an honest member, and are reached without the faulty ones', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 128 }), (n) => {
        const overlap = 2 * quorum(n) - n;
        return overlap > maxFaulty(n) && n - maxFaulty(n) >= quorum(n);
      }),
    );
  });
});

describe('a certificate', () => {
  const good = certOf(first);

  it('of q signatures holds, and answers the digest of the record', () => {
    expect(verifyCert(good, committee, { chainId: CHAIN_ID })).toEqual(waveDigest(first));
    expect(verdict(buildCert(first, sign(first, 0, 1, 2, 3), 4))).toBe('accepted');
    expect(verdict(buildCert(first, sign(first, 0), 1), committeeOf(0))).toBe('accepted');
  });

  it('survives its encoding', () => {
    expect(decodeExactly(encodeCert(good), readHardFinalityCert)).toEqual(good);
  });

  it('of another chain is refused', () => {
    expect(verdict(good, committee, 1n)).toBe('cert.chain-id');
  });

  it('of another epoch is refused', () => {
    expect(verdict(good, { ...committee, epoch: toEpoch(1) })).toBe('cert.epoch');
  });

  it('of genesis is refused', () => {
    expect(verdict(certOf({ ...first, waveId: toWaveId(0n) }))).toBe('cert.genesis');
  });

  it('with a bitmap of another length is refused', () => {
    expect(verdict({ ...good, signers: Uint8Array.of(0b1011, 0) })).toBe('cert.bitmap-length');
    expect(verdict({ ...good, signers: new Uint8Array(0) })).toBe('cert.bitmap-length');
  });

  it('that names a member outside the committee is refused', () => {
    expect(verdict({ ...good, signers: Uint8Array.of(0b10_0011) })).toBe('cert.unknown-signer');
  });

  it('with more or fewer signatures than the bitmap names is refused', () => {
    expect(verdict({ ...good, signers: Uint8Array.of(0b1111) })).toBe('cert.signature-count');
    expect(verdict({ ...good, signatures: good.signatures.slice(1) })).toBe('cert.signature-count');
  });

  it('one signature short is refused', () => {
    const short = {
      record: first,
      signers: Uint8Array.of(0b0011),
      signatures: good.signatures.slice(0, 2),
    };
    expect(verdict(short)).toBe('cert.quorum');
    expect(codeOf(() => buildCert(first, sign(first, 0, 1), 4))).toBe('cert.quorum');
  });

  it('with a signature of another member, in another order, or twice the same, is refused', () => {
    const [a, b, c] = good.signatures;
    if (a === undefined || b === undefined || c === undefined) throw new Error('three signatures');
    expect(verdict({ ...good, signers: Uint8Array.of(0b0111) })).toBe('cert.signature');
    expect(verdict({ ...good, signatures: [b, a, c] })).toBe('cert.signature');
    expect(verdict({ ...good, signatures: [a, a, c] })).toBe('cert.signature');
  });

  it('with one bit of a signature or of the record changed is refused', () => {
    const [a, ...others] = good.signatures;
    const bent = toFalconSignature(Uint8Array.from(a ?? []));
    bent[300] = (bent[300] ?? 0) ^ 1;
    expect(verdict({ ...good, signatures: [bent, ...others] })).toBe('cert.signature');
    expect(verdict({ ...good, record: { ...first, gasUsed: 1n } })).toBe('cert.signature');
  });

  it('of another committee is refused', () => {
    expect(verdict(good, committeeOf(0, 1, 2, 4))).toBe('cert.signature');
  });
});

describe('the list of signers', () => {
  it('becomes a bitmap, lowest bit first', () => {
    expect(signerBitmap([0, 3, 9], 10)).toEqual(Uint8Array.of(0b1001, 0b10));
  });

  it('names each member once, in order, within the committee', () => {
    expect(codeOf(() => signerBitmap([0, 2, 2], 4))).toBe('cert.duplicate-signer');
    expect(codeOf(() => signerBitmap([2, 0, 1], 4))).toBe('cert.signer-order');
    expect(codeOf(() => signerBitmap([0, 1, 4], 4))).toBe('cert.unknown-signer');
    expect(codeOf(() => signerBitmap([-1, 1, 2], 4))).toBe('cert.unknown-signer');
    expect(codeOf(() => signerBitmap([0.5], 4))).toBe('cert.unknown-signer');
  });
});

describe('a chain of records under one certificate', () => {
  const second = recordAfter(first);
  const third = recordAfter(second);
  const check = (
    between: readonly WaveCommitRecord[],
    last: WaveCommitRecord,
    trusted = first,
  ): string =>
    codeOf(() => verifyCertChain(trusted, between, certOf(last), committee, { chainId: CHAIN_ID }));

  it('holds when every record names the digest of the one before', () => {
    expect(check([second], third)).toBe('accepted');
    expect(check([], second)).toBe('accepted');
  });

  it('with a wave left out is refused', () => {
    expect(check([], third)).toBe('cert.wave-gap');
  });

  it('that names another record is refused', () => {
    expect(check([{ ...second, gasUsed: 1n }], third)).toBe('cert.prev-digest');
    expect(check([second], third, { ...first, gasUsed: 1n })).toBe('cert.prev-digest');
  });

  it('of several chains, or with an epoch that nothing closed, is refused', () => {
    expect(check([{ ...second, chainId: 1n }], third)).toBe('cert.chain-id');
    expect(check([], { ...second, epoch: toEpoch(1) })).toBe('cert.epoch');
  });

  it('that does not move on in time, or whose anchors do not follow, is refused', () => {
    expect(check([], { ...second, timestampMs: first.timestampMs })).toBe('cert.timestamp');
    expect(check([], { ...second, anchorRound: second.priorAnchorRound })).toBe(
      'cert.anchor-round',
    );
    expect(check([], { ...second, priorAnchorRound: toRound(0) })).toBe('cert.anchor-round');
  });

  it('begins rounds anew after a record that closes its epoch, and goes on in no other way', () => {
    const hash = toHash(new Uint8Array(32).fill(9));
    const closing = { ...second, nextBeacon: hash, nextCommitteeHash: hash };
    const next = {
      ...recordAfter(closing),
      epoch: toEpoch(1),
      priorAnchorRound: toRound(0),
      anchorRound: toRound(1),
    };
    const link = (record: WaveCommitRecord): string => codeOf(() => verifyLink(closing, record));
    expect(link(next)).toBe('accepted');
    expect(link(recordAfter(closing))).toBe('cert.epoch');
    expect(link({ ...next, epoch: toEpoch(2) })).toBe('cert.epoch');
    expect(link({ ...next, priorAnchorRound: closing.anchorRound })).toBe('cert.anchor-round');
    expect(link({ ...next, anchorRound: toRound(0) })).toBe('cert.anchor-round');
  });

  it('under a certificate that does not hold is refused', () => {
    const cert = { ...certOf(second), signers: Uint8Array.of(0b0111) };
    expect(codeOf(() => verifyCertChain(first, [], cert, committee, { chainId: CHAIN_ID }))).toBe(
      'cert.signature',
    );
  });
});
