/**
 * Signature checks ahead of execution (design/architecture.md, "Threads"): what admission verified
 * goes to the executor with the next waves, and while waves wait for those that run, the
 * transactions in them that this node never admitted are verified too, a few at a time.
 *
 * All of it only saves the executor work: whatever is missing in its memory it checks itself, so
 * nothing waits for a verdict, and what is lost here (a full queue, a restart) is lost time. Other
 * members put anything into their batches; at most {@link AHEAD_AT_ONCE} transactions are read and
 * under way at once, and each is looked at only once.
 */
import { KnownAuthKeys, readAccount, signatureChecks } from '../account/index.ts';
import { concatBytes, isPydeError } from '../bytes/index.ts';
import type { CommittedWave } from '../consensus/index.ts';
import {
  MAX_VERIFIED,
  type RightlySigned,
  requireUsableNonce,
  VERIFIED_ENTRY_BYTES,
  VerifiedTransactions,
  verifiedEntries,
} from '../execution/index.ts';
import type { SignatureCheck } from '../platform/index.ts';
import type { StateReader } from '../state/index.ts';
import { decodeTx, txHash } from '../tx/index.ts';

/** Transactions that are looked up, or read and checked, together; hashing side by side is faster. */
export const AHEAD_AT_ONCE = 64;
/** Pieces of so many that one step looks up, so that it stays below a ms. */
const PIECES_A_STEP = 8;
/** Senders whose keys are not read and decoded again. */
const MAX_KNOWN_KEYS = 2_048;

/** To be answered by `settle` with the same ticket. */
export interface ChecksAhead {
  readonly ticket: number;
  readonly checks: readonly SignatureCheck[];
}

interface Examined {
  readonly transaction: RightlySigned;
  /** Its checks among those of the ticket. */
  readonly first: number;
  readonly count: number;
}

export class VerifiedAhead {
  /** Whatever was verified, handed out or not. */
  readonly #known = new VerifiedTransactions();
  readonly #keys = new KnownAuthKeys(MAX_KNOWN_KEYS);
  #unnamed: RightlySigned[] = [];
  #entries: Uint8Array[] = [];
  #entryBytes = 0;
  #ticket = 0;
  #underWay: readonly Examined[] | undefined;
  /** The pool refused; the executor checks the rest. */
  #isPaused = false;
  /** What of the waiting waves was examined: whole waves, and transactions of the one after. */
  #waves = 0;
  #transactions = 0;

  /** Entries that wait for the next waves. */
  get waiting(): number {
    return this.#unnamed.length + this.#entryBytes / VERIFIED_ENTRY_BYTES;
  }

  /** Admission found it rightly signed. */
  add(transaction: RightlySigned): void {
    this.#unnamed.push(transaction);
    if (this.#unnamed.length >= AHEAD_AT_ONCE) this.#name();
  }

  /**
   * The next checks of transactions that no admission verified; undefined while others are under
   * way, or when there are none.
   * @param waves all that wait, in order, since `handOut` was called last
   */
  next(waves: readonly CommittedWave[], state: StateReader): ChecksAhead | undefined {
    if (this.#underWay !== undefined || this.#isPaused) return undefined;
    this.#name();
    const examined: Examined[] = [];
    const checks: SignatureCheck[] = [];
    for (const bytes of this.#nextUnknown(waves)) {
      const asked = checksOf(bytes, state, this.#keys);
      if (asked === undefined) continue;
      const { transaction, checks: own } = asked;
      examined.push({ transaction, first: checks.length, count: own.length });
      checks.push(...own);
    }
    if (checks.length === 0) return undefined;
    this.#underWay = examined;
    this.#ticket++;
    return { ticket: this.#ticket, checks };
  }

  /**
   * What became of `next`'s checks. Late answers, of waves that were handed out, change nothing.
   * @param verdicts one a check; undefined when they could not be made
   */
  settle(ticket: number, verdicts: readonly boolean[] | undefined): void {
    const examined = this.#underWay;
    if (ticket !== this.#ticket || examined === undefined) return;
    this.#underWay = undefined;
    if (verdicts === undefined) {
      this.#isPaused = true;
      return;
    }
    for (const { transaction, first, count } of examined) {
      const own = verdicts.slice(first, first + count);
      if (own.length === count && own.every((valid) => valid)) this.add(transaction);
    }
  }

  /** All entries so far, for the executor; the waves that waited are handed out with them. */
  handOut(): Uint8Array {
    this.#name();
    const entries = concatBytes(...this.#entries);
    this.#entries = [];
    this.#entryBytes = 0;
    this.#underWay = undefined;
    this.#isPaused = false;
    this.#waves = 0;
    this.#transactions = 0;
    return entries;
  }

  /** The first piece that holds any which nobody verified, without those that were. */
  #nextUnknown(waves: readonly CommittedWave[]): readonly Uint8Array[] {
    for (let i = 0; i < PIECES_A_STEP; i++) {
      const piece = this.#nextPiece(waves);
      const found = this.#known.find(piece);
      const unknown = piece.filter((_, place) => found[place] === undefined);
      if (unknown.length > 0) return unknown;
    }
    return [];
  }

  #nextPiece(waves: readonly CommittedWave[]): readonly Uint8Array[] {
    const transactions = waves[this.#waves]?.transactions ?? [];
    const piece = transactions.slice(this.#transactions, this.#transactions + AHEAD_AT_ONCE);
    this.#transactions += piece.length;
    if (this.#transactions === transactions.length && this.#waves < waves.length) {
      this.#waves++;
      this.#transactions = 0;
    }
    return piece;
  }

  #name(): void {
    if (this.#unnamed.length === 0) return;
    const entries = verifiedEntries(this.#unnamed);
    this.#unnamed = [];
    this.#known.add(entries);
    this.#entries.push(entries);
    this.#entryBytes += entries.length;
    while (this.#entryBytes > MAX_VERIFIED * VERIFIED_ENTRY_BYTES) {
      this.#entryBytes -= this.#entries.shift()?.length ?? 0;
    }
  }
}

/** Undefined when the executor would ask for no check of it on this state. */
function checksOf(
  bytes: Uint8Array,
  state: StateReader,
  known: KnownAuthKeys,
): { readonly transaction: RightlySigned; readonly checks: readonly SignatureCheck[] } | undefined {
  const tx = unlessRefused(() => decodeTx(bytes));
  if (tx === undefined) return undefined;
  const sender = readAccount(state, tx.from);
  return unlessRefused(() => {
    requireUsableNonce(tx, sender);
    const hash = txHash(tx);
    const checks = signatureChecks(known.of(state, tx.from, sender), hash, tx.signature);
    return { transaction: { bytes, hash, keysHash: sender.authKeysHash }, checks };
  });
}

/** What `read` refuses is the transaction's doing: it must read no store. */
function unlessRefused<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (isPydeError(error)) return undefined;
    throw error;
  }
}
