/** Worker threads that share the main thread's compile cache, without which each start costs more. */
import module from 'node:module';
import { Worker } from 'node:worker_threads';
import { PydeError } from '@pyde/core/bytes';

export interface ThreadOptions {
  /**
   * Bound of what the thread makes between two collections of what is young. Left alone it grows
   * past 100 MiB, and what short-lived arrays hold outside the heap stays as long.
   */
  readonly youngGenerationMb: number;
  /** Handed to the thread. */
  readonly workerData?: unknown;
}

export function spawnWorker(entry: URL, options: ThreadOptions): Worker {
  const { youngGenerationMb, workerData } = options;
  const cache = module.getCompileCacheDir();
  const env = cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache };
  const resourceLimits = { maxYoungGenerationSizeMb: youngGenerationMb };
  return new Worker(entry, { env, resourceLimits, workerData });
}

/** Why a node stops whose thread is gone without having been told to. */
export function threadEnded(name: string, code: number): PydeError {
  return new PydeError(
    'thread.ended',
    `the ${name} thread ended by itself (code ${code}), perhaps for want of memory`,
  );
}
