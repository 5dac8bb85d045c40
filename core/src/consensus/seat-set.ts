/**
 * A set of seats of a committee, which has at most 128 (`MAX_COMMITTEE_SIZE`): four words of bits,
 * so that whole sets of parents are compared in four steps.
 */
export class SeatSet {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  has(seat: number): boolean {
    return (this.#word(seat >> 5) & (1 << (seat & 31))) !== 0;
  }

  add(seat: number): void {
    const bit = 1 << (seat & 31);
    if (seat < 32) this.#a |= bit;
    else if (seat < 64) this.#b |= bit;
    else if (seat < 96) this.#c |= bit;
    else this.#d |= bit;
  }

  remove(seat: number): void {
    const kept = ~(1 << (seat & 31));
    if (seat < 32) this.#a &= kept;
    else if (seat < 64) this.#b &= kept;
    else if (seat < 96) this.#c &= kept;
    else this.#d &= kept;
  }

  get isEmpty(): boolean {
    return (this.#a | this.#b | this.#c | this.#d) === 0;
  }

  /** Is this the one seat in it? */
  isOnly(seat: number): boolean {
    if (!this.has(seat)) return false;
    const others = new SeatSet();
    others.addAll(this);
    others.remove(seat);
    return others.isEmpty;
  }

  addAll(other: SeatSet): void {
    this.#a |= other.#a;
    this.#b |= other.#b;
    this.#c |= other.#c;
    this.#d |= other.#d;
  }

  hasAll(other: SeatSet): boolean {
    return (
      (other.#a & ~this.#a) === 0 &&
      (other.#b & ~this.#b) === 0 &&
      (other.#c & ~this.#c) === 0 &&
      (other.#d & ~this.#d) === 0
    );
  }

  /** How many seats both have. */
  common(other: SeatSet): number {
    return (
      ones(this.#a & other.#a) +
      ones(this.#b & other.#b) +
      ones(this.#c & other.#c) +
      ones(this.#d & other.#d)
    );
  }

  /** The seats, lowest first, without those of `other`. */
  list(other?: SeatSet): number[] {
    const seats: number[] = [];
    for (let at = 0; at < 4; at++) {
      let word = this.#word(at) & ~(other === undefined ? 0 : other.#word(at));
      for (; word !== 0; word &= word - 1) seats.push(32 * at + 31 - Math.clz32(word & -word));
    }
    return seats;
  }

  #word(at: number): number {
    if (at < 2) return at === 0 ? this.#a : this.#b;
    return at === 2 ? this.#c : this.#d;
  }
}

/** Bits that are set, counted in pairs, then fours, then bytes. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
