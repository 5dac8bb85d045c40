/** The memory: core specification §5.5.8. At most one; the minimum is bounded by the chain. */
import { featureError, limitError } from '../error.ts';
import { FEATURE } from '../features.ts';
import { LIMITS, MEMORY_PAGES_OF_FORMAT } from '../limits.ts';
import type { Limits } from '../module.ts';
import type { ModuleReader } from './reader.ts';
import { readLimits } from './size-limits.ts';

export function readMemory(reader: ModuleReader): Limits | undefined {
  const at = reader.at;
  const count = reader.u32();
  if (count === 0) return undefined;
  if (count > 1) throw featureError(FEATURE.multipleMemories, at, `a module of ${count} memories`);
  const memory = readLimits(reader, 'memory');
  if (memory.min > LIMITS.memoryPages) {
    throw limitError('memoryPages', memory.min, LIMITS.memoryPages, at);
  }
  if (memory.max !== undefined && memory.max > MEMORY_PAGES_OF_FORMAT) {
    throw limitError('memoryPages', memory.max, MEMORY_PAGES_OF_FORMAT, at);
  }
  return memory;
}
