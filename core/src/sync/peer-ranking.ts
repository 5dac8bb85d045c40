/**
 * Which peer to ask next: the one that was right lately, before those that were slow, before those
 * that were wrong. Nobody is shut out for good, since with all but one lying the one must be found;
 * a wrong answer puts a peer behind all that gave none for a while.
 */
const WRONG = 16;
const WORST = 64;

export class PeerRanking {
  readonly #penalties = new Map<number, number>();
  #lastAsked: number | undefined;

  constructor(peers: readonly number[]) {
    for (const peer of peers) this.#penalties.set(peer, 0);
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

  slow(peer: number): void {
    this.#add(peer, 1);
  }

  wrong(peer: number): void {
    this.#add(peer, WRONG);
  }

  #add(peer: number, penalty: number): void {
    const known = this.#penalties.get(peer);
    if (known === undefined) return;
    this.#penalties.set(peer, Math.max(0, Math.min(known + penalty, WORST)));
  }
}
