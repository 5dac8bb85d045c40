import { describe, expect, it } from 'vitest';
import { MAX_VERTEX_ATTESTATIONS, toWaveId, waveDigest } from '../types/index.ts';
import { OwnAttestations } from './own-attestations.ts';
import { GENESIS_RECORD, testSigner } from './testing.ts';

const real = testSigner(0);

/** Waves 1 to `count` wait; what is signed is counted. */
function waiting(count: number) {
  const attestations = new OwnAttestations();
  for (let wave = 1; wave <= count; wave++) {
    const record = { ...GENESIS_RECORD, waveId: toWaveId(BigInt(wave)) };
    attestations.add(record, waveDigest(record));
  }
  const signed: Uint8Array[] = [];
  const sign: typeof real.sign = (digest) => {
    signed.push(digest);
    return real.sign(digest);
  };
  return { attestations, signed, signer: { ...real, sign } };
}

describe('OwnAttestations', () => {
  it('signs nothing again that was signed ahead', () => {
    const { attestations, signed, signer } = waiting(3);
    expect(attestations.signAhead(signer)).toBe(true);
    expect(signed).toHaveLength(1);
    const taken = attestations.take(signer);
    expect(taken.map(({ waveId }) => waveId)).toEqual([3n, 2n, 1n]);
    expect(new Set(signed)).toEqual(new Set(taken.map(({ digest }) => digest)));
    expect(signed).toHaveLength(3);
  });

  it('repeats that of a closing wave, first, until it is certified, and signs it once', () => {
    const { attestations, signed, signer } = waiting(2 * MAX_VERTEX_ATTESTATIONS);
    const { prevDigest: nextBeacon } = GENESIS_RECORD;
    const closing = { ...GENESIS_RECORD, waveId: toWaveId(40n), nextBeacon };
    attestations.add(closing, waveDigest(closing));
    const taken = [1, 2, 3, 4].map(() => attestations.take(signer).map(({ waveId }) => waveId));
    expect(taken.map(([first]) => first)).toEqual([40n, 40n, 40n, 40n]);
    expect(taken.map(({ length }) => length)).toEqual([8, 8, 3, 1]);
    expect(signed).toHaveLength(2 * MAX_VERTEX_ATTESTATIONS + 1);
    attestations.settleClosing();
    expect(attestations.take(signer)).toEqual([]);
  });

  it('signs ahead what the next vertex takes and no more', () => {
    const { attestations, signed, signer } = waiting(MAX_VERTEX_ATTESTATIONS + 3);
    let rounds = 0;
    while (attestations.signAhead(signer)) rounds++;
    expect(rounds).toBe(MAX_VERTEX_ATTESTATIONS);
    attestations.take(signer);
    expect(signed).toHaveLength(MAX_VERTEX_ATTESTATIONS);
    expect(attestations.signAhead(signer)).toBe(true);
  });
});
