/**
 * Attestations that accepted vertices carry, gathered into certificates (design/consensus.md,
 * "Finality"). An attestation counts for the author of its vertex, and only the first one for each
 * wave. A certificate needs q members with the digest that this member computed itself; f + 1
 * members with another one mean that this member is wrong and must stop.
 */
import { equalBytes } from '../bytes/index.ts';
import {
  buildCert,
  type Committee,
  type MemberSignature,
  maxFaulty,
  quorum,
} from '../finality/index.ts';
import type { VerifySignatures } from '../platform/index.ts';
import type {
  Attestation,
  HardFinalityCert,
  Hash,
  MemberIndex,
  WaveCommitRecord,
  WaveId,
} from '../types/index.ts';

/** Waves behind and ahead of the newest executed one for which attestations are kept. */
export const ATTESTED_WAVES = 256;

export type AttestationOutcome =
  | { readonly kind: 'cert'; readonly cert: HardFinalityCert }
  | { readonly kind: 'outvoted'; readonly waveId: WaveId; readonly members: readonly number[] };

const NOTHING: readonly AttestationOutcome[] = [];

/** What this member computed. */
interface OwnResult {
  readonly record: WaveCommitRecord;
  readonly digest: Hash;
}

interface AttestedWave {
  /** Undefined until the wave is executed here. */
  own: OwnResult | undefined;
  certified: boolean;
  /** By seat, and how many there are. */
  readonly byMember: (Attestation | undefined)[];
  attested: number;
  /** How many of them have another digest than `own`. */
  against: number;
}

export class AttestationPool {
  readonly #committee: Committee;
  readonly #self: MemberIndex | undefined;
  readonly #verify: VerifySignatures;
  /** By wave id as a number, which is exact for ids that are near. */
  readonly #waves = new Map<number, AttestedWave>();
  #newestExecuted: WaveId;
  /** The waves that are near lie between the two. */
  #below = 0n;
  #highest = 0n;

  /**
   * @param self whose own attestations need no check
   * @param head the newest executed wave; older ones do not matter any more unless
   * {@link executed} names them
   */
  constructor(
    committee: Committee,
    self: MemberIndex | undefined,
    head: WaveId,
    verify: VerifySignatures,
  ) {
    this.#committee = committee;
    this.#self = self;
    this.#newestExecuted = head;
    this.#verify = verify;
    this.#moveTo(head);
  }

  /** A wave was executed here; with `certified` its certificate is already kept. */
  executed(
    record: WaveCommitRecord,
    digest: Hash,
    { certified }: { readonly certified: boolean },
  ): readonly AttestationOutcome[] {
    const { waveId } = record;
    const wave = this.#wave(waveId);
    wave.own = { record, digest };
    wave.certified = certified;
    wave.against = 0;
    for (const other of wave.byMember) {
      if (other !== undefined && !equalBytes(other.digest, digest)) wave.against++;
    }
    if (waveId > this.#newestExecuted) this.#moveTo(waveId);
    for (const known of this.#waves.keys()) {
      if (!this.#isNear(BigInt(known))) this.#waves.delete(known);
    }
    return this.#judge(waveId, wave);
  }

  /** The attestations of one accepted vertex; those that do not verify are passed over. */
  add(author: MemberIndex, attestations: readonly Attestation[]): readonly AttestationOutcome[] {
    const fresh = this.#fresh(author, attestations);
    if (fresh.length === 0) return NOTHING;
    const valid = author === this.#self ? fresh : this.#verified(author, fresh);
    let outcomes = NOTHING;
    for (const attestation of valid) {
      const wave = this.#wave(attestation.waveId);
      if (wave.byMember[author] !== undefined) continue;
      wave.byMember[author] = attestation;
      wave.attested++;
      if (wave.own !== undefined && !equalBytes(attestation.digest, wave.own.digest)) {
        wave.against++;
      }
      const judged = this.#judge(attestation.waveId, wave);
      if (judged.length > 0) outcomes = [...outcomes, ...judged];
    }
    return outcomes;
  }

  /** Those that may still count. */
  #fresh(author: MemberIndex, attestations: readonly Attestation[]): readonly Attestation[] {
    for (const attestation of attestations) {
      if (this.#isFresh(author, attestation)) continue;
      return attestations.filter((other) => this.#isFresh(author, other));
    }
    return attestations;
  }

  #isFresh(author: MemberIndex, { waveId }: Attestation): boolean {
    if (!this.#isNear(waveId)) return false;
    const wave = this.#waves.get(Number(waveId));
    return wave === undefined || !(wave.certified || wave.byMember[author] !== undefined);
  }

  #judge(waveId: WaveId, wave: AttestedWave): readonly AttestationOutcome[] {
    const { own } = wave;
    if (own === undefined || wave.certified) return NOTHING;
    const size = this.#committee.members.length;
    const isOutvoted = wave.against > maxFaulty(size);
    if (!isOutvoted && wave.attested - wave.against < quorum(size)) return NOTHING;
    return [this.#outcome(waveId, wave, own, isOutvoted)];
  }

  #outcome(
    waveId: WaveId,
    wave: AttestedWave,
    own: OwnResult,
    isOutvoted: boolean,
  ): AttestationOutcome {
    const agreeing: MemberSignature[] = [];
    const others: number[] = [];
    wave.byMember.forEach((attestation, seat) => {
      if (attestation === undefined) return;
      const { digest, signature } = attestation;
      if (equalBytes(digest, own.digest)) agreeing.push({ member: seat, signature });
      else others.push(seat);
    });
    if (isOutvoted) return { kind: 'outvoted', waveId, members: others };
    wave.certified = true;
    wave.byMember.length = 0;
    wave.attested = 0;
    const size = this.#committee.members.length;
    return { kind: 'cert', cert: buildCert(own.record, agreeing, size) };
  }

  #verified(author: MemberIndex, attestations: readonly Attestation[]): readonly Attestation[] {
    const publicKey = this.#committee.members[author]?.publicKey;
    if (publicKey === undefined) return [];
    const verdicts = this.#verify(
      attestations.map(({ digest, signature }) => ({ publicKey, message: digest, signature })),
    );
    if (verdicts.every((valid) => valid)) return attestations;
    return attestations.filter((_, i) => verdicts[i] === true);
  }

  #moveTo(newestExecuted: WaveId): void {
    const span = BigInt(ATTESTED_WAVES);
    this.#newestExecuted = newestExecuted;
    this.#below = newestExecuted > span ? newestExecuted - span : 0n;
    this.#highest = newestExecuted + span;
  }

  #isNear(waveId: bigint): boolean {
    return waveId > this.#below && waveId <= this.#highest;
  }

  #wave(waveId: WaveId): AttestedWave {
    let wave = this.#waves.get(Number(waveId));
    if (wave === undefined) {
      const byMember = this.#committee.members.map(() => undefined);
      wave = { own: undefined, certified: false, byMember, attested: 0, against: 0 };
      this.#waves.set(Number(waveId), wave);
    }
    return wave;
  }
}
