/**
 * Waves that this member executed and has yet to attest in one of its vertices, newest first
 * (design/consensus.md, "Finality"). A wave that falls out of the bound is still covered: the
 * digest chain makes a later certificate vouch for it. That of the wave which closes the epoch goes
 * into every vertex until its certificate is there, since no later wave can vouch for it.
 */
import type { Signer } from '../finality/index.ts';
import {
  type Attestation,
  type Hash,
  MAX_VERTEX_ATTESTATIONS,
  type WaveCommitRecord,
  type WaveId,
} from '../types/index.ts';
import { mayAttest, type SigningMark } from './signing-floor.ts';

export const MAX_WAITING_ATTESTATIONS = 64;

interface WaitingAttestation {
  readonly waveId: WaveId;
  readonly digest: Hash;
  readonly carriesTransactions: boolean;
  /** Made ahead, or when a vertex takes it. */
  signature?: Attestation['signature'];
}

export class OwnAttestations {
  readonly #floor: SigningMark | undefined;
  /** In wave order. */
  readonly #waiting: WaitingAttestation[] = [];
  #closing: WaitingAttestation | undefined;
  /** Signed once, however often it is sent. */
  #signedClosing: Attestation | undefined;

  /** @param floor what this member's key attested elsewhere: nothing is said against it */
  constructor(floor?: SigningMark) {
    this.#floor = floor;
  }

  add(record: WaveCommitRecord, digest: Hash): void {
    const { waveId, txCount, nextBeacon } = record;
    if (!mayAttest(this.#floor, waveId, digest)) return;
    const attestation: WaitingAttestation = { waveId, digest, carriesTransactions: txCount > 0 };
    if (nextBeacon !== undefined) {
      this.#closing = attestation;
      return;
    }
    this.#waiting.push(attestation);
    if (this.#waiting.length > MAX_WAITING_ATTESTATIONS) this.#waiting.shift();
  }

  /** Does someone wait for the certificate of one of these waves? */
  get urgent(): boolean {
    const closingIsNew = this.#closing !== undefined && this.#signedClosing === undefined;
    return closingIsNew || this.#waiting.some(({ carriesTransactions }) => carriesTransactions);
  }

  /** The wave that closes the epoch has its certificate. */
  settleClosing(): void {
    this.#closing = undefined;
    this.#signedClosing = undefined;
  }

  /**
   * Signs one that the next vertex takes, while there is time.
   * @returns whether there was one
   */
  signAhead(signer: Signer): boolean {
    const next = this.#waiting.slice(-MAX_VERTEX_ATTESTATIONS);
    const unsigned = next.find(({ signature }) => signature === undefined);
    if (unsigned !== undefined) unsigned.signature = signer.sign(unsigned.digest);
    return unsigned !== undefined;
  }

  /** Signs and takes as many as a vertex holds. */
  take(signer: Signer): Attestation[] {
    const sign = ({ waveId, digest, signature }: WaitingAttestation): Attestation => ({
      waveId,
      digest,
      signature: signature ?? signer.sign(digest),
    });
    if (this.#closing !== undefined) this.#signedClosing ??= sign(this.#closing);
    const closing = this.#signedClosing === undefined ? [] : [this.#signedClosing];
    const taken = this.#waiting.splice(closing.length - MAX_VERTEX_ATTESTATIONS).reverse();
    return [...closing, ...taken.map(sign)];
  }
}
