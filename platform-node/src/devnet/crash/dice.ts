/** Random choices that a seed repeats: PYDE_TEST_SEED, or one of this moment, which is printed. */
export class Dice {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  static ofThisRun(what: string): Dice {
    const dice = new Dice(Number(process.env['PYDE_TEST_SEED'] ?? Date.now()));
    console.log(`${what}: PYDE_TEST_SEED=${dice.seed}`);
    return dice;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    // Mulberry32.
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }
}
