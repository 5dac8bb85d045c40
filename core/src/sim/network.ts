/**
 * The network between members: how long each copy of a message takes and whether it arrives at all.
 * Links have no order of their own; a slow or cut link is slow or cut in one direction. What is
 * faulty at a time is set from outside (`faults.ts`); chance is drawn here.
 */
import { invariant } from '../bytes/index.ts';
import type { Latency } from './latency.ts';
import type { Prng } from './prng.ts';

export class Network {
  readonly #size: number;
  readonly #latency: Latency;
  readonly #prng: Prng;
  /** 1 where nothing goes through, by from × size + to. */
  readonly #cut: Uint8Array;
  /** Added to what goes through. */
  readonly #slowUs: Uint32Array;
  lossPerMillion = 0;
  duplicationPerMillion = 0;
  /** A message that is reordered is up to so much later than it would be. */
  reorderUs = 0;
  reorderPerMillion = 0;
  sent = 0;
  lost = 0;

  constructor(size: number, latency: Latency, prng: Prng) {
    this.#size = size;
    this.#latency = latency;
    this.#prng = prng;
    this.#cut = new Uint8Array(size * size);
    this.#slowUs = new Uint32Array(size * size);
  }

  /** Calls `arrive` with the delay of each copy of `message`; not at all for one that is lost. */
  route<M>(
    from: number,
    to: number,
    message: M,
    arrive: (delayUs: number, to: number, message: M) => void,
  ): void {
    invariant(from !== to, 'nobody sends to itself');
    this.sent++;
    const link = from * this.#size + to;
    if (this.#cut[link] === 1 || this.#prng.chance(this.lossPerMillion)) {
      this.lost++;
      return;
    }
    arrive(this.#delayUs(from, to, link), to, message);
    if (this.#prng.chance(this.duplicationPerMillion)) {
      arrive(this.#delayUs(from, to, link), to, message);
    }
  }

  isCut(from: number, to: number): boolean {
    return this.#cut[from * this.#size + to] === 1;
  }

  /** @returns whether the link was the other way before */
  setCut(from: number, to: number, cut: boolean): boolean {
    const link = from * this.#size + to;
    const before = this.#cut[link] === 1;
    this.#cut[link] = cut ? 1 : 0;
    return before !== cut;
  }

  setSlow(from: number, to: number, addedUs: number): void {
    this.#slowUs[from * this.#size + to] = addedUs;
  }

  #delayUs(from: number, to: number, link: number): number {
    const delayUs = this.#latency.drawUs(from, to, this.#prng) + (this.#slowUs[link] ?? 0);
    if (!this.#prng.chance(this.reorderPerMillion)) return delayUs;
    return delayUs + this.#prng.below(this.reorderUs + 1);
  }
}
