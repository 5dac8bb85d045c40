/**
 * Which peer to ask next: the one that was right lately, before those that were slow, before those
 * that were wrong. Nobody is shut out for good, since with all but one lying the one must be found;
 * a wrong answer puts a peer behind all that gave none for a while.
 */
const WRONG = 16;
const WORST = 64;
/** Offences that nobody asked for yet. */
const MAX_OFFENCES = 64;

/** What a peer's answer was: not true, or not there in time. */
export type AnswerOffence = 'wrong-answer' | 'no-answer';

export interface Offence {
  readonly peer: number;
  readonly offence: AnswerOffence;
}

export class PeerRanking {
  readonly #penalties = new Map<number, number>();
  #offences: Offence[] = [];
  #lastAsked: number | undefined;

  constructor(peers: readonly number[]) {
    for (const peer of peers) this.#penalties.set(peer, 0);
  }

  get size(): number {
    return this.#penalties.size;
  }

  add(peer: number): void {
    if (!this.#penalties.has(peer)) this.#penalties.set(peer, 0);
  }

  remove(peer: number): void {
    this.#penalties.delete(peer);
  }

  /** The best of those that `may` lets through; the one asked last stays while none is better. */
  best(may: (peer: number) => boolean): number | undefined {
    let best: number | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [peer, penalty] of this.#penalties) {
      if (!may(peer)) continue;
      if (penalty < least || (penalty === least && peer === this.#lastAsked)) {
        best = peer;
        least = penalty;
      }
    }
    this.#lastAsked = best;
    return best;
  }

  penaltyOf(peer: number): number | undefined {
    return this.#penalties.get(peer);
  }

  right(peer: number): void {
    this.#add(peer, -1);
  }

  /** It had not come to what was asked yet, or had no time for it, which is no offence. */
  behind(peer: number): void {
    this.#add(peer, 1);
  }

  slow(peer: number): void {
    this.#add(peer, 1);
    this.#note({ peer, offence: 'no-answer' });
  }

  wrong(peer: number): void {
    this.#add(peer, WRONG);
    this.#note({ peer, offence: 'wrong-answer' });
  }

  /** Since this was asked last; a few of them when they are many. */
  takeOffences(): readonly Offence[] {
    const offences = this.#offences;
    this.#offences = [];
    return offences;
  }

  #note(offence: Offence): void {
    if (this.#offences.length < MAX_OFFENCES) this.#offences.push(offence);
  }

  #add(peer: number, penalty: number): void {
    const known = this.#penalties.get(peer);
    if (known === undefined) return;
    this.#penalties.set(peer, Math.max(0, Math.min(known + penalty, WORST)));
  }
}
