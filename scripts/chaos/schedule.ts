/**
 * Which fault comes next, on whom and for how long: all drawn from the seed, so that a seed gives the
 * same episodes again. When they begin depends on how fast the network comes back.
 */
import { Prng } from '../../core/src/sim/prng.ts';

export const FAULTS = [
  'kill',
  'stop',
  'cut',
  'slow',
  'disk',
  'clock',
  'wipe',
  'byzantine',
] as const;
export type FaultName = (typeof FAULTS)[number];
/** One that comes and goes; the Byzantine member is there all the time. */
export type EpisodeFault = Exclude<FaultName, 'byzantine'>;

export interface Link {
  readonly from: number;
  readonly to: number;
}

export type Episode = {
  readonly members: readonly number[];
  readonly durationMs: number;
} & (
  | { readonly fault: 'kill' | 'stop' | 'wipe' }
  /** Connections are held and nothing passes, or they are reset and refused. */
  | { readonly fault: 'cut'; readonly links: readonly Link[]; readonly isReset: boolean }
  | {
      readonly fault: 'slow';
      readonly links: readonly Link[];
      readonly delayMs: number;
      readonly bytesPerSecond: number;
    }
  | { readonly fault: 'disk'; readonly leaveBytes: number }
  | { readonly fault: 'clock'; readonly shiftMs: number }
);

export interface ScheduleOptions {
  readonly seed: number;
  readonly validators: number;
  readonly faults: readonly FaultName[];
}

const STREAM = 11;
const HALF = 500_000;
const MIN_MS = 2_000;
const MAX_MORE_MS = 8_000;
const MAX_SHIFT_SECONDS = 6 * 3_600;
const MIB = 2 ** 20;

export class Schedule {
  readonly #prng: Prng;
  readonly #validators: number;
  readonly #faults: readonly EpisodeFault[];
  #bag: EpisodeFault[] = [];
  /** Plays false for the whole run. */
  readonly byzantine: number | undefined;
  /** Whose database lies on the small file system. */
  readonly onSmallDisk: number;
  readonly #honest: readonly number[];

  constructor({ seed, validators, faults }: ScheduleOptions) {
    this.#prng = Prng.seeded(seed, STREAM);
    this.#validators = validators;
    this.#faults = faults.filter((name) => name !== 'byzantine');
    const all = Array.from({ length: validators }, (_, i) => i);
    const drawn = this.#prng.below(validators);
    this.byzantine = faults.includes('byzantine') ? drawn : undefined;
    this.#honest = all.filter((i) => i !== this.byzantine);
    this.onSmallDisk = this.#honest[this.#prng.below(this.#honest.length)] ?? 0;
  }

  /** Each fault once in an order of its own, then each again. */
  next(): Episode | undefined {
    if (this.#bag.length === 0) this.#bag = this.#shuffled(this.#faults);
    const fault = this.#bag.pop();
    return fault === undefined ? undefined : this.#drawn(fault);
  }

  #drawn(fault: EpisodeFault): Episode {
    const durationMs = MIN_MS + this.#prng.below(MAX_MORE_MS);
    switch (fault) {
      case 'kill':
      case 'stop':
        return { fault, durationMs, members: this.#some(1 + this.#prng.below(2)) };
      case 'wipe':
        return { fault, durationMs, members: this.#some(1) };
      case 'cut': {
        const { members, links } = this.#cut();
        return { fault, durationMs, members, links, isReset: this.#prng.chance(HALF) };
      }
      case 'slow': {
        const members = this.#some(1);
        return {
          ...{ fault, durationMs, members, links: this.#around(members) },
          delayMs: 20 + this.#prng.below(300),
          bytesPerSecond: 50_000 + this.#prng.below(450_000),
        };
      }
      case 'disk':
        return {
          ...{ fault, durationMs, members: [this.onSmallDisk] },
          leaveBytes: this.#prng.chance(HALF) ? 0 : 8 * MIB,
        };
      case 'clock': {
        const ms = 1_000 * (2 + this.#prng.below(MAX_SHIFT_SECONDS));
        const shiftMs = this.#prng.chance(HALF) ? ms : -ms;
        return { fault, durationMs, members: this.#some(1), shiftMs };
      }
    }
  }

  /** One member from all others, two halves, or all that one says and hears nothing of. */
  #cut(): { members: readonly number[]; links: readonly Link[] } {
    const kind = this.#prng.below(3);
    if (kind === 1) {
      const all = this.#shuffled(Array.from({ length: this.#validators }, (_, i) => i));
      const members = all.slice(0, this.#validators >> 1).sort((a, b) => a - b);
      return { members, links: this.#around(members) };
    }
    const members = this.#some(1);
    const links = this.#around(members);
    return {
      members,
      links: kind === 0 ? links : links.filter(({ from }) => members.includes(from)),
    };
  }

  /** Both ways between these and the others. */
  #around(members: readonly number[]): Link[] {
    const links: Link[] = [];
    for (let from = 0; from < this.#validators; from++) {
      for (let to = 0; to < this.#validators; to++) {
        if (members.includes(from) !== members.includes(to)) links.push({ from, to });
      }
    }
    return links;
  }

  #some(count: number): number[] {
    return this.#shuffled(this.#honest)
      .slice(0, Math.min(count, this.#honest.length))
      .sort((a, b) => a - b);
  }

  #shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    const out: T[] = [];
    while (left.length > 0) out.push(...left.splice(this.#prng.below(left.length), 1));
    return out;
  }
}
