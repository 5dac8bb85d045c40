/**
 * The memory of a rewritten module comes from outside, so that it can be pooled and its growth is
 * bounded by the chain, whatever the module states.
 */
import { LIMITS } from '../limits.ts';
import type { Limits } from '../module.ts';
import type { ByteSink } from './byte-sink.ts';
import { INTERNAL } from './internal.ts';

export interface MemoryBounds {
  readonly minPages: number;
  readonly maxPages: number;
}

/** The stated limits, the maximum brought down to the chain's. */
export function memoryBounds({ min, max }: Limits): MemoryBounds {
  return { minPages: min, maxPages: Math.min(max ?? LIMITS.memoryPages, LIMITS.memoryPages) };
}

const MEMORY_KIND = 0x02;
const HAS_MAXIMUM = 0x01;

/** An entry of the import section. */
export function writeMemoryImport(out: ByteSink, { minPages, maxPages }: MemoryBounds): void {
  out.name(INTERNAL.importModule);
  out.name(INTERNAL.memory);
  out.bytes([MEMORY_KIND, HAS_MAXIMUM]);
  out.u32(minPages);
  out.u32(maxPages);
}
