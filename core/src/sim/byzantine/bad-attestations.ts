/** Attests another result, two results, what it did not sign, waves that nobody has come to. */
import {
  type Attestation,
  MAX_VERTEX_ATTESTATIONS,
  toFalconSignature,
  toHash,
  toWaveId,
} from '../../types/index.ts';
import type { Behaviour, Stage } from './behaviour.ts';

const SO_OFTEN = 600_000;

export const badAttestations = (): Behaviour => ({
  versions(draft, stage) {
    const vertex = draft.on(0);
    if (!stage.prng.chance(SO_OFTEN)) return [{ line: 0, vertex }];
    const attestations = vertex.attestations
      .flatMap((attestation) => bend(attestation, stage))
      .slice(0, MAX_VERTEX_ATTESTATIONS);
    return [{ line: 0, vertex: { ...vertex, attestations } }];
  },
});

function bend(attestation: Attestation, stage: Stage): Attestation[] {
  const { prng, signer } = stage;
  const digest = toHash(prng.bytes(32));
  const other = { ...attestation, digest, signature: signer.sign(digest) };
  switch (prng.below(6)) {
    case 0:
      return [other];
    case 1:
      return [attestation, other];
    case 2:
      return [other, attestation];
    case 3:
      return [{ ...attestation, signature: toFalconSignature(badSignature(attestation)) }];
    case 4:
      return [{ ...attestation, digest }];
    default: {
      const leads = [0n, attestation.waveId + 1n, attestation.waveId + 1_000n, 2n ** 63n];
      const waveId = toWaveId(prng.pick(leads) ?? 0n);
      return [attestation, { ...other, waveId }];
    }
  }
}

const badSignature = ({ signature }: Attestation): Uint8Array =>
  signature.map((byte, i) => (i === 100 ? byte ^ 1 : byte));
