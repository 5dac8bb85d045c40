/**
 * Certificates by gossip (design/light-client.md; docs/protocol/network.md, "Gossip"): what is heard
 * is judged before it goes on to others, and a member publishes those that it made, one of the
 * committee for each wave as a rule.
 *
 * Judging: q signatures are checked once a wave; a wave that was accepted is passed over, and so is
 * one of an epoch whose committee this node does not know. Publishing: the member of rank
 * (wave + seat) mod n waits rank × 100 ms, the first two nothing, and keeps quiet if it hears a valid
 * certificate of that wave, or of a later one, before its time.
 */
import { decodeExactly, isPydeError } from '../bytes/index.ts';
import { type Committee, certChecks, encodeCert } from '../finality/index.ts';
import { type HardFinalityCert, type Hash, readHardFinalityCert } from '../types/index.ts';
import type { GossipVerdict, NodeEffect } from './node-events.ts';

/** A certificate of 128 members has 88 kB. */
export const MAX_CERT_BYTES = 128 * 1024;
/** Of a wave at once: the first that comes may be a false one. */
const MAX_CHECKED_PER_WAVE = 4;
const MAX_CHECKED = 64;
/** Waves that are known to be accepted; older ones are passed over. */
const MAX_ACCEPTED = 1_024;
const RANK_DELAY_MS = 100;
/** Ranks that do not wait. */
const AT_ONCE = 2;
const MAX_WAITING = 256;
/** Requests of the relay are numbered below those of clients and above those of peers. */
const FIRST_REQUEST = -(2 ** 51);

interface Checked {
  readonly ticket: number;
  readonly cert: HardFinalityCert;
  readonly digest: Hash;
}

/** A certificate that holds, and what is answered to whoever sent it. */
export interface Heard {
  readonly cert: HardFinalityCert;
  readonly digest: Hash;
}

export interface Judged {
  readonly effects: readonly NodeEffect[];
  /** It is of an epoch after those whose committees are known. */
  readonly isLater: boolean;
}

export class FinalityRelay {
  readonly #chainId: bigint;
  readonly #checked = new Map<number, Checked>();
  readonly #accepted = new Set<bigint>();
  #newestAccepted = 0n;
  #nextRequest = FIRST_REQUEST;
  /** Own certificates that wait for their time, by wave. */
  readonly #waiting = new Map<
    bigint,
    { readonly cert: HardFinalityCert; readonly dueMs: number }
  >();

  constructor(chainId: bigint) {
    this.#chainId = chainId;
  }

  /** Certificates whose signatures are being checked. */
  get inCheck(): number {
    return this.#checked.size;
  }

  /** Own certificates that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** When {@link due} is to be called. */
  get dueMs(): number | undefined {
    let first: number | undefined;
    for (const { dueMs } of this.#waiting.values()) {
      if (first === undefined || dueMs < first) first = dueMs;
    }
    return first;
  }

  /** A certificate came by gossip. */
  judge(
    ticket: number,
    bytes: Uint8Array,
    committeeOf: (epoch: number) => Committee | undefined,
    epoch: number,
  ): Judged {
    const verdict = (verdict: GossipVerdict, isLater = false): Judged => ({
      effects: [{ kind: 'gossip-verdict', ticket, verdict }],
      isLater,
    });
    if (bytes.length > MAX_CERT_BYTES) return verdict('reject');
    try {
      const cert = decodeExactly(bytes, readHardFinalityCert);
      const { waveId, chainId } = cert.record;
      if (chainId !== this.#chainId) return verdict('reject');
      const committee = committeeOf(cert.record.epoch);
      if (committee === undefined) return verdict('ignore', cert.record.epoch > epoch);
      if (this.#isKnown(waveId) || !this.#hasRoom(waveId)) return verdict('ignore');
      const { digest, checks } = certChecks(cert, committee, chainId);
      const request = this.#nextRequest++;
      this.#checked.set(request, { ticket, cert, digest });
      return { effects: [{ kind: 'verify', request, checks }], isLater: false };
    } catch (error) {
      if (!isPydeError(error)) throw error;
      return verdict('reject');
    }
  }

  /** Is it the check of a certificate? */
  isChecking(request: number): boolean {
    return this.#checked.has(request);
  }

  /**
   * @param valid undefined when the signatures could not be checked
   * @returns the verdict, and the certificate if it holds and is the first of its wave
   */
  verified(
    request: number,
    valid: boolean | undefined,
  ): { readonly effects: readonly NodeEffect[]; readonly heard: Heard | undefined } {
    const checked = this.#checked.get(request);
    if (checked === undefined) return { effects: [], heard: undefined };
    this.#checked.delete(request);
    const { ticket, cert, digest } = checked;
    const isFirst = valid === true && !this.#isKnown(cert.record.waveId);
    if (isFirst) this.#accept(cert.record.waveId);
    const verdict = valid === false ? 'reject' : isFirst ? 'accept' : 'ignore';
    return {
      effects: [{ kind: 'gossip-verdict', ticket, verdict }],
      heard: isFirst ? { cert, digest } : undefined,
    };
  }

  /** This member made a certificate. @param seat among `members` of its epoch */
  certified(cert: HardFinalityCert, seat: number, members: number, nowMs: number): NodeEffect[] {
    const { waveId } = cert.record;
    if (this.#isKnown(waveId)) return [];
    const rank = Number((waveId + BigInt(seat)) % BigInt(members));
    if (rank < AT_ONCE) {
      this.#accept(waveId);
      return [published(cert)];
    }
    this.#waiting.set(waveId, { cert, dueMs: nowMs + rank * RANK_DELAY_MS });
    if (this.#waiting.size > MAX_WAITING) {
      for (const oldest of this.#waiting.keys()) {
        this.#waiting.delete(oldest);
        break;
      }
    }
    return [];
  }

  /** Own certificates that nobody else published. */
  due(nowMs: number): NodeEffect[] {
    const effects: NodeEffect[] = [];
    for (const [waveId, { cert, dueMs }] of this.#waiting) {
      if (dueMs > nowMs) continue;
      this.#waiting.delete(waveId);
      effects.push(published(cert));
      this.#remember(waveId);
    }
    return effects;
  }

  #isKnown(waveId: bigint): boolean {
    const isOld = waveId + BigInt(MAX_ACCEPTED) <= this.#newestAccepted;
    return isOld || this.#accepted.has(waveId);
  }

  #hasRoom(waveId: bigint): boolean {
    if (this.#checked.size >= MAX_CHECKED) return false;
    let same = 0;
    for (const { cert } of this.#checked.values()) if (cert.record.waveId === waveId) same++;
    return same < MAX_CHECKED_PER_WAVE;
  }

  /** What waits for its time is covered by it, but for the ends of epochs. */
  #accept(waveId: bigint): void {
    this.#remember(waveId);
    for (const [waiting, { cert }] of this.#waiting) {
      const isEnd = cert.record.nextCommitteeHash !== undefined;
      if (waiting === waveId || (waiting < waveId && !isEnd)) this.#waiting.delete(waiting);
    }
  }

  #remember(waveId: bigint): void {
    this.#accepted.add(waveId);
    if (waveId > this.#newestAccepted) this.#newestAccepted = waveId;
    for (const old of this.#accepted) {
      if (this.#accepted.size <= MAX_ACCEPTED) return;
      this.#accepted.delete(old);
    }
  }
}

const published = (cert: HardFinalityCert): NodeEffect => ({
  kind: 'publish',
  topic: 'finality',
  message: encodeCert(cert),
});
