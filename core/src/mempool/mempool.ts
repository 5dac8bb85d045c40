/**
 * The pool of admitted transactions (design/state-and-execution.md, "Accounts and transactions";
 * design/consensus.md, "Waves"). Sans-I/O: admission is cut in two around the check of signatures,
 * which the caller has done elsewhere, and time is handed in.
 *
 * Bytes come from anyone. Everything is bounded: transactions, bytes, transactions a sender, and
 * what is remembered of those that left. An admitted transaction is never stranded: it executes,
 * or it is dropped with a reason that `statusOf` tells.
 *
 * Lives in memory; the node keeps what it acknowledged in {@link AdmittedRecords} and takes it in
 * again when it starts.
 */
import { type Account, KnownAuthKeys, readAccount, signatureChecks } from '../account/index.ts';
import { equalBytes, PydeError, toHex } from '../bytes/index.ts';
import {
  gasBoundOf,
  maxFeeOf,
  requireBalance,
  requireRunnable,
  requireUsableNonce,
  spendOf,
  type WaveResult,
  wrongSignature,
} from '../execution/index.ts';
import type { SignatureCheck } from '../platform/index.ts';
import type { StateReader } from '../state/index.ts';
import { checkTx, decodeTx, type TxRules, txHash } from '../tx/index.ts';
import {
  type Address,
  type GenesisParameters,
  type Hash,
  MAX_BATCH_BYTES,
  TX_TYPE,
  type Tx,
  type TxHash,
} from '../types/index.ts';
import { type Evictable, EvictionQueue, evictionOrder } from './eviction.ts';
import { HeldForHome } from './homes.ts';
import {
  keysChanged,
  refusedBy,
  requirePlace,
  requireTank,
  stillToRun,
  wasEvicted,
  withdrawalOf,
} from './pool-rules.ts';
import { RecentMap } from './recent.ts';
import { RecentHashes } from './recent-hashes.ts';
import { SenderRate } from './sender-rate.ts';

export interface MempoolLimits {
  /** Default 32,768. */
  readonly maxTransactions?: number;
  /** Of wire bytes. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Executed and dropped hashes that are remembered, each kind. Default 65,536. */
  readonly maxRemembered?: number;
  /** Transactions a second of one sender; without it there is no limit. */
  readonly senderRatePerSecond?: number;
}

export interface MempoolSetup {
  readonly chainId: bigint;
  readonly parameters: GenesisParameters;
  readonly limits?: MempoolLimits;
}

/** What admission judges by: the newest executed wave. */
export interface MempoolView {
  readonly state: StateReader;
  readonly waveId: bigint;
  /** Quanta a unit of gas that the next wave charges. */
  readonly baseFee: bigint;
}

/** A transaction between the two halves of admission. */
export interface Admission {
  readonly hash: TxHash;
  readonly tx: Tx;
  readonly bytes: Uint8Array;
  /** All must verify; none for a RegisterPubkey. */
  readonly checks: readonly SignatureCheck[];
  /** Of the sender's keys that `checks` were made from. */
  readonly keysHash: Hash;
}

export type AdmissionStart =
  | { readonly kind: 'known'; readonly hash: TxHash }
  | { readonly kind: 'check'; readonly admission: Admission };

export type PoolStatus =
  | { readonly state: 'pending' }
  | { readonly state: 'dropped'; readonly reason: string; readonly message: string };

/** A transaction to be sent to a member that puts it in. */
export interface Forwarded {
  readonly from: Address;
  readonly bytes: Uint8Array;
  /** How many members had it before and did not bring it through. */
  readonly asked: number;
}

interface Entry extends Evictable {
  readonly name: string;
  readonly hash: TxHash;
  readonly tx: Tx;
  readonly bytes: Uint8Array;
  readonly keysHash: Hash;
}

const DEFAULT_MAX_TRANSACTIONS = 32_768;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const DEFAULT_MAX_REMEMBERED = 65_536;
const COUNT_BYTES = 4;
/** Transactions taken over, or forwarded again, at a time. */
const MAX_TAKEN_OVER = 1_024;
/** Heard by gossip and left to other members; in a pool that is half full none. */
const MAX_HEARD = 8_192;

/** Senders whose keys are not read and decoded again: 2 MB of them, 29 if all have sixteen. */
const MAX_KNOWN_KEYS = 2_048;

export class Mempool {
  readonly #rules: TxRules;
  readonly #maxTransactions: number;
  readonly #maxBytes: number;
  readonly #rate: SenderRate | undefined;
  /** All pending, in order of admission. */
  readonly #keys = new KnownAuthKeys(MAX_KNOWN_KEYS);
  readonly #entries = new Map<string, Entry>();
  readonly #bySender = new Map<string, Map<bigint, Entry>>();
  /** Those with a deadline. */
  readonly #expiring = new Map<string, Entry>();
  /** Not handed out yet, in the order in which they will be. */
  #queue = new Map<string, Entry>();
  /** Forwarded, and not to be handed out before their home had its time. */
  readonly #held = new HeldForHome<Entry>();
  readonly #evictions = new EvictionQueue<Entry>((e) => this.#queue.get(e.name) === e);
  readonly #executed: RecentHashes;
  readonly #dropped: RecentMap<{ readonly reason: string; readonly message: string }>;
  /** Left since `takeDeparted` was called, by name. */
  readonly #departed = new Map<string, TxHash>();
  #bytes = 0;
  #sequence = 0;

  constructor({ chainId, parameters, limits = {} }: MempoolSetup) {
    const remembered = limits.maxRemembered ?? DEFAULT_MAX_REMEMBERED;
    this.#rules = { chainId, waveGasCeiling: parameters.waveGasCeiling };
    this.#maxTransactions = limits.maxTransactions ?? DEFAULT_MAX_TRANSACTIONS;
    this.#maxBytes = limits.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#executed = new RecentHashes(remembered);
    this.#dropped = new RecentMap(remembered);
    if (limits.senderRatePerSecond !== undefined) {
      this.#rate = new SenderRate(limits.senderRatePerSecond, remembered);
    }
  }

  /** Pending transactions, handed out or not. */
  get size(): number {
    return this.#entries.size;
  }

  /** Wire bytes of all pending transactions. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True while `takeBatch` would give something. */
  get hasUnproposed(): boolean {
    return this.#queue.size > 0;
  }

  /**
   * The first half of admission: every rule but the signatures. A hash that is pending, or was
   * executed lately, is known, and its sender is answered with it.
   * @throws PydeError naming the first rule that is broken
   */
  admit(bytes: Uint8Array, view: MempoolView, nowMs: number): AdmissionStart {
    const tx = decodeTx(bytes);
    const hash = txHash(tx);
    if (this.known(hash)) return { kind: 'known', hash };
    checkTx(tx, this.#rules);
    const sender = readAccount(view.state, tx.from);
    this.#requireAdmissible(tx, sender, view);
    this.#rate?.require(toHex(tx.from), nowMs);
    const checks =
      tx.type === TX_TYPE.registerPubkey
        ? []
        : signatureChecks(this.#keys.of(view.state, tx.from, sender), hash, tx.signature);
    const keysHash = sender.authKeysHash;
    return { kind: 'check', admission: { hash, tx, bytes: bytes.slice(), checks, keysHash } };
  }

  /**
   * The second half: takes the transaction in, if it still keeps every rule by now.
   * @param valid whether all of the admission's checks verified
   * @param place `forwarded`: its home is asked to put it in, and `takeBatch` gives it only once it
   * is taken over; `heard`: as that, and all members heard it, so that not all take it over
   * @throws PydeError naming the rule that is broken
   */
  complete(
    admission: Admission,
    valid: boolean,
    view: MempoolView,
    nowMs: number,
    place: 'here' | 'forwarded' | 'heard' = 'here',
  ): TxHash {
    const { hash, tx, bytes, keysHash } = admission;
    if (!valid) throw wrongSignature();
    if (this.known(hash)) return hash;
    const sender = readAccount(view.state, tx.from);
    if (!equalBytes(keysHash, sender.authKeysHash)) throw keysChanged();
    this.#requireAdmissible(tx, sender, view);
    const entry: Entry = {
      name: toHex(hash),
      hash,
      tx,
      bytes,
      keysHash,
      gas: gasBoundOf(tx),
      sequence: this.#sequence,
    };
    this.#rate?.take(toHex(tx.from), nowMs);
    this.#makeRoomFor(entry);
    this.#sequence++;
    this.#add(entry);
    if (place === 'here') this.#enqueue(entry);
    else this.#held.hold(entry, nowMs, 0, place === 'heard');
    return hash;
  }

  /** May transactions that were heard by gossip be held for other members? */
  get hasRoomForHeard(): boolean {
    return (
      this.#held.heard < MAX_HEARD &&
      2 * this.#entries.size < this.#maxTransactions &&
      2 * this.#bytes < this.#maxBytes
    );
  }

  /** A client counts on this node for what it had only heard. */
  adopt(hash: TxHash): void {
    this.#held.adopt(toHex(hash));
  }

  /** Lets `takeBatch` give what was only heard: another member counts on this one to put it in. */
  putInHeard(hash: TxHash): void {
    const entry = this.#held.takeIfHeard(toHex(hash));
    if (entry !== undefined) this.#enqueue(entry);
  }

  /** Lets go what was only heard: this node puts nothing in any more. */
  forgetHeard(): void {
    for (const { name } of this.#held.takeHeard()) this.#remove(name);
  }

  /** When a forwarded transaction is next to be taken over; undefined when none waits. */
  get nextTakeOverMs(): number | undefined {
    return this.#held.nextDueMs;
  }

  /**
   * Lets `takeBatch` give what was forwarded and did not come through in time.
   * @param takesHeard whether it is this member's turn to take over what all of them heard, after
   * `asked` times in vain
   * @returns how many
   */
  takeOver(
    nowMs: number,
    takesHeard: (from: Address, asked: number) => boolean = () => true,
  ): number {
    let taken = 0;
    for (const { entry, asked, isHeard } of this.#held.takeDue(nowMs, MAX_TAKEN_OVER)) {
      if (isHeard && !takesHeard(entry.tx.from, asked + 1)) {
        this.#held.hold(entry, nowMs, asked + 1, true);
        continue;
      }
      this.#enqueue(entry);
      taken++;
    }
    return taken;
  }

  /** For a node without a seat: what did not come through in time, to be forwarded again. */
  forwardAgain(nowMs: number): Forwarded[] {
    return this.#held.takeDue(nowMs, MAX_TAKEN_OVER).map(({ entry, asked }) => {
      this.#held.hold(entry, nowMs, asked + 1);
      return { from: entry.tx.from, bytes: entry.bytes, asked: asked + 1 };
    });
  }

  /** For a node that lost its seat: what it would have put in itself, to be forwarded. */
  forwardAll(nowMs: number): Forwarded[] {
    const waiting = [...this.#queue.values()];
    this.#queue.clear();
    return waiting.map((entry) => {
      this.#held.hold(entry, nowMs);
      return { from: entry.tx.from, bytes: entry.bytes, asked: 0 };
    });
  }

  /** Pending, or executed lately. */
  known(hash: TxHash): boolean {
    return this.#entries.has(toHex(hash)) || this.#executed.has(hash);
  }

  statusOf(hash: TxHash): PoolStatus | undefined {
    const name = toHex(hash);
    if (this.#entries.has(name)) return { state: 'pending' };
    const dropped = this.#dropped.get(name);
    return dropped === undefined ? undefined : { state: 'dropped', ...dropped };
  }

  pendingTransaction(hash: TxHash): Tx | undefined {
    return this.#entries.get(toHex(hash))?.tx;
  }

  /**
   * The oldest transactions that were not handed out yet, each once.
   * @param maxBytes of the batch that they make, its counts included
   * @param maxGas of all gas limits; by default what one wave can take
   */
  takeBatch(
    maxBytes: number = MAX_BATCH_BYTES,
    maxGas: bigint = this.#rules.waveGasCeiling,
  ): Uint8Array[] {
    const batch: Uint8Array[] = [];
    let bytes = COUNT_BYTES;
    let gas = 0n;
    for (const entry of this.#queue.values()) {
      bytes += COUNT_BYTES + entry.bytes.length;
      gas += entry.gas;
      if (bytes > maxBytes || gas > maxGas) break;
      this.#queue.delete(entry.name);
      batch.push(entry.bytes);
    }
    return batch;
  }

  /** Makes what `takeBatch` gave ready to be handed out again, first: its batch is not committed. */
  putBack(transactions: readonly Uint8Array[]): void {
    this.#requeue(transactions.map((bytes) => toHex(txHash(decodeTx(bytes)))));
  }

  /**
   * Makes everything that is pending ready to be handed out: an epoch ended, and what its DAG had
   * not committed by then never will be.
   */
  putBackAll(): void {
    this.#requeue([...this.#entries.keys()]);
  }

  /** Notes why a transaction that was acknowledged before a restart was not taken in again. */
  refuse(hash: TxHash, refusal: PydeError): void {
    if (this.known(hash)) return;
    this.#dropped.set(toHex(hash), { reason: refusal.code, message: refusal.message });
  }

  /** What left the pool, executed or dropped, and did not come back since this was asked last. */
  takeDeparted(): readonly TxHash[] {
    if (this.#departed.size === 0) return [];
    const departed = [...this.#departed.values()];
    this.#departed.clear();
    return departed;
  }

  /**
   * Takes out what a wave executed, and drops what can no longer run.
   * @param behindMs from the wave's timestamp to now
   */
  onWave(wave: Pick<WaveResult, 'executed' | 'passedOver'>, view: MempoolView, behindMs = 0): void {
    this.#held.runsBehind(wave.executed.length > 0 ? behindMs : 0);
    const senders = new Set<string>();
    for (const { hash, from } of wave.executed) {
      const name = toHex(hash);
      this.#executed.add(hash);
      this.#dropped.delete(name);
      this.#remove(name);
      senders.add(toHex(from));
    }
    // Why a copy was passed over need not hold for ours: each is judged anew, and kept if it can run.
    const passedOver: string[] = [];
    for (const { hash } of wave.passedOver) {
      const entry = hash === undefined ? undefined : this.#entries.get(toHex(hash));
      if (entry === undefined) continue;
      passedOver.push(entry.name);
      senders.add(toHex(entry.tx.from));
    }
    for (const entry of this.#expiring.values()) {
      if ((entry.tx.deadline ?? 0n) <= view.waveId) senders.add(toHex(entry.tx.from));
    }
    for (const sender of senders) this.#judgeAgain(sender, view);
    this.#requeue(passedOver);
  }

  #requireAdmissible(tx: Tx, sender: Account, view: MempoolView): void {
    requireRunnable(tx, sender, readAccount(view.state, tx.to), view.waveId + 1n);
    requireUsableNonce(tx, sender);
    const pending = stillToRun(this.#bySender.get(toHex(tx.from)), sender);
    requirePlace(tx, pending);
    let promised = 0n;
    let withdrawn = 0n;
    for (const other of pending.values()) {
      promised += spendOf(other.tx) + maxFeeOf(other.tx, view.baseFee);
      withdrawn += withdrawalOf(other.tx);
    }
    requireBalance(tx, sender, view.baseFee, promised);
    requireTank(tx, sender, withdrawn);
  }

  /** Drops what the newest state no longer lets run, oldest kept first. */
  #judgeAgain(senderName: string, view: MempoolView): void {
    const pending = this.#bySender.get(senderName);
    if (pending === undefined) return;
    let promised = 0n;
    for (const entry of [...pending.values()].sort((a, b) => a.sequence - b.sequence)) {
      const { tx } = entry;
      const sender = readAccount(view.state, tx.from);
      const recipient = readAccount(view.state, tx.to);
      const refusal = refusedBy(() => {
        if (!equalBytes(entry.keysHash, sender.authKeysHash)) throw keysChanged();
        requireRunnable(tx, sender, recipient, view.waveId + 1n);
        requireUsableNonce(tx, sender);
        requireBalance(tx, sender, view.baseFee, promised);
      });
      if (refusal === undefined) promised += spendOf(tx) + maxFeeOf(tx, view.baseFee);
      else this.#drop(entry, refusal);
    }
  }

  /** Evicts as many as it takes, all or none. @throws PydeError `mempool.full` */
  #makeRoomFor(entry: Entry): void {
    const leaving: Entry[] = [];
    let count = this.#entries.size + 1;
    let bytes = this.#bytes + entry.bytes.length;
    while (count > this.#maxTransactions || bytes > this.#maxBytes) {
      const first = this.#evictions.take();
      if (first !== undefined) leaving.push(first);
      if (first === undefined || evictionOrder(entry, first) < 0) {
        for (const kept of leaving) this.#evictions.add(kept, this.#queue.size);
        throw new PydeError(
          'mempool.full',
          `the pool is full (${this.#entries.size} transactions, ${this.#bytes} bytes); ` +
            'try again in a few seconds',
          { transactions: this.#entries.size, bytes: this.#bytes },
        );
      }
      count--;
      bytes -= first.bytes.length;
    }
    for (const evicted of leaving) this.#drop(evicted, wasEvicted());
  }

  #add(entry: Entry): void {
    const { name, tx } = entry;
    const sender = toHex(tx.from);
    const pending = this.#bySender.get(sender) ?? new Map<bigint, Entry>();
    pending.set(tx.nonce, entry);
    this.#bySender.set(sender, pending);
    this.#entries.set(name, entry);
    if (tx.deadline !== undefined) this.#expiring.set(name, entry);
    this.#bytes += entry.bytes.length;
    this.#dropped.delete(name);
    this.#departed.delete(name);
  }

  #enqueue(entry: Entry): void {
    this.#queue.set(entry.name, entry);
    this.#evictions.add(entry, this.#queue.size);
  }

  /** Puts those of `names` that are pending before everything that waits, in order of admission. */
  #requeue(names: readonly string[]): void {
    const back = new Map<string, Entry>();
    for (const name of names) {
      const entry = this.#entries.get(name);
      if (entry === undefined || this.#queue.has(name) || this.#held.has(name)) continue;
      back.set(name, entry);
    }
    if (back.size === 0) return;
    const waiting = this.#queue;
    this.#queue = new Map();
    for (const entry of [...back.values()].sort((a, b) => a.sequence - b.sequence)) {
      this.#enqueue(entry);
    }
    for (const [name, entry] of waiting) this.#queue.set(name, entry);
  }

  #drop(entry: Entry, refusal: PydeError): void {
    this.#remove(entry.name);
    this.#dropped.set(entry.name, { reason: refusal.code, message: refusal.message });
  }

  #remove(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    const sender = toHex(entry.tx.from);
    const pending = this.#bySender.get(sender);
    pending?.delete(entry.tx.nonce);
    if (pending?.size === 0) this.#bySender.delete(sender);
    this.#entries.delete(name);
    this.#expiring.delete(name);
    this.#queue.delete(name);
    this.#held.delete(name);
    this.#departed.set(name, entry.hash);
    this.#bytes -= entry.bytes.length;
  }
}
