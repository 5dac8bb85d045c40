/**
 * What gas costs and where the fee goes (design/state-and-execution.md, "Accounts and
 * transactions"; docs/protocol/fees.md, whose worked examples the tests recompute). Integers only.
 */
import { invariant, U64_MAX } from '../bytes/index.ts';
import { type GenesisParameters, type Quanta, toQuanta } from '../types/index.ts';

const SCALE_BITS = 32n;
/** One quantum a unit of gas: the base fee never falls below it. */
export const LEAST_SCALED_BASE_FEE = 1n << SCALE_BITS;
/** The base fee stays below 2⁶⁴ quanta, so that no product of a fee and a gas limit overflows. */
export const LARGEST_SCALED_BASE_FEE = U64_MAX << SCALE_BITS;

/** A base fee moves by at most an eighth a second, and as in one second when a wave took longer. */
const CHANGE_DIVISOR = 8n;
const MS_PER_SECOND = 1000n;

export interface WaveLoad {
  /** Gas that the wave used. */
  readonly gasUsed: bigint;
  /** Milliseconds since the wave before, at least 1. */
  readonly elapsedMs: bigint;
  readonly gasTargetPerSecond: bigint;
}

/** Genesis' base fee in quanta, in the form that the state keeps. */
export const scaleBaseFee = (baseFee: Quanta): bigint => baseFee << SCALE_BITS;

/** Quanta a unit of gas that are charged: rounded up, at least 1. */
export function chargedBaseFee(scaled: bigint): Quanta {
  const roundedUp = (scaled + LEAST_SCALED_BASE_FEE - 1n) >> SCALE_BITS;
  return toQuanta(roundedUp > 1n ? roundedUp : 1n);
}

/**
 * The scaled base fee after a wave. With u = 1000 × gas used, t = target × elapsed and
 * s = min(elapsed, 1000): it moves by ⌊fee × min(|u − t|, t) × s ÷ (8000 × t)⌋, up when u > t.
 */
export function nextScaledBaseFee(scaled: bigint, load: WaveLoad): bigint {
  invariant(load.elapsedMs > 0n && load.gasTargetPerSecond > 0n, 'waves take time');
  const used = load.gasUsed * MS_PER_SECOND;
  const target = load.gasTargetPerSecond * load.elapsedMs;
  const distance = used > target ? used - target : target - used;
  const counted = distance < target ? distance : target;
  const share = load.elapsedMs < MS_PER_SECOND ? load.elapsedMs : MS_PER_SECOND;
  const step = (scaled * counted * share) / (target * CHANGE_DIVISOR * MS_PER_SECOND);
  const next = used > target ? scaled + step : scaled - step;
  if (next < LEAST_SCALED_BASE_FEE) return LEAST_SCALED_BASE_FEE;
  return next > LARGEST_SCALED_BASE_FEE ? LARGEST_SCALED_BASE_FEE : next;
}

export interface FeeShares {
  readonly burned: bigint;
  readonly rewardPool: bigint;
  readonly treasury: bigint;
}

/** The parts of one transaction's fee; what division leaves goes to the treasury. */
export function splitFee(
  fee: bigint,
  parameters: Pick<GenesisParameters, 'burnPercent' | 'rewardPoolPercent'>,
): FeeShares {
  const burned = (fee * BigInt(parameters.burnPercent)) / 100n;
  const rewardPool = (fee * BigInt(parameters.rewardPoolPercent)) / 100n;
  return { burned, rewardPool, treasury: fee - burned - rewardPool };
}
