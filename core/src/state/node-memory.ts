/**
 * Memory for tree nodes. A wave makes tens of thousands of nodes of a few hundred bytes; an array
 * buffer each costs the collector more than the hashing, so nodes share slabs.
 *
 * A slab is filled once from front to back and never written over, so whatever still looks at a
 * node's old place reads what was there. It goes when nothing refers to it. Since one node would
 * keep a whole slab, nodes that are kept move out of a slab of which less than half is kept: slabs
 * take at most about twice the bytes of the nodes that are kept.
 */

const SLAB_WORDS = 1 << 14;

interface Slab {
  readonly words: Uint32Array;
  readonly tenants: Tenant[];
  used: number;
  /** Words of tenants that are kept. */
  kept: number;
  /** True once what was kept has moved out. */
  isLeft: boolean;
}

let current: Slab = newSlab();

/** Something that lies in a slab. */
export class Tenant {
  #slab: Slab;
  #isKept = false;
  readonly #length: number;
  /** The slab's words; ours are those from `at` on. Both change when `keep`, `release` are called. */
  words: Uint32Array;
  at: number;

  /** @param length in words, far below that of a slab */
  constructor(length: number) {
    this.#length = length;
    this.#slab = slabWithRoom(length);
    this.words = this.#slab.words;
    this.at = this.#settle();
  }

  /** Counts as kept from now on. */
  keep(): void {
    if (this.#isKept) return;
    this.#isKept = true;
    this.#slab.kept += this.#length;
    if (this.#slab.isLeft) this.#move();
  }

  /** No longer counts as kept; what shares its slab may move. */
  release(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    this.#slab.kept -= this.#length;
    this.compact();
  }

  /** Moves all that is kept out of this one's slab if that is less than half of it. */
  compact(): void {
    const slab = this.#slab;
    if (slab === current || 2 * slab.kept >= SLAB_WORDS) return;
    for (const tenant of slab.tenants) if (tenant.#isKept) tenant.#move();
    slab.tenants.length = 0;
    slab.isLeft = true;
  }

  #move(): void {
    const { words, at } = this;
    this.#slab.kept -= this.#length;
    this.#slab = slabWithRoom(this.#length);
    this.#slab.kept += this.#length;
    this.words = this.#slab.words;
    this.at = this.#settle();
    this.words.set(words.subarray(at, at + this.#length), this.at);
  }

  #settle(): number {
    const at = this.#slab.used;
    this.#slab.used += this.#length;
    this.#slab.tenants.push(this);
    return at;
  }
}

function slabWithRoom(length: number): Slab {
  if (current.used + length > SLAB_WORDS) current = newSlab();
  return current;
}

function newSlab(): Slab {
  return { words: new Uint32Array(SLAB_WORDS), tenants: [], used: 0, kept: 0, isLeft: false };
}
