/**
 * A node as one machine (design/architecture.md, "Core is sans-I/O"): transactions come in, are
 * admitted, ordered by consensus, executed wave by wave, attested and certified. It holds no
 * socket, file, timer or clock; the platform carries out its effects in order, and a `persist` is
 * complete before the next effect starts.
 *
 * Execution happens elsewhere (another thread on a server) and never blocks rounds: committed
 * waves queue here while others are executed, and are handed out all at once when those are done.
 */
import { isPydeError, PydeError, toHex } from '../bytes/index.ts';
import { type CommittedWave, isMessageOf, TAG_BYTES } from '../consensus/index.ts';
import type { ExecutedWave } from '../execution/index.ts';
import type {
  Admission,
  AdmittedRecords,
  Forwarded,
  Mempool,
  MempoolView,
  PoolStatus,
} from '../mempool/index.ts';
import type { Instant, Machine, StoreWrite } from '../platform/index.ts';
import type { StateReader } from '../state/index.ts';
import { decodeTx, txHash } from '../tx/index.ts';
import type {
  Epoch,
  HardFinalityCert,
  Hash,
  MemberIndex,
  Tx,
  TxHash,
  ValidatorIndex,
  WaveCommitRecord,
} from '../types/index.ts';
import type { ProtocolSchedule, ProtocolStanding } from '../validators/index.ts';
import { Acknowledgements } from './acknowledgements.ts';
import type { CatchUpPhase } from './catch-up.ts';
import type { ChainEvent } from './chain.ts';
import { FinalityRelay } from './finality-relay.ts';
import { Forwarding } from './forwarding.ts';
import type { NodeChain, NodeChainEffect, PeerEvent } from './node-chain.ts';
import type { NodeEffect, NodeEvent } from './node-events.ts';
import { SteadyClock } from './steady-clock.ts';
import { type HeardTx, MAX_GOSSIP_TX_BYTES, TxGossip } from './tx-gossip.ts';
import { VerifiedAhead } from './verified-ahead.ts';

export interface NodeSetup {
  readonly mempool: Mempool;
  readonly admitted: AdmittedRecords;
  readonly chain: NodeChain;
  /** State as of the newest executed wave; read at admission. */
  readonly state: StateReader;
  readonly head: { readonly record: WaveCommitRecord; readonly digest: Hash };
  /** Which rules the epochs run by. */
  readonly protocol: ProtocolSchedule;
  /** Base fee that the next wave charges, read from `state`. */
  baseFee(): bigint;
}

/** Requests whose signatures are being checked; above it the sender is asked to wait. */
const MAX_REQUESTS_IN_CHECK = 16_384;
/** Of their wire bytes. */
const MAX_BYTES_IN_CHECK = 16 * 1024 * 1024;
/** Committed waves with transactions that may wait before new ones are proposed. */
const MAX_WAITING_BUSY_WAVES = 2;

export class NodeMachine implements Machine<NodeEvent, NodeEffect> {
  readonly #setup: NodeSetup;
  readonly #inCheck = new Map<number, Admission>();
  #bytesInCheck = 0;
  /** Requests of `readmit` that are not answered yet. */
  readonly #readmitting = new Set<number>();
  readonly #acknowledgements: Acknowledgements;
  readonly #verifiedAhead = new VerifiedAhead();
  readonly #forwarding = new Forwarding();
  readonly #clock = new SteadyClock();
  readonly #relay: FinalityRelay;
  readonly #gossip = new TxGossip();
  /** What the chain last asked for. */
  #chainTimerMs: number | undefined;
  /** What the platform was last asked for. */
  #timerMs: number | undefined;
  readonly #committed: CommittedWave[] = [];
  #executing: readonly CommittedWave[] = [];
  #head: { readonly record: WaveCommitRecord; readonly digest: Hash };
  #halted: string | undefined;

  constructor(setup: NodeSetup) {
    this.#setup = setup;
    this.#head = setup.head;
    this.#relay = new FinalityRelay(setup.head.record.chainId);
    this.#acknowledgements = new Acknowledgements(setup.mempool, setup.admitted);
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

  /** Whether the node follows vertices, or catches up with waves or the DAG. */
  get phase(): CatchUpPhase {
    return this.#setup.chain.phase;
  }

  /** The epoch that the node is in; its newest wave may still be of the one before. */
  get epoch(): Epoch {
    return this.#setup.chain.epoch;
  }

  /** Is this node a member of that epoch? */
  get hasSeat(): boolean {
    return this.#setup.chain.hasSeat;
  }

  /** The anchor's seat, of the current epoch and the one before. */
  anchorOf(epoch: number, round: number): MemberIndex | undefined {
    return this.#setup.chain.anchorOf(epoch, round);
  }

  get poolSize(): number {
    return this.#setup.mempool.size;
  }

  get poolBytes(): number {
    return this.#setup.mempool.bytes;
  }

  /** Which rules the chain runs by, and whether this software knows those to come. */
  get protocol(): ProtocolStanding {
    return this.#setup.protocol.standing(this.epoch);
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

  /** As `Consensus.prepare`. */
  prepare(): boolean {
    return this.#halted === undefined && this.#setup.chain.prepare();
  }

  step(event: NodeEvent, given: Instant): NodeEffect[] {
    const now = this.#clock.believed(given, this.#head.record.timestampMs);
    const effects = this.#handle(event, now);
    const takeOverMs = this.#setup.mempool.nextTakeOverMs;
    const ownMs = earlier(takeOverMs, earlier(this.#relay.dueMs, this.#gossipMs(now)));
    const atMonotonicMs = earlier(this.#chainTimerMs, ownMs);
    if (atMonotonicMs === undefined || atMonotonicMs === this.#timerMs) return effects;
    this.#timerMs = atMonotonicMs;
    effects.push({ kind: 'set-timer', atMonotonicMs });
    return effects;
  }

  /** What may be published now is, with the turn that ends what came together. */
  #gossipMs(now: Instant): number | undefined {
    const { dueMs } = this.#gossip;
    return dueMs === undefined || dueMs <= now.monotonicMs ? undefined : dueMs;
  }

  #handle(event: NodeEvent, now: Instant): NodeEffect[] {
    switch (event.kind) {
      case 'start':
        if (!this.#setup.protocol.supports(this.epoch)) return this.#halt(this.epoch);
        return this.#consensus({ kind: 'start' }, now);
      case 'submit':
        return this.#submit(event.request, event.bytes, now);
      case 'readmit':
        this.#readmitting.add(event.request);
        return this.#submit(event.request, event.bytes, now);
      case 'verified':
        return this.#verified(event.request, event.valid, now);
      case 'unverified':
        if (this.#relay.isChecking(event.request)) {
          return this.#certVerified(event.request, undefined, now);
        }
        this.#takeFromCheck(event.request);
        this.#readmitting.delete(event.request);
        return this.#refuse(event.request, event.error);
      case 'verified-ahead':
        this.#verifiedAhead.settle(event.ticket, event.verdicts);
        return this.#verifyAhead();
      case 'executed':
        return this.#executed(event.waves, now);
      case 'timer':
        return this.#timer(now);
      case 'turn':
        return this.#turn(now);
      case 'message':
        return isMessageOf('transaction', event.bytes)
          ? this.#relayed(event.from, event.bytes.subarray(TAG_BYTES), now)
          : this.#consensus(event, now);
      case 'vertices':
      case 'connected':
        return this.#consensus(event, now);
      case 'peer-connected':
      case 'peer-disconnected':
      case 'answer':
        return this.#ofPeers(event, now);
      case 'gossip':
        return event.topic === 'finality'
          ? this.#heardCert(event.ticket, event.bytes, now)
          : this.#heardTransactions(event.ticket, event.bytes, now);
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

  /** What peers forwarded here, because this is its home or because the home is silent. */
  #relayed(peer: ValidatorIndex, bytes: Uint8Array, now: Instant): NodeEffect[] {
    const relayed = this.#forwarding.receive(peer, bytes);
    return relayed.flatMap(({ request, bytes }) => this.#submit(request, bytes, now));
  }

  #timer(now: Instant): NodeEffect[] {
    this.#timerMs = undefined;
    this.#takeOver(now);
    const published = this.#relay.due(now.monotonicMs);
    if (this.#chainTimerMs === undefined || this.#chainTimerMs > now.monotonicMs) return published;
    this.#chainTimerMs = undefined;
    return [...published, ...this.#consensus({ kind: 'timer' }, now)];
  }

  /** Homes had their time: a member puts it in itself, any other node asks the next member. */
  #takeOver(now: Instant): void {
    const { mempool, chain } = this.#setup;
    if (chain.hasSeat) {
      mempool.takeOver(now.monotonicMs, (from, asked) => chain.takesIn(from, asked));
    } else this.#forward(mempool.forwardAgain(now.monotonicMs));
  }

  #forward(transactions: readonly Forwarded[]): void {
    for (const { from, bytes, asked } of transactions) {
      if (this.#setup.chain.forwards === 'to-all') {
        if (isTimeToAsk(asked)) this.#gossip.add(bytes, asked);
        continue;
      }
      const home = this.#setup.chain.homeOf(from, asked);
      if (home !== undefined) this.#forwarding.add(home, bytes);
    }
  }

  #submit(request: number, bytes: Uint8Array, now: Instant): NodeEffect[] {
    const hindrance = this.#hindrance(bytes.length);
    if (hindrance !== undefined) {
      this.#readmitting.delete(request);
      return this.#refuse(request, hindrance);
    }
    try {
      const start = this.#setup.mempool.admit(bytes, this.#view(), now.monotonicMs);
      if (start.kind === 'known') {
        const isPending = this.statusOf(start.hash)?.state === 'pending';
        if (this.#gossip.isHeard(request)) return this.#heardSettled(request, 'stale');
        if (this.#forwarding.isRelayed(request)) this.#setup.mempool.putInHeard(start.hash);
        else this.#setup.mempool.adopt(start.hash);
        if (this.#readmitting.has(request) && !isPending) this.#acknowledgements.drop(start.hash);
        // One that a peer forwarded has no record here yet.
        const isUnsaved = isPending && !this.#setup.admitted.has(start.hash);
        return this.#admitted(request, start.hash, isUnsaved ? bytes.slice() : undefined);
      }
      if (this.#wasPassedOn(request, start.admission, now)) {
        return this.#heardSettled(request, 'stale');
      }
      this.#inCheck.set(request, start.admission);
      this.#bytesInCheck += start.admission.bytes.length;
      if (start.admission.checks.length === 0) return this.#verified(request, true, now);
      return [{ kind: 'verify', request, checks: start.admission.checks }];
    } catch (error) {
      return this.#refused(request, bytes, error);
    }
  }

  /** Why nothing can be admitted now, whatever it is. */
  #hindrance(bytes: number): PydeError | undefined {
    if (this.#halted !== undefined) {
      return new PydeError('node.halted', `this node has stopped: ${this.#halted}; use another`);
    }
    if (this.#setup.chain.forwards === 'to-all' && bytes > MAX_GOSSIP_TX_BYTES) {
      return new PydeError(
        'node.too-large',
        `this node passes transactions on by gossip, which carries ${MAX_GOSSIP_TX_BYTES} bytes; ` +
          'send it to a validator',
        { bytes },
      );
    }
    const isFull =
      this.#inCheck.size >= MAX_REQUESTS_IN_CHECK ||
      this.#bytesInCheck + bytes > MAX_BYTES_IN_CHECK;
    if (!isFull) return undefined;
    return new PydeError('node.busy', 'too many transactions wait for admission; try again soon');
  }

  #takeFromCheck(request: number): Admission | undefined {
    const admission = this.#inCheck.get(request);
    this.#inCheck.delete(request);
    this.#bytesInCheck -= admission?.bytes.length ?? 0;
    return admission;
  }

  #verified(request: number, valid: boolean, now: Instant): NodeEffect[] {
    if (this.#relay.isChecking(request)) return this.#certVerified(request, valid, now);
    const admission = this.#takeFromCheck(request);
    if (admission === undefined) return [];
    if (this.#gossip.isHeard(request)) return this.#heardVerified(request, admission, valid, now);
    const { bytes } = admission;
    try {
      const { mempool, chain } = this.#setup;
      // Whoever forwarded it here counts on this member; without a seat it has to go on.
      const isPutInHere = this.#forwarding.isRelayed(request) && chain.hasSeat;
      const home = isPutInHere ? undefined : chain.homeOf(admission.tx.from);
      const isForwarded = home !== undefined || chain.forwards === 'to-all';
      const view = this.#view();
      const place = isForwarded ? 'forwarded' : 'here';
      const hash = mempool.complete(admission, valid, view, now.monotonicMs, place);
      if (home !== undefined) this.#forwarding.add(home, bytes);
      else if (isForwarded) this.#gossip.add(bytes, 0);
      this.#verifiedAhead.add(admission);
      return this.#admitted(request, hash, bytes);
    } catch (error) {
      return this.#refused(request, bytes, error);
    }
  }

  #admitted(request: number, hash: TxHash, bytes: Uint8Array | undefined): NodeEffect[] {
    this.#readmitting.delete(request);
    if (this.#forwarding.isRelayed(request)) {
      // Whoever forwarded it keeps it until it ran: it needs no record here, and no answer.
      this.#forwarding.settled(request);
      return [];
    }
    this.#acknowledgements.add({ request, hash, bytes });
    return this.#acknowledgements.isFull ? this.#acknowledgements.take() : [];
  }

  /** What was acknowledged once and is not taken in again is told as dropped. */
  #refused(request: number, bytes: Uint8Array, error: unknown): NodeEffect[] {
    const refusal = this.#refuse(request, error);
    if (this.#readmitting.delete(request) && isPydeError(error)) {
      const hash = txHash(decodeTx(bytes));
      this.#setup.mempool.refuse(hash, error);
      this.#acknowledgements.drop(hash);
    }
    return refusal;
  }

  /** Only a refusal may be answered; anything else is a defect and goes up. */
  #refuse(request: number, error: unknown): NodeEffect[] {
    if (!isPydeError(error)) throw error;
    if (this.#gossip.isHeard(request)) {
      return this.#heardSettled(request, isWrong(error) ? 'wrong' : 'stale');
    }
    if (!this.#forwarding.isRelayed(request)) {
      return [{ kind: 'reply', request, reply: { ok: false, error } }];
    }
    this.#forwarding.settled(request);
    return [];
  }

  #heardCert(ticket: number, bytes: Uint8Array, now: Instant): NodeEffect[] {
    const { chain } = this.#setup;
    const { effects, isLater } = this.#relay.judge(
      ticket,
      bytes,
      (epoch) => chain.committeeOf(epoch),
      chain.epoch,
    );
    return isLater ? [...effects, ...this.#ofPeers({ kind: 'later-epoch' }, now)] : [...effects];
  }

  #certVerified(request: number, valid: boolean | undefined, now: Instant): NodeEffect[] {
    const { effects, heard } = this.#relay.verified(request, valid);
    if (heard === undefined) return [...effects];
    return [...effects, ...this.#ofPeers({ kind: 'cert', ...heard }, now)];
  }

  /** One of the committee publishes each certificate; who is not in it, none. */
  #publish(cert: HardFinalityCert, now: Instant): NodeEffect[] {
    const { chain } = this.#setup;
    const { epoch } = cert.record;
    const seat = chain.seatIn(epoch);
    const size = chain.committeeOf(epoch)?.members.length;
    if (seat === undefined || size === undefined) return [];
    return this.#relay.certified(cert, seat, size, now.monotonicMs);
  }

  #heardTransactions(ticket: number, bytes: Uint8Array, now: Instant): NodeEffect[] {
    const heard = this.#gossip.receive(ticket, bytes);
    if ('verdict' in heard) return [{ kind: 'gossip-verdict', ...heard }];
    return heard.flatMap(({ request, bytes }) => this.#submit(request, bytes, now));
  }

  /**
   * A member puts in what it is the home of and holds the rest for others; whoever has no seat holds
   * nothing and passes it on.
   */
  #heardVerified(
    request: number,
    admission: Admission,
    valid: boolean,
    now: Instant,
  ): NodeEffect[] {
    const { mempool, chain } = this.#setup;
    const name = toHex(admission.hash);
    // Right or not, it may be by keys that changed in a wave which only one of both has executed.
    if (!valid) return this.#heardSettled(request, 'stale');
    const isHome = chain.takesIn(admission.tx.from, 0);
    try {
      if (chain.hasSeat && (isHome || mempool.hasRoomForHeard)) {
        const place = isHome ? 'here' : 'heard';
        mempool.complete(admission, valid, this.#view(), now.monotonicMs, place);
      }
    } catch (error) {
      return this.#refuse(request, error);
    }
    this.#verifiedAhead.add(admission);
    this.#gossip.passOn(name, now.monotonicMs);
    return this.#heardSettled(request, 'fresh');
  }

  /** Lately, so that its signatures need no other check. */
  #wasPassedOn(request: number, { hash }: Admission, now: Instant): boolean {
    return this.#gossip.isHeard(request) && this.#gossip.wasPassedOn(toHex(hash), now.monotonicMs);
  }

  #heardSettled(request: number, as: HeardTx): NodeEffect[] {
    const verdict = this.#gossip.settled(request, as);
    return verdict === undefined ? [] : [{ kind: 'gossip-verdict', ...verdict }];
  }

  /**
   * Proposes what has gathered and answers whoever waits. Where the proposal is written to the store
   * anyway, the records of what was admitted go into the same write.
   */
  #turn(now: Instant): NodeEffect[] {
    const effects = this.#proposeAndAcknowledge(now);
    for (const parcel of this.#forwarding.take()) effects.push({ kind: 'send', ...parcel });
    for (const message of this.#gossip.take(now.monotonicMs)) {
      effects.push({ kind: 'publish', topic: 'tx', message });
    }
    return effects;
  }

  #proposeAndAcknowledge(now: Instant): NodeEffect[] {
    const proposal = this.#propose(now);
    if (this.#acknowledgements.isEmpty) return proposal;
    const acknowledgement = this.#acknowledgements.take();
    const [first, ...rest] = proposal;
    const [record, ...replies] = acknowledgement;
    if (first?.kind !== 'persist' || record?.kind !== 'persist') {
      return [...acknowledgement, ...proposal];
    }
    return [{ ...first, writes: [...first.writes, ...record.writes] }, ...replies, ...rest];
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
    const isShort = waves.length < this.#executing.length;
    this.#executing = [];
    if (isShort) this.#committed.length = 0;
    for (const wave of waves) {
      const { record, digest } = wave;
      this.#head = { record, digest };
      this.#setup.mempool.onWave(wave, this.#view(), now.unixMs - Number(record.timestampMs));
      effects.push({ kind: 'wave', record });
      effects.push(...this.#consensus({ kind: 'wave-executed', record, digest }, now));
    }
    if (isShort) effects.push(...this.#consensus({ kind: 'waves-refused' }, now));
    return [...this.#executeWaiting(), ...effects];
  }

  #executeWaiting(): NodeEffect[] {
    if (this.#executing.length > 0) return this.#verifyAhead();
    if (this.#committed.length === 0) return [];
    this.#executing = this.#committed.splice(0);
    const verified = this.#verifiedAhead.handOut();
    return [{ kind: 'execute', waves: this.#executing, verified }];
  }

  #verifyAhead(): NodeEffect[] {
    const ahead = this.#verifiedAhead.next(this.#committed, this.#setup.state);
    return ahead === undefined ? [] : [{ kind: 'verify-ahead', ...ahead }];
  }

  #consensus(event: ChainEvent, now: Instant): NodeEffect[] {
    if (this.#halted !== undefined) return [];
    return this.#carryAll(this.#setup.chain.step(event, now), now);
  }

  #ofPeers(event: PeerEvent, now: Instant): NodeEffect[] {
    if (this.#halted !== undefined) return [];
    return this.#carryAll(this.#setup.chain.peer?.(event, now) ?? [], now);
  }

  #carryAll(from: readonly NodeChainEffect[], now: Instant): NodeEffect[] {
    const effects: NodeEffect[] = [];
    for (const effect of from) {
      for (const carried of this.#carry(effect, now)) effects.push(carried);
    }
    for (const effect of this.#executeWaiting()) effects.push(effect);
    return effects;
  }

  /** Before an epoch whose rules this software does not know. */
  #halt(epoch: Epoch): NodeEffect[] {
    if (this.#halted !== undefined) return [];
    this.#halted = this.#setup.protocol.haltReason(epoch);
    return [{ kind: 'halt', reason: this.#halted }];
  }

  #carry(effect: NodeChainEffect, now: Instant): NodeEffect[] {
    switch (effect.kind) {
      case 'persist':
        return [withWrites(effect, this.#acknowledgements.takeDeletions())];
      case 'send':
      case 'broadcast':
      case 'ask':
      case 'report':
        return [effect];
      case 'set-timer':
        this.#chainTimerMs = effect.atMonotonicMs;
        return [];
      case 'returned':
        this.#setup.mempool.putBack(effect.transactions);
        return [];
      case 'commit': {
        // Waves of others come here without their epoch having been entered.
        const { epoch } = effect.wave;
        if (!this.#setup.protocol.supports(epoch)) return this.#halt(epoch);
        this.#committed.push(effect.wave);
        return [];
      }
      case 'certified':
        return [{ kind: 'finality', cert: effect.cert }, ...this.#publish(effect.cert, now)];
      case 'equivocation':
        return [effect];
      case 'epoch':
        this.#setup.mempool.putBackAll();
        if (!this.#setup.chain.hasSeat) {
          this.#setup.mempool.forgetHeard();
          this.#forward(this.#setup.mempool.forwardAll(now.monotonicMs));
        }
        return this.#propose(now);
      case 'halt':
        this.#halted ??= effect.reason;
        return [{ kind: 'halt', reason: effect.reason }];
      default:
        return effect satisfies never;
    }
  }
}

/** Less and less often, up to every 16th take-over time. */
const isTimeToAsk = (asked: number): boolean => (asked & (asked - 1)) === 0 || asked % 16 === 0;

/** What no state makes right; of what a newer or an older one allows, nobody is to blame. */
function isWrong({ code }: PydeError): boolean {
  if (code === 'tx.expired' || code === 'tx.not-served') return false;
  return ['borsh.', 'types.', 'tx.'].some((module) => code.startsWith(module));
}

const earlier = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a;

function withWrites(
  effect: Extract<NodeChainEffect, { kind: 'persist' }>,
  more: readonly StoreWrite[],
): NodeEffect {
  return more.length === 0 ? effect : { ...effect, writes: [...effect.writes, ...more] };
}
