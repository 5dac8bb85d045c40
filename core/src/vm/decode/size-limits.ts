/**
 * Limits of tables and memories: core specification §5.3.6. The flags' further bits belong to
 * proposals that are not accepted.
 */
import { featureError, wasmError } from '../error.ts';
import { FEATURE } from '../features.ts';
import type { Limits } from '../module.ts';
import type { ModuleReader } from './reader.ts';

const HAS_MAX = 0x01;
const SHARED = 0x02;
const WIDE = 0x04;
const PAGE_SIZE = 0x08;

export function readLimits(reader: ModuleReader, what: string): Limits {
  const at = reader.at;
  const flags = reader.u8();
  if (flags > (HAS_MAX | SHARED | WIDE | PAGE_SIZE)) {
    throw wasmError('wasm.form', at, `${what} has unknown flags ${flags}`, { flags });
  }
  if ((flags & PAGE_SIZE) !== 0) throw featureError(FEATURE.customPageSizes, at, what);
  if ((flags & WIDE) !== 0) throw featureError(FEATURE.memory64, at, `a 64-bit ${what}`);
  if ((flags & SHARED) !== 0) throw featureError(FEATURE.threads, at, `a shared ${what}`);
  const min = reader.u32();
  const max = (flags & HAS_MAX) === 0 ? undefined : reader.u32();
  if (max !== undefined && max < min) {
    throw wasmError('wasm.range', at, `${what}: the maximum ${max} is below the minimum ${min}`, {
      min,
      max,
    });
  }
  return { min, max };
}
