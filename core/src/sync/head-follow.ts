/**
 * From certificate to certificate (design/light-client.md, "Full replay"): a node that is near the
 * head asks for the waves that a certificate it holds covers, records and transactions in one
 * question, so that a wave is executed one round trip after its certificate was heard. What comes
 * beyond the newest certificate waits for the next one, which then costs no round trip at all.
 *
 * Peers are anybody and are trusted with nothing. A wave is handed out when its record is linked, by
 * prev_digest, to one whose digest a certificate names; its transactions are believed by what they
 * do. One question is under way at a time. What takes more than one answer is left to `wave-sync.ts`.
 */
import { equalBytes, isPydeError } from '../bytes/index.ts';
import { verifyLink } from '../finality/index.ts';
import { type Hash, type WaveCommitRecord, waveDigest } from '../types/index.ts';
import { syncError } from './error.ts';
import type { PeerRanking } from './peer-ranking.ts';
import type { QuestionPace } from './question-pace.ts';
import {
  decodeWaves,
  encodeWantWaves,
  FULL_ANSWER_BYTES,
  MAX_PARTS,
  type WavePart,
} from './wave-messages.ts';
import type { SyncedWave } from './wave-sync.ts';

/** A wave that a certificate was verified for. */
export interface CertifiedWave {
  readonly waveId: bigint;
  readonly digest: Hash;
}

export type HeadFollowEffect =
  | { readonly kind: 'ask'; readonly peer: number; readonly question: Uint8Array }
  /** In order, after all that was handed out before. */
  | { readonly kind: 'execute'; readonly waves: readonly SyncedWave[] }
  /** One answer does not hold what lies between here and the next certificate. */
  | { readonly kind: 'too-far' };

export interface HeadFollowOptions {
  readonly ranking: PeerRanking;
  readonly pace: QuestionPace;
  /** The newest executed wave. */
  readonly head: WaveCommitRecord;
}

/** For an answer: four times what the last one took, doubled each time none came, within these. */
export const FIRST_TIMEOUT_MS = 1_000;
export const LAST_TIMEOUT_MS = 8_000;
/** Until a peer is asked again that had not come to the wave yet, or that refused or lied. */
const LACKING_REST_MS = 50;
const REFUSED_REST_MS = 1_000;
/** Handed out and not executed; above it nothing more is asked for. */
export const MAX_OUTSTANDING_WAVES = 256;
export const MAX_OUTSTANDING_BYTES = 16 * 1024 * 1024;
/** Certificates that wait for their waves; the newest cover the others. */
const MAX_TARGETS = 64;

/** Answers that end within a wave have at least so many; whoever makes them counts a little more. */
const LEAST_FULL_BYTES = FULL_ANSWER_BYTES / 2;

interface FetchedWave extends SyncedWave {
  readonly bytes: number;
  /** Who sent it. */
  readonly peer: number;
}

interface Question {
  readonly peer: number;
  readonly wave: bigint;
  readonly askedMs: number;
  readonly dueMs: number;
}

export class HeadFollow {
  readonly #ranking: PeerRanking;
  readonly #pace: QuestionPace;
  /** The newest wave handed out. */
  #fetched: WaveCommitRecord;
  #executed: WaveCommitRecord;
  /** Above the fetched wave, oldest first. */
  #targets: CertifiedWave[] = [];
  /** Linked to the fetched wave, and covered by no certificate yet. */
  #ahead: FetchedWave[] = [];
  /** Handed out and not executed. */
  #outstanding: FetchedWave[] = [];
  #outstandingBytes = 0;
  #question: Question | undefined;
  #timeoutMs = FIRST_TIMEOUT_MS;
  /** Peers that are not asked before a time. */
  readonly #resting = new Map<number, number>();

  constructor({ ranking, pace, head }: HeadFollowOptions) {
    this.#ranking = ranking;
    this.#pace = pace;
    this.#fetched = head;
    this.#executed = head;
  }

  /** When {@link advance} is to be called, if nothing happens before. */
  get timerMs(): number | undefined {
    if (this.#question !== undefined) return this.#question.dueMs;
    if (!this.#mayAsk) return undefined;
    const ends = [...this.#resting.values()];
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  /** The newest wave that a certificate was heard for. */
  get target(): bigint {
    return this.#targets.at(-1)?.waveId ?? this.#fetched.waveId;
  }

  /** Bytes of transactions held; for whoever watches. */
  get heldBytes(): number {
    return this.#outstandingBytes + this.#ahead.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** A certificate that holds was heard. */
  heard(target: CertifiedWave, nowMs: number): HeadFollowEffect[] {
    if (target.waveId <= this.#fetched.waveId) return [];
    const at = this.#targets.findIndex(({ waveId }) => waveId >= target.waveId);
    if (at < 0) this.#targets.push(target);
    else if (this.#targets[at]?.waveId !== target.waveId) this.#targets.splice(at, 0, target);
    if (this.#targets.length > MAX_TARGETS) this.#targets.shift();
    return [...this.#handOut(), ...this.advance(nowMs)];
  }

  /** Asks again what was not answered in time, or what somebody may have by now. */
  advance(nowMs: number): HeadFollowEffect[] {
    for (const [peer, untilMs] of this.#resting) if (untilMs <= nowMs) this.#resting.delete(peer);
    const late = this.#question;
    if (late !== undefined && nowMs >= late.dueMs) {
      this.#ranking.slow(late.peer);
      this.#rest(late.peer, nowMs + REFUSED_REST_MS);
      this.#timeoutMs = Math.min(2 * this.#timeoutMs, LAST_TIMEOUT_MS);
    }
    return this.#ask(nowMs);
  }

  /** @param bytes undefined when the peer refused or is gone */
  answer(peer: number, bytes: Uint8Array | undefined, nowMs: number): HeadFollowEffect[] {
    const question = this.#question;
    if (question?.peer !== peer) return [];
    this.#question = undefined;
    if (bytes === undefined) {
      this.#ranking.behind(peer);
      this.#rest(peer, nowMs + REFUSED_REST_MS);
      return this.#ask(nowMs);
    }
    try {
      const isFull = this.#take(question, bytes);
      const tookMs = nowMs - question.askedMs;
      this.#timeoutMs = Math.min(Math.max(FIRST_TIMEOUT_MS, 4 * tookMs), LAST_TIMEOUT_MS);
      const handedOut = this.#handOut();
      if (handedOut.length > 0) this.#ranking.right(peer);
      else this.#ranking.behind(peer);
      if (isFull && handedOut.length === 0 && this.#targets.length > 0) {
        return [{ kind: 'too-far' }];
      }
      // It has not come to the next certificate's wave yet.
      if (this.#targets.length > 0) this.#rest(peer, nowMs + LACKING_REST_MS);
      return [...handedOut, ...this.#ask(nowMs)];
    } catch (error) {
      if (!isPydeError(error)) throw error;
      this.#ahead = [];
      this.#ranking.wrong(peer);
      this.#rest(peer, nowMs + REFUSED_REST_MS);
      return this.#ask(nowMs);
    }
  }

  /** A peer is gone. */
  gone(peer: number, nowMs: number): HeadFollowEffect[] {
    this.#resting.delete(peer);
    if (this.#question?.peer === peer) this.#question = undefined;
    return this.#ask(nowMs);
  }

  /** The oldest wave that was handed out is executed. */
  executed(record: WaveCommitRecord, nowMs: number): HeadFollowEffect[] {
    this.#executed = record;
    const done = this.#outstanding.shift();
    this.#outstandingBytes -= done?.bytes ?? 0;
    return this.#ask(nowMs);
  }

  /** The oldest wave that was handed out made another record; nothing after it was executed. */
  refused(nowMs: number): HeadFollowEffect[] {
    const [wrong] = this.#outstanding;
    if (wrong !== undefined) {
      this.#ranking.wrong(wrong.peer);
      this.#rest(wrong.peer, nowMs + REFUSED_REST_MS);
    }
    const { digest, record } = wrong ?? {};
    this.restart(this.#executed);
    if (digest === undefined || record === undefined) return this.#ask(nowMs);
    // Certificates of waves that were handed out are targets again; the oldest will do.
    return this.heard({ waveId: record.waveId, digest }, nowMs);
  }

  /** Goes on from `head`, to which another way has led; nothing is outstanding. */
  restart(head: WaveCommitRecord): void {
    this.#executed = head;
    this.#fetched = head;
    this.#outstanding = [];
    this.#outstandingBytes = 0;
    this.#ahead = [];
    this.#question = undefined;
    this.#targets = this.#targets.filter(({ waveId }) => waveId > head.waveId);
  }

  get #mayAsk(): boolean {
    return (
      this.#targets.length > 0 &&
      this.#outstanding.length < MAX_OUTSTANDING_WAVES &&
      this.#outstandingBytes < MAX_OUTSTANDING_BYTES
    );
  }

  #rest(peer: number, untilMs: number): void {
    if (this.#question?.peer === peer) this.#question = undefined;
    if (this.#ranking.penaltyOf(peer) !== undefined) this.#resting.set(peer, untilMs);
  }

  #isResting(peer: number, nowMs: number): boolean {
    if (this.#resting.has(peer)) return true;
    const readyMs = this.#pace.readyMs(peer, nowMs);
    if (readyMs <= nowMs) return false;
    this.#resting.set(peer, readyMs);
    return true;
  }

  #ask(nowMs: number): HeadFollowEffect[] {
    if (this.#question !== undefined || !this.#mayAsk) return [];
    const peer = this.#ranking.best((known) => !this.#isResting(known, nowMs));
    if (peer === undefined) return [];
    this.#pace.spend(peer, nowMs);
    const wave = this.#fetched.waveId + 1n;
    this.#question = { peer, wave, askedMs: nowMs, dueMs: nowMs + this.#timeoutMs };
    const question = encodeWantWaves({ mode: 'transactions', wave, index: 0 });
    return [{ kind: 'ask', peer, question }];
  }

  /**
   * Takes the whole waves of an answer as those ahead.
   * @returns whether the answer was as large as answers get
   * @throws PydeError for an answer that cannot be one to the question
   */
  #take({ peer, wave }: Question, bytes: Uint8Array): boolean {
    const answer = decodeWaves(bytes);
    const isAnswer = answer.mode === 'transactions' && answer.wave === wave && answer.index === 0;
    if (!isAnswer) {
      throw syncError('sync.unasked', `an answer about wave ${answer.wave}, asked was ${wave}`);
    }
    const isFull = bytes.length >= LEAST_FULL_BYTES || answer.parts.length === MAX_PARTS;
    // Other waves may have been handed out since it was asked.
    const fetched = this.#fetched.waveId;
    let last = this.#fetched;
    const ahead: FetchedWave[] = [];
    for (const [i, part] of answer.parts.entries()) {
      if (part.record.waveId <= fetched) continue;
      verifyLink(last, part.record);
      const { record, transactions } = part;
      if (transactions.length !== record.txCount) {
        const isCut = isFull && i === answer.parts.length - 1;
        if (isCut && transactions.length < record.txCount) break;
        throw syncError('sync.transactions', `wave ${record.waveId} has ${record.txCount} of them`);
      }
      ahead.push(fetchedWave(part, last, peer));
      last = record;
    }
    this.#ahead = ahead;
    return isFull;
  }

  /** What certificates cover of that which is ahead. */
  #handOut(): HeadFollowEffect[] {
    const first = this.#ahead[0]?.record.waveId;
    if (first === undefined) return [];
    let covered = 0;
    for (const { waveId, digest } of this.#targets) {
      const at = Number(waveId - first);
      const fetched = this.#ahead[at];
      if (at < 0 || fetched === undefined) continue;
      if (!equalBytes(fetched.digest, digest)) {
        // What was sent beyond the certificates of its time was no wave of this chain.
        this.#ranking.wrong(fetched.peer);
        this.#ahead = this.#ahead.slice(0, covered);
        break;
      }
      covered = at + 1;
    }
    const waves = this.#ahead.splice(0, covered);
    const newest = waves.at(-1);
    if (newest === undefined) return [];
    this.#fetched = newest.record;
    this.#targets = this.#targets.filter(({ waveId }) => waveId > newest.record.waveId);
    for (const wave of waves) {
      this.#outstanding.push(wave);
      this.#outstandingBytes += wave.bytes;
    }
    return [{ kind: 'execute', waves }];
  }
}

function fetchedWave(
  { record, transactions }: WavePart,
  prior: WaveCommitRecord,
  peer: number,
): FetchedWave {
  return {
    record,
    digest: waveDigest(record),
    priorTimestampMs: prior.timestampMs,
    transactions,
    bytes: transactions.reduce((sum, tx) => sum + tx.length, 0),
    peer,
  };
}
