/**
 * How long messages take, one way, in microseconds. `wan` spreads members over six regions whose
 * distances are of the order that public measurements between data centres show; only their shape
 * matters: a few near pairs, a few far ones, and a little jitter on all.
 */
import { PydeError } from '../bytes/index.ts';
import type { Prng } from './prng.ts';

export interface Latency {
  readonly name: string;
  /** Of one message. */
  drawUs(from: number, to: number, prng: Prng): number;
}

/** Milliseconds one way: east and west of North America, Europe, South East Asia, Japan, Brazil. */
const REGION_MS: readonly (readonly number[])[] = [
  [1, 32, 40, 110, 80, 58],
  [32, 1, 68, 85, 53, 88],
  [40, 68, 1, 85, 105, 92],
  [110, 85, 85, 1, 35, 160],
  [80, 53, 105, 35, 1, 130],
  [58, 88, 92, 160, 130, 1],
];
/** Of the base latency. */
const WAN_JITTER_PERCENT = 10;
const LAN_BASE_US = 200;
const LAN_JITTER_US = 300;
const MAX_CONSTANT_MS = 60_000;

const LAN: Latency = {
  name: 'lan',
  drawUs: (_from, _to, prng) => LAN_BASE_US + prng.below(LAN_JITTER_US),
};

const WAN: Latency = {
  name: 'wan',
  drawUs: (from, to, prng) => {
    const regions = REGION_MS.length;
    const baseUs = (REGION_MS[from % regions]?.[to % regions] ?? 0) * 1_000;
    return baseUs + prng.below(Math.floor((baseUs * WAN_JITTER_PERCENT) / 100) + 1);
  },
};

/** @throws PydeError `sim.latency` */
export function latencyOf(name: string): Latency {
  if (name === 'lan') return LAN;
  if (name === 'wan') return WAN;
  const ms = /^constant:(\d{1,5})$/.exec(name)?.[1];
  if (ms !== undefined && Number(ms) <= MAX_CONSTANT_MS) {
    const us = Number(ms) * 1_000;
    return { name, drawUs: () => us };
  }
  throw new PydeError(
    'sim.latency',
    `latency is lan, wan or constant:MS (0 to ${MAX_CONSTANT_MS}), not ${name}`,
  );
}
