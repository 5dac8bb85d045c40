/** Worker threads that share the main thread's compile cache, without which each start costs more. */
import module from 'node:module';
import { Worker, type WorkerOptions } from 'node:worker_threads';

export function spawnWorker(entry: URL, options: WorkerOptions = {}): Worker {
  const cache = module.getCompileCacheDir();
  const env = cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache };
  return new Worker(entry, { ...options, env });
}
