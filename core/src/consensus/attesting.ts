/**
 * The attestations of one epoch (design/consensus.md, "Finality"): what this member executed goes
 * into its vertices, what others attest in theirs becomes certificates, and f + 1 of them with
 * another result stop this node. A restart goes on with what stored vertices attest.
 */
import type { Epoch, MemberIndex, Vertex } from '../types/index.ts';
import type { AttestationOutcome, AttestationPool } from './attestation-pool.ts';
import type { EffectList } from './effect-list.ts';
import type { ConsensusEvent } from './events.ts';
import type { OwnAttestations } from './own-attestations.ts';
import type { Restored } from './restore.ts';

type Executed = Pick<Extract<ConsensusEvent, { kind: 'wave-executed' }>, 'record' | 'digest'>;

export class Attesting {
  readonly #self: MemberIndex | undefined;
  readonly #records: Restored['records'];
  readonly #pool: AttestationPool;
  readonly #own: OwnAttestations;
  #isHalted = false;
  /** What the stored attestations already prove; told with the first step. */
  #restored: AttestationOutcome[];

  /** @param self without a seat nothing is attested */
  constructor(
    self: MemberIndex | undefined,
    pool: AttestationPool,
    own: OwnAttestations,
    restored: Restored,
    epoch: Epoch,
  ) {
    this.#self = self;
    this.#records = restored.records;
    this.#pool = pool;
    this.#own = own;
    this.#restored = this.#restore(restored, epoch);
  }

  /** Others attest another result: nothing more is made or executed here. */
  get isHalted(): boolean {
    return this.#isHalted;
  }

  start(effects: EffectList): void {
    this.#settle(this.#restored, effects);
    this.#restored = [];
  }

  /** The oldest committed wave was executed here. */
  executed({ record, digest }: Executed, effects: EffectList): void {
    if (this.#self !== undefined) this.#own.add(record, digest);
    this.#settle(this.#pool.executed(record, digest, { certified: false }), effects);
  }

  /** A vertex was accepted, or made. */
  accepted({ author, attestations }: Vertex, effects: EffectList): void {
    this.#settle(this.#pool.add(author, attestations), effects);
  }

  #settle(outcomes: readonly AttestationOutcome[], effects: EffectList): void {
    for (const outcome of outcomes) {
      if (outcome.kind === 'cert') {
        effects.persist([this.#records.putCert(outcome.cert)], false);
        effects.add({ kind: 'certified', cert: outcome.cert });
        if (outcome.cert.record.nextBeacon !== undefined) this.#own.settleClosing();
        continue;
      }
      this.#isHalted = true;
      const reason =
        `members ${outcome.members.join(', ')} attest another result of wave ${outcome.waveId} ` +
        'than this node computed; its software or its store is at fault';
      effects.add({ kind: 'halt', reason });
      return;
    }
  }

  /** The head is attested anew unless a stored vertex of this member does so already. */
  #restore(
    { head, headDigest, headCertified, vertices }: Restored,
    epoch: Epoch,
  ): AttestationOutcome[] {
    if (head.waveId === 0n || head.epoch !== epoch) return [];
    const outcomes = [...this.#pool.executed(head, headDigest, { certified: headCertified })];
    let attested = headCertified;
    for (const { vertex } of vertices) {
      const relevant = vertex.attestations.filter(({ waveId }) => waveId >= head.waveId);
      if (relevant.length === 0) continue;
      outcomes.push(...this.#pool.add(vertex.author, relevant));
      attested ||= vertex.author === this.#self;
    }
    // That of a closing wave goes into every vertex until its certificate is there.
    const repeats = head.nextBeacon !== undefined && !headCertified;
    if (this.#self !== undefined && (repeats || !attested)) this.#own.add(head, headDigest);
    return outcomes;
  }
}
