/**
 * A member's signature over the digest of a wave that it executed, carried in its next vertices
 * (design/consensus.md, "Finality"). The author is the vertex's.
 */
import type { BorshReader, BorshWriter } from '../bytes/index.ts';
import {
  FALCON_SIGNATURE_BYTES,
  type FalconSignature,
  HASH_BYTES,
  type Hash,
  toFalconSignature,
  toHash,
  toWaveId,
  type WaveId,
} from './brand.ts';

export interface Attestation {
  readonly waveId: WaveId;
  /** `Blake3("pyde/wave/1" ‖ borsh(record))`, see {@link waveDigest}. */
  readonly digest: Hash;
  readonly signature: FalconSignature;
}

export function writeAttestation(writer: BorshWriter, attestation: Attestation): void {
  writer.u64(attestation.waveId).fixed(attestation.digest).fixed(attestation.signature);
}

export function readAttestation(reader: BorshReader): Attestation {
  return {
    waveId: toWaveId(reader.u64()),
    digest: toHash(reader.fixed(HASH_BYTES)),
    signature: toFalconSignature(reader.fixed(FALCON_SIGNATURE_BYTES)),
  };
}
