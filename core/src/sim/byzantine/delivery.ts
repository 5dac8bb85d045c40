/**
 * Deliveries ordered to an adversary's liking, each within a bound Δ (design/consensus.md, "Required
 * tests", 3). Faulty members hear and are heard at once; honest ones wait.
 *
 * `starve`: anchors of honest members, and vertices that vote for one, are kept back from all but a
 * few until Δ is over, so that members could make their next vertex without a vote.
 *
 * `jump`: one honest member after another hears nothing for Δ and then everything at once, many
 * rounds behind. This is the shape of the trace by which members that jump over rounds never commit
 * (Qiu, Xiao, Shao, "Mechanized Safety and Liveness Proofs for the Mysticeti Consensus Protocol
 * under the LiDO-DAG Framework", IEEE S&P 2026): whoever was kept back and jumps leaves out its vote
 * and its certificate, and then it is another one's turn.
 */
import { readU64LittleEndian } from '../../bytes/index.ts';
import { Prng } from '../prng.ts';

export const DELIVERY_ORDERS = ['fair', 'starve', 'jump'] as const;
export type DeliveryOrder = (typeof DELIVERY_ORDERS)[number];

export interface DeliveryOptions {
  readonly validators: number;
  readonly seed: number;
  readonly delivery: DeliveryOrder;
  readonly delayBoundMs: number;
}

type AnchorOf = (epoch: number, round: number) => number | undefined;

const STREAM = 5;
const AT_ONCE_US = 500;
const VERTEX_TAG = 0;
/** Places in a message that carries a vertex. */
const EPOCH_AT = 1 + 8;
const ROUND_AT = EPOCH_AT + 8;
const AUTHOR_AT = ROUND_AT + 8;
const PARENTS_AT = AUTHOR_AT + 2 + 8;
const PARENT_BYTES = 2 + 32;
/** Of the members that an anchor is kept from. */
const SOME_HEAR_AT_ONCE = 250_000;

interface Place {
  readonly epoch: number;
  readonly round: number;
  readonly author: number;
}

export class Delivery {
  readonly #boundUs: number;
  readonly #order: Exclude<DeliveryOrder, 'fair'>;
  readonly #honest: readonly number[];
  readonly #faulty: ReadonlySet<number>;
  readonly #anchorOf: AnchorOf;
  readonly #prng: Prng;

  private constructor(
    options: DeliveryOptions,
    order: Exclude<DeliveryOrder, 'fair'>,
    faulty: ReadonlySet<number>,
    anchorOf: AnchorOf,
  ) {
    this.#boundUs = options.delayBoundMs * 1_000;
    this.#order = order;
    this.#faulty = faulty;
    this.#honest = Array.from({ length: options.validators }, (_, i) => i).filter(
      (i) => !faulty.has(i),
    );
    this.#anchorOf = anchorOf;
    this.#prng = Prng.seeded(options.seed, STREAM);
  }

  /** Undefined where the network is left to itself. */
  static of(
    options: DeliveryOptions,
    faulty: ReadonlySet<number>,
    anchorOf: AnchorOf,
  ): Delivery | undefined {
    const { delivery } = options;
    return delivery === 'fair' ? undefined : new Delivery(options, delivery, faulty, anchorOf);
  }

  /** How long a message takes that is sent now. */
  delayUs(from: number, to: number, message: Uint8Array, nowUs: number): number {
    if (this.#faulty.has(from) || this.#faulty.has(to)) return AT_ONCE_US;
    if (this.#order === 'jump') return this.#jump(to, nowUs);
    return this.#starve(message);
  }

  #jump(to: number, nowUs: number): number {
    const turn = Math.floor(nowUs / this.#boundUs);
    if (this.#honest[turn % this.#honest.length] !== to) return AT_ONCE_US;
    return Math.max(AT_ONCE_US, (turn + 1) * this.#boundUs - nowUs);
  }

  #starve(message: Uint8Array): number {
    const place = placeOf(message);
    if (place === undefined || !this.#helpsAnchor(message, place)) return AT_ONCE_US;
    return this.#prng.chance(SOME_HEAR_AT_ONCE) ? AT_ONCE_US : this.#boundUs;
  }

  /** Is it an honest anchor, or does it vote for one? */
  #helpsAnchor(message: Uint8Array, { epoch, round, author }: Place): boolean {
    if (this.#anchorOf(epoch, round) === author) return true;
    const below = this.#anchorOf(epoch, round - 1);
    return below !== undefined && !this.#faulty.has(below) && namesParentOf(message, below);
  }
}

function placeOf(message: Uint8Array): Place | undefined {
  if (message[0] !== VERTEX_TAG || message.length < PARENTS_AT + 4) return undefined;
  return {
    epoch: Number(readU64LittleEndian(message, EPOCH_AT)),
    round: Number(readU64LittleEndian(message, ROUND_AT)),
    author: u16(message, AUTHOR_AT),
  };
}

function namesParentOf(message: Uint8Array, author: number): boolean {
  const count = u16(message, PARENTS_AT);
  for (let i = 0; i < count; i++) {
    if (u16(message, PARENTS_AT + 4 + i * PARENT_BYTES) === author) return true;
  }
  return false;
}

const u16 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
