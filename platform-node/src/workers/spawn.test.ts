import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { spawnWorker } from './spawn.ts';

const ECHO = new URL(
  `data:text/javascript,${encodeURIComponent(
    "import { parentPort, resourceLimits, workerData } from 'node:worker_threads';" +
      'parentPort.postMessage({ young: resourceLimits.maxYoungGenerationSizeMb, workerData });',
  )}`,
);

describe('spawnWorker', () => {
  it('bounds the young generation of the thread and hands it its data', async () => {
    const worker = spawnWorker(ECHO, { youngGenerationMb: 12, workerData: 7 });
    const [said] = await once(worker, 'message');
    await worker.terminate();
    expect(said).toEqual({ young: 12, workerData: 7 });
  });
});
