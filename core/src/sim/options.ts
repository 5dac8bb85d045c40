/** What a run is made of. Equal options make equal runs, step by step, on every platform. */
import { PydeError } from '../bytes/index.ts';
import type { FalconKeyPair } from '../crypto/index.ts';
import { maxFaulty } from '../finality/index.ts';
import { MAX_COMMITTEE_SIZE } from '../types/index.ts';
import type { BehaviourName, DeliveryOrder } from './byzantine/index.ts';
import { latencyOf } from './latency.ts';
import type { SignatureKind } from './signatures.ts';

export const FAULT_KINDS = [
  'loss',
  'duplication',
  'reorder',
  'partition',
  'slow',
  'skew',
  'crash',
  'disk',
  'stale',
  'wipe',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface SimOptions {
  readonly validators: number;
  readonly seed: number;
  /** Of simulated time with load and faults; a calm end follows. */
  readonly seconds: number;
  readonly faults: readonly FaultKind[];
  /** `lan`, `wan` or `constant:MS`. */
  readonly latency: string;
  /** Transfers a second. */
  readonly tps: number;
  readonly signatures: SignatureKind;
  /** What comes out the same for many nodes is worked out once. */
  readonly sharesWork: boolean;
  /** Messages arrive at multiples of it; 0: each at its own time. */
  readonly arrivalTickUs: number;
  readonly minRoundDelayMs: number;
  readonly idleRoundMs: number;
  readonly gcRounds: number;
  readonly epochDurationMs: number;
  /** Members that play false, drawn by the seed. */
  readonly byzantine: number;
  /** What they draw from; every behaviour when empty. */
  readonly behaviours: readonly BehaviourName[];
  /** Lets there be more of them than the protocol is made to withstand. */
  readonly beyondTolerance: boolean;
  /** Whether an adversary orders deliveries among honest members, and the longest it may delay. */
  readonly delivery: DeliveryOrder;
  readonly delayBoundMs: number;
}

/** FALCON keys for real signatures: members first, then accounts. */
export type SimKeys = (count: number) => readonly FalconKeyPair[];

const MAX_SECONDS = 100_000;
const MAX_TPS = 10_000;
/** The longest epoch that genesis can say; no run is as long. */
const NO_EPOCHS_MS = 0xffff_ffff;
/** Above it, signatures are keyed unless asked for, and nodes share what is the same for all. */
export const MAX_REAL_BY_DEFAULT = 16;
/** A tenth of the latency between most regions; within them it is most of it. */
const WAN_TICK_US = 10_000;

const isWholeBetween = (value: number, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && value >= least && value <= most;

/**
 * Fills in what is not given.
 * @throws PydeError `sim.option`, `sim.latency`
 */
export function simOptions(given: Partial<SimOptions> = {}): SimOptions {
  const validators = given.validators ?? 4;
  const latency = given.latency ?? 'lan';
  const isMany = validators > MAX_REAL_BY_DEFAULT;
  const options: SimOptions = {
    validators,
    latency,
    seed: given.seed ?? 1,
    seconds: given.seconds ?? 30,
    faults: given.faults ?? [],
    tps: given.tps ?? 20,
    signatures: given.signatures ?? (isMany ? 'keyed' : 'real'),
    sharesWork: given.sharesWork ?? isMany,
    arrivalTickUs: given.arrivalTickUs ?? (isMany && latency === 'wan' ? WAN_TICK_US : 0),
    minRoundDelayMs: given.minRoundDelayMs ?? (latency === 'wan' ? 60 : 20),
    idleRoundMs: given.idleRoundMs ?? 500,
    gcRounds: given.gcRounds ?? 60,
    epochDurationMs: given.epochDurationMs ?? NO_EPOCHS_MS,
    byzantine: given.byzantine ?? 0,
    behaviours: given.behaviours ?? [],
    beyondTolerance: given.beyondTolerance ?? false,
    delivery: given.delivery ?? 'fair',
    delayBoundMs: given.delayBoundMs ?? 100,
  };
  const { beyondTolerance } = options;
  const mostFaulty = beyondTolerance ? validators : maxFaulty(validators);
  const rules: readonly (readonly [ok: boolean, rule: string])[] = [
    [
      isWholeBetween(validators, 1, MAX_COMMITTEE_SIZE),
      `validators: a whole number from 1 to ${MAX_COMMITTEE_SIZE}, not ${validators}`,
    ],
    [
      isWholeBetween(options.seed, 0, Number.MAX_SAFE_INTEGER),
      `seed: a whole number up to 2⁵³, not ${options.seed}`,
    ],
    [
      isWholeBetween(options.seconds, 1, MAX_SECONDS),
      `seconds: a whole number from 1 to ${MAX_SECONDS}, not ${options.seconds}`,
    ],
    [
      isWholeBetween(options.tps, 0, MAX_TPS),
      `tps: a whole number from 0 to ${MAX_TPS}, not ${options.tps}`,
    ],
    [
      isWholeBetween(options.minRoundDelayMs, 0, 60_000),
      `min-round-delay: whole milliseconds up to 60000, not ${options.minRoundDelayMs}`,
    ],
    [
      isWholeBetween(options.byzantine, 0, mostFaulty),
      `byzantine: a whole number up to ${mostFaulty}, of ${validators} members, not ` +
        `${options.byzantine}${beyondTolerance ? '' : '; more need beyond-tolerance'}`,
    ],
    [
      isWholeBetween(options.delayBoundMs, 1, 60_000),
      `delay-bound: whole milliseconds from 1 to 60000, not ${options.delayBoundMs}`,
    ],
  ];
  latencyOf(latency);
  for (const [ok, rule] of rules) if (!ok) throw new PydeError('sim.option', rule);
  return options;
}

/**
 * `all`, `none`, or kinds with commas between.
 * @throws PydeError `sim.option`
 */
export function faultKinds(list: string): FaultKind[] {
  if (list === 'none') return [];
  if (list === 'all') return [...FAULT_KINDS];
  return list.split(',').map((name) => {
    const kind = FAULT_KINDS.find((known) => known === name);
    if (kind !== undefined) return kind;
    throw new PydeError(
      'sim.option',
      `there is no fault ${name}; there are all, none, ${FAULT_KINDS.join(', ')}`,
    );
  });
}
