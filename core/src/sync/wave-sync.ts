/**
 * Wave catch-up (design/consensus.md, "Finality"; design/light-client.md, "Full replay"): a node that
 * was away for longer than vertices are kept follows the waves that others executed. First records
 * alone, chained by digest from the newest wave executed here to one that a certificate vouches for;
 * then the same waves with their transactions, each executed and compared with its digest before
 * anything of it is written. A transaction that was passed over left no trace, so those that were
 * executed, in their order, make the same record.
 *
 * Peers are trusted with nothing. Records are believed under a certificate of a committee that was
 * handed over from a trusted one; transactions are believed by what they do. A peer that is wrong,
 * slow or silent is asked after the others. Peers may be validators, f + 1 of which are believed to
 * have one honest among them, or anybody (`anonymous`), of whom nothing follows. One question is under way at a time; what is held of
 * answers is bounded by {@link MAX_HELD_BYTES} and {@link MAX_CHAIN}.
 */
import { equalBytes, isPydeError } from '../bytes/index.ts';
import { frameMessage } from '../consensus/index.ts';
import { type Committee, maxFaulty, verifyCert, verifyLink } from '../finality/index.ts';
import type { Instant, VerifySignatures } from '../platform/index.ts';
import {
  type HardFinalityCert,
  type Hash,
  toHash,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';
import { DigestChain } from './digest-chain.ts';
import { syncError } from './error.ts';
import { PeerRanking } from './peer-ranking.ts';
import { decodeWaves, encodeWantWaves, type Waves, type WavesMode } from './wave-messages.ts';

/** A wave to be executed. Nothing of it may be written unless its digest comes out. */
export interface SyncedWave {
  readonly record: WaveCommitRecord;
  readonly digest: Hash;
  readonly priorTimestampMs: bigint;
  readonly transactions: readonly Uint8Array[];
}

export type WaveSyncEffect =
  | { readonly kind: 'send'; readonly peer: number; readonly message: Uint8Array }
  | { readonly kind: 'set-timer'; readonly atMonotonicMs: number }
  /** Verified, and its wave is executed; to be kept. */
  | { readonly kind: 'keep-cert'; readonly cert: HardFinalityCert }
  /** In order, and nothing else until they are reported by {@link WaveSync.executed}. */
  | { readonly kind: 'execute'; readonly waves: readonly SyncedWave[] }
  /** Of f + 1 peers none has more than a few newer waves, and all that came is executed. */
  | { readonly kind: 'caught-up' }
  /** This node computes another state than the chain: its software is at fault. */
  | { readonly kind: 'halt'; readonly reason: string };

export interface WaveSyncOptions {
  readonly chainId: bigint;
  readonly verify: VerifySignatures;
  /** Whom to ask: all validators but this one. */
  readonly peers: readonly number[];
  readonly head: { readonly record: WaveCommitRecord; readonly digest: Hash };
  /** That of the head's epoch; after a closing record that of the next. */
  readonly committee: Committee;
  /**
   * Peers that come and go and of whom nothing is known, in place of `peers`. Among them no number of
   * equal lies speaks against this node: it is done when all have nothing newer, or none has what is
   * still missing, and it never halts.
   */
  readonly anonymous?: PeerRanking;
  /** The committee that a closing record names. @throws PydeError when it names another */
  nextCommittee(closing: WaveCommitRecord): Committee;
}

export const REQUEST_TIMEOUT_MS = 4_000;
/** Of transactions that wait for execution; above it nothing more is asked for. */
export const MAX_HELD_BYTES = 16 * 1024 * 1024;
/** Of the transactions of one wave; a node that syncs can follow no larger one. */
export const MAX_WAVE_BYTES = 256 * 1024 * 1024;
/** Waves between two certificates: more than an epoch has. */
export const MAX_CHAIN = 1 << 20;
/** Who has no more newer waves than this has nothing that consensus could not bring. */
const NEAR_WAVES = 32;
/** Certificates of waves that are not executed yet; with more no records are asked for. */
const MAX_HELD_CERTS = 64;
/** Waves handed out for execution together. */
const MAX_EXECUTED_TOGETHER = 64;

interface Request {
  readonly peer: number;
  readonly mode: WavesMode;
  readonly wave: bigint;
  readonly index: number;
  readonly dueMs: number;
}

interface HeldWave extends SyncedWave {
  readonly bytes: number;
  /** Who sent its transactions. */
  readonly peers: readonly number[];
}

/** A wave whose transactions are still coming. */
interface Assembly {
  readonly transactions: Uint8Array[];
  bytes: number;
  readonly peers: Set<number>;
}

const nothingYet = (): Assembly => ({ transactions: [], bytes: 0, peers: new Set() });

export class WaveSync {
  readonly #options: WaveSyncOptions;
  readonly #ranking: PeerRanking;
  #committee: Committee;
  /** From the wave after the executed one to the newest record. */
  readonly #chain: DigestChain;
  #verified: WaveCommitRecord;
  /** The newest record, at or above the verified one. */
  #newest: WaveCommitRecord;
  /** Who sent the records above the verified one. */
  #chainPeers = new Set<number>();
  /** Newest wave whose transactions are here. */
  #fetched: WaveCommitRecord;
  #assembly: Assembly = nothingYet();
  #held: HeldWave[] = [];
  #heldBytes = 0;
  #executing: readonly HeldWave[] = [];
  #executed: WaveCommitRecord;
  /** Peers that had nothing, or only a few waves, newer than what was verified. */
  readonly #exhausted = new Set<number>();
  /** Peers whose transactions of the next wave made another record. */
  readonly #contradicted = new Set<number>();
  /** Anonymous peers that could not be asked, or refused. */
  readonly #failed = new Set<number>();
  #request: Request | undefined;
  /** Of verified waves that are not executed yet, oldest first. */
  #certs: HardFinalityCert[] = [];
  #isDone = false;

  constructor(options: WaveSyncOptions) {
    const { head, committee, peers } = options;
    this.#options = options;
    this.#ranking = options.anonymous ?? new PeerRanking(peers);
    this.#committee = committee;
    this.#chain = new DigestChain(head.record.waveId);
    this.#verified = head.record;
    this.#newest = head.record;
    this.#fetched = head.record;
    this.#executed = head.record;
  }

  /** Newest wave that a certificate vouches for. */
  get verifiedWave(): bigint {
    return this.#verified.waveId;
  }

  /** Bytes of transactions held; for whoever watches. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  start(now: Instant): WaveSyncEffect[] {
    return this.#advance(now);
  }

  /** The time of the last `set-timer` has come. */
  timer(now: Instant): WaveSyncEffect[] {
    const request = this.#request;
    if (request !== undefined && now.monotonicMs >= request.dueMs) {
      this.#ranking.slow(request.peer);
      this.#dropRequest(request);
    }
    return this.#advance(now);
  }

  /** An answer of a peer, without its frame. Anything but that to the question asked is ignored. */
  receive(peer: number, bytes: Uint8Array, now: Instant): WaveSyncEffect[] {
    const request = this.#request;
    if (request?.peer !== peer) return [];
    try {
      const waves = decodeWaves(bytes);
      requireAnswerTo(request, waves);
      this.#request = undefined;
      if (waves.mode === 'records') this.#takeRecords(peer, waves);
      else this.#takeTransactions(peer, waves);
      this.#ranking.right(peer);
    } catch (error) {
      if (!isPydeError(error)) throw error;
      this.#ranking.wrong(peer);
      this.#dropRequest(request);
    }
    return this.#advance(now);
  }

  /** An anonymous peer refused, could not be asked, or is gone. */
  failed(peer: number, now: Instant): WaveSyncEffect[] {
    this.#failed.add(peer);
    const request = this.#request;
    if (request?.peer !== peer) return [];
    this.#ranking.behind(peer);
    this.#dropRequest(request);
    return this.#advance(now);
  }

  /** What became of the last `execute`: those that came out right; fewer when one did not. */
  executed(waves: readonly { readonly digest: Hash }[], now: Instant): WaveSyncEffect[] {
    const right = this.#executing.slice(0, waves.length);
    const [wrong] = this.#executing.slice(waves.length);
    for (const wave of right) {
      this.#heldBytes -= wave.bytes;
      this.#executed = wave.record;
    }
    if (right.length > 0) this.#contradicted.clear();
    this.#chain.dropThrough(this.#executed.waveId);
    this.#executing = [];
    const kept = this.#certs.filter(({ record }) => record.waveId <= this.#executed.waveId);
    this.#certs = this.#certs.slice(kept.length);
    const certs = kept.map((cert): WaveSyncEffect => ({ kind: 'keep-cert', cert }));
    return [...certs, ...(wrong === undefined ? [] : this.#discard(wrong)), ...this.#advance(now)];
  }

  /** The transactions of `wrong`, under a record that holds, made another one. */
  #discard(wrong: HeldWave): WaveSyncEffect[] {
    for (const peer of wrong.peers) {
      this.#ranking.wrong(peer);
      this.#contradicted.add(peer);
    }
    this.#held = [];
    this.#heldBytes = 0;
    this.#assembly = nothingYet();
    this.#fetched = this.#executed;
    if (this.#request?.mode === 'transactions') this.#request = undefined;
    const isAnonymous = this.#options.anonymous !== undefined;
    const isOutvoted = this.#contradicted.size > maxFaulty(this.#committee.members.length);
    if (isAnonymous || !isOutvoted) return [];
    this.#isDone = true;
    const members = [...this.#contradicted].sort((a, b) => a - b).join(', ');
    const reason =
      `the transactions of wave ${wrong.record.waveId} that validators ${members} sent make ` +
      'another record than the certified one here; the software or the store of this node is at fault';
    return [{ kind: 'halt', reason }];
  }

  #advance(now: Instant): WaveSyncEffect[] {
    if (this.#isDone) return [];
    const effects = this.#handOut();
    this.#request ??= this.#nextRequest(now.monotonicMs, effects);
    if (this.#request !== undefined) {
      effects.push({ kind: 'set-timer', atMonotonicMs: this.#request.dueMs });
    } else if (this.#executing.length === 0 && this.#isOver) {
      this.#isDone = true;
      effects.push({ kind: 'caught-up' });
    }
    return effects;
  }

  /** Nothing is left to be asked: all is executed, or no anonymous peer has what is missing. */
  get #isOver(): boolean {
    const { anonymous } = this.#options;
    return anonymous !== undefined || this.#executed.waveId === this.#verified.waveId;
  }

  #handOut(): WaveSyncEffect[] {
    if (this.#executing.length > 0 || this.#held.length === 0) return [];
    this.#executing = this.#held.splice(0, MAX_EXECUTED_TOGETHER);
    return [{ kind: 'execute', waves: this.#executing }];
  }

  /** Transactions of verified waves come first; while they wait to be executed, more records. */
  #nextRequest(nowMs: number, effects: WaveSyncEffect[]): Request | undefined {
    const dueMs = nowMs + REQUEST_TIMEOUT_MS;
    if (this.#fetched.waveId < this.#verified.waveId && this.#heldBytes < MAX_HELD_BYTES) {
      const wave = this.#fetched.waveId + 1n;
      const index = this.#assembly.transactions.length;
      const peer = this.#best(this.#contradicted);
      if (peer === undefined) return undefined;
      return ask({ peer, mode: 'transactions', wave, index, dueMs }, effects);
    }
    if (this.#chain.length >= MAX_CHAIN || this.#certs.length >= MAX_HELD_CERTS) return undefined;
    if (this.#isExhausted) return undefined;
    const peer = this.#best(this.#exhausted);
    if (peer === undefined) return undefined;
    const wave = this.#newest.waveId + 1n;
    return ask({ peer, mode: 'records', wave, index: 0, dueMs }, effects);
  }

  #best(without: ReadonlySet<number>): number | undefined {
    return this.#ranking.best((peer) => !without.has(peer) && !this.#failed.has(peer));
  }

  /** One honest peer is among f + 1: what it has no certificate for is left to consensus. */
  get #isExhausted(): boolean {
    if (this.#options.anonymous !== undefined) return false;
    return this.#exhausted.size > maxFaulty(this.#committee.members.length);
  }

  #dropRequest(request: Request): void {
    this.#request = undefined;
    // Others may know nothing of records that no certificate vouches for.
    if (request.mode === 'records') this.#forgetUnverified();
    else this.#assembly = nothingYet();
  }

  #takeRecords(peer: number, { parts, cert }: Waves): void {
    if (parts.length === 0) {
      this.#exhausted.add(peer);
      this.#forgetUnverified();
      return;
    }
    let last = this.#newest;
    const digests: Hash[] = [];
    for (const { record, transactions } of parts) {
      if (transactions.length > 0) throw syncError('sync.transactions', 'only records were asked');
      if (last.nextCommitteeHash !== undefined && last !== this.#verified) {
        throw syncError('sync.closing', `the end of epoch ${last.epoch} is not certified`);
      }
      verifyLink(last, record);
      digests.push(waveDigest(record));
      last = record;
    }
    if (cert !== undefined) this.#requireHolds(cert, last);
    for (const digest of digests) this.#chain.push(digest);
    this.#newest = last;
    this.#chainPeers.add(peer);
    if (cert === undefined) return;
    this.#verified = last;
    this.#chainPeers.clear();
    const isFar = parts.length >= NEAR_WAVES || last.nextCommitteeHash !== undefined;
    if (isFar) this.#exhausted.clear();
    else this.#exhausted.add(peer);
    if (last.nextCommitteeHash !== undefined) this.#committee = this.#options.nextCommittee(last);
    this.#certs.push(cert);
  }

  /** @throws PydeError `sync.cert`, `cert.*` */
  #requireHolds(cert: HardFinalityCert, last: WaveCommitRecord): void {
    const { chainId, verify } = this.#options;
    const digest = verifyCert(cert, this.#committee, { chainId, verify });
    if (equalBytes(digest, waveDigest(last))) return;
    // The certificate holds, so records before it are lies, whoever sent them.
    for (const peer of this.#chainPeers) this.#ranking.wrong(peer);
    throw syncError('sync.cert', `the certificate is of another record than wave ${last.waveId}'s`);
  }

  #forgetUnverified(): void {
    this.#chain.truncate(this.#verified.waveId);
    this.#newest = this.#verified;
    this.#chainPeers.clear();
  }

  #takeTransactions(peer: number, { parts }: Waves): void {
    if (parts.length === 0) throw syncError('sync.wave', 'a wave that was certified is not there');
    for (const [i, { record, transactions }] of parts.entries()) {
      const wave = this.#fetched.waveId + 1n;
      const digest = waveDigest(record);
      const known = this.#chain.of(wave);
      // Its head has executed more than is verified here: no harm, and nothing to be had.
      if (wave > this.#verified.waveId) return;
      if (known === undefined || !equalBytes(digest, known)) {
        throw syncError('sync.record', `another record than that of wave ${wave}`);
      }
      const assembly = this.#assembly;
      const held = assembly.transactions;
      for (const transaction of transactions) {
        held.push(transaction);
        assembly.bytes += transaction.length;
      }
      if (held.length > record.txCount || assembly.bytes > MAX_WAVE_BYTES) {
        throw syncError('sync.transactions', `wave ${wave} has ${record.txCount} transactions`);
      }
      assembly.peers.add(peer);
      if (held.length < record.txCount) {
        if (i < parts.length - 1 || transactions.length === 0) {
          throw syncError('sync.transactions', `transactions of wave ${wave} are left out`);
        }
        return;
      }
      this.#hold(record, toHash(digest));
    }
  }

  /** All transactions of the wave after the fetched one are here. */
  #hold(record: WaveCommitRecord, digest: Hash): void {
    const { transactions, bytes, peers } = this.#assembly;
    const priorTimestampMs = this.#fetched.timestampMs;
    this.#held.push({ record, digest, priorTimestampMs, transactions, bytes, peers: [...peers] });
    this.#heldBytes += bytes;
    this.#assembly = nothingYet();
    this.#fetched = record;
  }
}

function ask(request: Request, effects: WaveSyncEffect[]): Request {
  const { peer } = request;
  const message = frameMessage('want-waves', encodeWantWaves(request));
  effects.push({ kind: 'send', peer, message });
  return request;
}

function requireAnswerTo(request: Request, { mode, wave, index }: Waves): void {
  if (mode === request.mode && wave === request.wave && index === request.index) return;
  throw syncError('sync.unasked', `an answer about wave ${wave} where ${request.wave} was asked`);
}
