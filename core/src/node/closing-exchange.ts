/**
 * How the certificate of a closing wave reaches everybody (design/consensus.md, "Epochs"): whoever
 * holds it pushes it once and answers who asks; a node that waits for it asks a few others at every
 * leader timeout. Together with it an answer brings the newest vertex of the old DAG, from which
 * the one who asks can fetch the rest.
 *
 * Answers are believed against the committee of the epoch that they close. Work for others is
 * bounded: one answer to a peer in a while, one bad certificate from a peer in an epoch.
 */
import { isPydeError, readU64LittleEndian } from '../bytes/index.ts';
import {
  decodeClosing,
  decodeWantClosing,
  encodeClosing,
  encodeWantClosing,
  frameMessage,
} from '../consensus/index.ts';
import { type Committee, verifyCert } from '../finality/index.ts';
import type { VerifySignatures } from '../platform/index.ts';
import type { Epoch, HardFinalityCert, ValidatorIndex } from '../types/index.ts';

/** The least leader timeout and the most, between which polls slow down. */
const FIRST_POLL_MS = 250;
const SLOWEST_POLL_MS = 4_000;
const PEERS_PER_POLL = 3;
const MIN_ANSWER_GAP_MS = 100;
/** Of `epoch` in an encoded record. */
const EPOCH_OFFSET = 8;

export interface ClosingExchangeOptions {
  readonly chainId: bigint;
  readonly verify: VerifySignatures;
  /** All validators but this node's own. */
  readonly peers: readonly ValidatorIndex[];
}

export class ClosingExchange {
  readonly #options: ClosingExchangeOptions;
  /** The newest closing certificate and its message. */
  #held: { readonly cert: HardFinalityCert; readonly message: Uint8Array } | undefined;
  readonly #answeredMs = new Map<ValidatorIndex, number>();
  /** Peers that sent a bad certificate in this epoch. */
  readonly #distrusted = new Set<ValidatorIndex>();
  readonly #refused = new Map<string, number>();
  #pollDelayMs = FIRST_POLL_MS;
  #nextPeer = 0;

  constructor(options: ClosingExchangeOptions) {
    this.#options = options;
  }

  get held(): HardFinalityCert | undefined {
    return this.#held?.cert;
  }

  /** Certificates not taken, by error code. */
  get refused(): ReadonlyMap<string, number> {
    return this.#refused;
  }

  /** @returns the message to push */
  hold(cert: HardFinalityCert): Uint8Array {
    const message = frameMessage('closing', encodeClosing(cert));
    this.#held = { cert, message };
    return message;
  }

  /** A new epoch has begun: everybody starts anew. */
  entered(): void {
    this.#pollDelayMs = FIRST_POLL_MS;
    this.#distrusted.clear();
  }

  /** The answer to want-closing; undefined when there is none, or one was given just now. */
  answer(peer: ValidatorIndex, bytes: Uint8Array, nowMs: number): Uint8Array | undefined {
    const held = this.#held;
    const epoch = this.#decoded(() => decodeWantClosing(bytes));
    if (held === undefined || epoch !== held.cert.record.epoch) return undefined;
    const answeredMs = this.#answeredMs.get(peer);
    if (answeredMs !== undefined && nowMs < answeredMs + MIN_ANSWER_GAP_MS) return undefined;
    this.#answeredMs.set(peer, nowMs);
    return held.message;
  }

  /** A valid certificate that closes the epoch of `committee`; undefined for anything else. */
  take(
    peer: ValidatorIndex,
    bytes: Uint8Array,
    committee: Committee,
  ): HardFinalityCert | undefined {
    if (bytes.length < EPOCH_OFFSET + 8 || this.#distrusted.has(peer)) return undefined;
    if (readU64LittleEndian(bytes, EPOCH_OFFSET) !== BigInt(committee.epoch)) return undefined;
    if (this.#held?.cert.record.epoch === committee.epoch) return undefined;
    const { chainId, verify } = this.#options;
    const cert = this.#decoded(() => {
      const decoded = decodeClosing(bytes);
      verifyCert(decoded, committee, { chainId, verify });
      return decoded;
    });
    if (cert?.record.nextBeacon !== undefined) return cert;
    this.#distrusted.add(peer);
    return undefined;
  }

  /** Whom to ask now, and with which message. */
  poll(epoch: Epoch): { readonly peers: readonly ValidatorIndex[]; readonly message: Uint8Array } {
    const { peers } = this.#options;
    const asked: ValidatorIndex[] = [];
    for (let i = 0; i < Math.min(PEERS_PER_POLL, peers.length); i++) {
      const peer = peers[this.#nextPeer++ % peers.length];
      if (peer !== undefined) asked.push(peer);
    }
    this.#pollDelayMs = Math.min(2 * this.#pollDelayMs, SLOWEST_POLL_MS);
    return { peers: asked, message: frameMessage('want-closing', encodeWantClosing(epoch)) };
  }

  /** From now until the next poll. */
  get pollDelayMs(): number {
    return this.#pollDelayMs;
  }

  #decoded<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!isPydeError(error)) throw error;
      this.#refused.set(error.code, (this.#refused.get(error.code) ?? 0) + 1);
      return undefined;
    }
  }
}
