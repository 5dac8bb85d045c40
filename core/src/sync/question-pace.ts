/**
 * How often one peer is asked for waves, so that nobody honest has to refuse: a little below what
 * every node allows its peers (`core/src/net/protocol-limits.ts`, `waves`).
 */
const BURST = 6;
const PER_SECOND = 3.5;

interface Budget {
  questions: number;
  atMs: number;
}

export class QuestionPace {
  readonly #budgets = new Map<number, Budget>();

  /** When the peer may be asked next; not after `nowMs` if it may be now. */
  readyMs(peer: number, nowMs: number): number {
    const left = this.#left(peer, nowMs);
    return left >= 1 ? nowMs : nowMs + ((1 - left) * 1_000) / PER_SECOND;
  }

  /** It is asked, at the time given by {@link readyMs} or later. */
  spend(peer: number, nowMs: number): void {
    this.#budgets.set(peer, { questions: this.#left(peer, nowMs) - 1, atMs: nowMs });
  }

  remove(peer: number): void {
    this.#budgets.delete(peer);
  }

  #left(peer: number, nowMs: number): number {
    const budget = this.#budgets.get(peer);
    if (budget === undefined) return BURST;
    const gained = ((nowMs - budget.atMs) * PER_SECOND) / 1_000;
    return Math.min(BURST, budget.questions + gained);
  }
}
