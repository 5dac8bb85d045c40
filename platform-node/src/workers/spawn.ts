/** Worker threads that share the main thread's compile cache, without which each start costs more. */
import module from 'node:module';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { PydeError } from '@pyde/core/bytes';

export function spawnWorker(entry: URL, options: WorkerOptions = {}): Worker {
  const cache = module.getCompileCacheDir();
  const env = cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: cache };
  return new Worker(entry, { ...options, env });
}

/** Why a node stops whose thread is gone without having been told to. */
export function threadEnded(name: string, code: number): PydeError {
  return new PydeError(
    'thread.ended',
    `the ${name} thread ended by itself (code ${code}), perhaps for want of memory`,
  );
}
