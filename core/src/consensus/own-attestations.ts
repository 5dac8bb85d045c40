/**
 * Waves that this member executed and has yet to attest in one of its vertices, newest first
 * (design/consensus.md, "Finality"). A wave that falls out of the bound is still covered: the
 * digest chain makes a later certificate vouch for it.
 */
import type { Signer } from '../finality/index.ts';
import {
  type Attestation,
  type Hash,
  MAX_VERTEX_ATTESTATIONS,
  type WaveCommitRecord,
  type WaveId,
} from '../types/index.ts';

export const MAX_WAITING_ATTESTATIONS = 64;

interface WaitingAttestation {
  readonly waveId: WaveId;
  readonly digest: Hash;
  readonly carriesTransactions: boolean;
}

export class OwnAttestations {
  /** In wave order. */
  readonly #waiting: WaitingAttestation[] = [];

  add(record: WaveCommitRecord, digest: Hash): void {
    const carriesTransactions = record.txCount > 0;
    this.#waiting.push({ waveId: record.waveId, digest, carriesTransactions });
    if (this.#waiting.length > MAX_WAITING_ATTESTATIONS) this.#waiting.shift();
  }

  /** Does someone wait for the certificate of one of these waves? */
  get urgent(): boolean {
    return this.#waiting.some(({ carriesTransactions }) => carriesTransactions);
  }

  /** Signs and takes as many as a vertex holds. */
  take(signer: Signer): Attestation[] {
    const taken = this.#waiting.splice(-MAX_VERTEX_ATTESTATIONS).reverse();
    return taken.map(({ waveId, digest }) => ({ waveId, digest, signature: signer.sign(digest) }));
  }
}
