/**
 * A node as one machine (design/architecture.md, "Core is sans-I/O"): transactions come in, are
 * admitted, ordered by consensus, executed wave by wave, attested and certified. It holds no
 * socket, file, timer or clock; the platform carries out its effects in order, and a `persist` is
 * complete before the next effect starts.
 *
 * Execution happens elsewhere (another thread on a server) and never blocks rounds: committed
 * waves queue here while others are executed, and are handed out all at once when those are done.
 */
import { isPydeError, PydeError } from '../bytes/index.ts';
import type {
  CommittedWave,
  Consensus,
  ConsensusEffect,
  ConsensusEvent,
} from '../consensus/index.ts';
import type { WaveResult } from '../execution/index.ts';
import type { Admission, Mempool, MempoolView, PoolStatus } from '../mempool/index.ts';
import type { Instant, Machine, SignatureCheck, StoreWrite } from '../platform/index.ts';
import type { StateReader } from '../state/index.ts';
import type {
  HardFinalityCert,
  Hash,
  MemberIndex,
  Tx,
  TxHash,
  WaveCommitRecord,
} from '../types/index.ts';

/** A wave that the executor made durable. */
export type ExecutedWave = Omit<WaveResult, 'writes' | 'prepared'>;

export type NodeEvent =
  | { readonly kind: 'start' }
  /** A transaction came in; answered by exactly one `reply` with the same request number. */
  | { readonly kind: 'submit'; readonly request: number; readonly bytes: Uint8Array }
  /** The signature checks of a request are done; all valid or not. */
  | { readonly kind: 'verified'; readonly request: number; readonly valid: boolean }
  /** The checks could not be made (queue full, stopping). */
  | { readonly kind: 'unverified'; readonly request: number; readonly error: PydeError }
  /** The waves of the last `execute`, in order, each durable. */
  | { readonly kind: 'executed'; readonly waves: readonly ExecutedWave[] }
  | { readonly kind: 'timer' }
  /** No more events are waiting: the time to propose what has gathered. */
  | { readonly kind: 'turn' }
  | { readonly kind: 'vertex'; readonly from: MemberIndex; readonly bytes: Uint8Array }
  | { readonly kind: 'batch'; readonly from: MemberIndex; readonly bytes: Uint8Array };

export type Reply =
  | { readonly ok: true; readonly hash: TxHash }
  | { readonly ok: false; readonly error: PydeError };

export type NodeEffect =
  | { readonly kind: 'persist'; readonly writes: readonly StoreWrite[]; readonly sync: boolean }
  | { readonly kind: 'send'; readonly member: number; readonly message: Uint8Array }
  | { readonly kind: 'broadcast'; readonly message: Uint8Array }
  | { readonly kind: 'set-timer'; readonly atMonotonicMs: number }
  | {
      readonly kind: 'verify';
      readonly request: number;
      readonly checks: readonly SignatureCheck[];
    }
  | { readonly kind: 'reply'; readonly request: number; readonly reply: Reply }
  /** To be executed in order, after all that was handed out before. */
  | { readonly kind: 'execute'; readonly waves: readonly CommittedWave[] }
  | { readonly kind: 'wave'; readonly record: WaveCommitRecord }
  | { readonly kind: 'finality'; readonly cert: HardFinalityCert }
  | { readonly kind: 'halt'; readonly reason: string };

export interface NodeSetup {
  readonly mempool: Mempool;
  readonly consensus: Consensus;
  /** State as of the newest executed wave; read at admission. */
  readonly state: StateReader;
  readonly head: { readonly record: WaveCommitRecord; readonly digest: Hash };
  /** Base fee that the next wave charges, read from `state`. */
  baseFee(): bigint;
}

/** Requests whose signatures are being checked; above it the sender is asked to wait. */
const MAX_REQUESTS_IN_CHECK = 16_384;
/** Committed waves with transactions that may wait before new ones are proposed. */
const MAX_WAITING_BUSY_WAVES = 2;

export class NodeMachine implements Machine<NodeEvent, NodeEffect> {
  readonly #setup: NodeSetup;
  readonly #inCheck = new Map<number, Admission>();
  readonly #committed: CommittedWave[] = [];
  #executing: readonly CommittedWave[] = [];
  #head: { readonly record: WaveCommitRecord; readonly digest: Hash };
  #halted: string | undefined;

  constructor(setup: NodeSetup) {
    this.#setup = setup;
    this.#head = setup.head;
  }

  get head(): { readonly record: WaveCommitRecord; readonly digest: Hash } {
    return this.#head;
  }

  /** Waves committed and not yet executed, the one under way included. */
  get waitingWaves(): number {
    return this.#committed.length + this.#executing.length;
  }

  get requestsInCheck(): number {
    return this.#inCheck.size;
  }

  get poolSize(): number {
    return this.#setup.mempool.size;
  }

  get poolBytes(): number {
    return this.#setup.mempool.bytes;
  }

  /** Why the node stopped taking part, if it did; reads go on. */
  get halted(): string | undefined {
    return this.#halted;
  }

  statusOf(hash: TxHash): PoolStatus | undefined {
    return this.#setup.mempool.statusOf(hash);
  }

  pendingTransaction(hash: TxHash): Tx | undefined {
    return this.#setup.mempool.pendingTransaction(hash);
  }

  step(event: NodeEvent, now: Instant): NodeEffect[] {
    switch (event.kind) {
      case 'start':
        return this.#consensus({ kind: 'start' }, now);
      case 'submit':
        return this.#submit(event.request, event.bytes, now);
      case 'verified':
        return this.#verified(event.request, event.valid, now);
      case 'unverified':
        this.#inCheck.delete(event.request);
        return [refuse(event.request, event.error)];
      case 'executed':
        return this.#executed(event.waves, now);
      case 'timer':
        return this.#consensus({ kind: 'timer' }, now);
      case 'turn':
        return this.#propose(now);
      case 'vertex':
      case 'batch':
        return this.#consensus(event, now);
      default:
        return event satisfies never;
    }
  }

  #view(): MempoolView {
    return {
      state: this.#setup.state,
      waveId: this.#head.record.waveId,
      baseFee: this.#setup.baseFee(),
    };
  }

  #submit(request: number, bytes: Uint8Array, now: Instant): NodeEffect[] {
    try {
      if (this.#halted !== undefined) {
        throw new PydeError('node.halted', `this node has stopped: ${this.#halted}; use another`);
      }
      if (this.#inCheck.size >= MAX_REQUESTS_IN_CHECK) {
        throw new PydeError(
          'node.busy',
          'too many transactions wait for admission; try again soon',
        );
      }
      const admission = this.#setup.mempool.admit(bytes, this.#view(), now.monotonicMs);
      if (admission.kind === 'known') {
        return [{ kind: 'reply', request, reply: { ok: true, hash: admission.hash } }];
      }
      this.#inCheck.set(request, admission.admission);
      if (admission.admission.checks.length === 0) return this.#verified(request, true, now);
      return [{ kind: 'verify', request, checks: admission.admission.checks }];
    } catch (error) {
      return [refuse(request, error)];
    }
  }

  #verified(request: number, valid: boolean, now: Instant): NodeEffect[] {
    const admission = this.#inCheck.get(request);
    if (admission === undefined) return [];
    this.#inCheck.delete(request);
    try {
      const hash = this.#setup.mempool.complete(admission, valid, this.#view(), now.monotonicMs);
      return [{ kind: 'reply', request, reply: { ok: true, hash } }];
    } catch (error) {
      return [refuse(request, error)];
    }
  }

  #propose(now: Instant): NodeEffect[] {
    if (!this.#setup.mempool.hasUnproposed) return [];
    const waiting = [...this.#executing, ...this.#committed];
    const busy = waiting.filter((wave) => wave.transactions.length > 0).length;
    if (busy >= MAX_WAITING_BUSY_WAVES) return [];
    return this.#consensus({ kind: 'work', pending: true }, now);
  }

  #executed(waves: readonly ExecutedWave[], now: Instant): NodeEffect[] {
    const effects: NodeEffect[] = [];
    this.#executing = [];
    for (const wave of waves) {
      const { record, digest } = wave;
      this.#head = { record, digest };
      this.#setup.mempool.onWave(wave, this.#view());
      effects.push({ kind: 'wave', record });
      effects.push(...this.#consensus({ kind: 'wave-executed', record, digest }, now));
    }
    return [...this.#executeWaiting(), ...effects];
  }

  #executeWaiting(): NodeEffect[] {
    if (this.#executing.length > 0 || this.#committed.length === 0) return [];
    this.#executing = this.#committed.splice(0);
    return [{ kind: 'execute', waves: this.#executing }];
  }

  #consensus(event: ConsensusEvent, now: Instant): NodeEffect[] {
    if (this.#halted !== undefined) return [];
    const effects: NodeEffect[] = [];
    for (const effect of this.#setup.consensus.step(event, now)) {
      effects.push(...this.#carry(effect));
    }
    return [...effects, ...this.#executeWaiting()];
  }

  #carry(effect: ConsensusEffect): NodeEffect[] {
    switch (effect.kind) {
      case 'persist':
      case 'send':
      case 'broadcast':
      case 'set-timer':
        return [effect];
      case 'commit':
        this.#committed.push(effect.wave);
        return [];
      case 'certified':
        return [{ kind: 'finality', cert: effect.cert }];
      case 'halt':
        this.#halted = effect.reason;
        return [{ kind: 'halt', reason: effect.reason }];
      default:
        return effect satisfies never;
    }
  }
}

/** Only a refusal may be answered; anything else is a defect and goes up. */
function refuse(request: number, error: unknown): NodeEffect {
  if (!isPydeError(error)) throw error;
  return { kind: 'reply', request, reply: { ok: false, error } };
}
