import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { WritePermits } from './write-permits.ts';

describe('WritePermits', () => {
  it('lets through what was granted, and no more once they are withdrawn', () => {
    const main = new WritePermits();
    const other = new WritePermits(main.shared);
    other.waitFor(0n);
    main.grant();
    main.grant();
    other.waitFor(1n);
    other.waitFor(2n);
    main.withdraw();
    main.withdraw();
    main.grant();
    other.waitFor(2n);
    const withdrawn = { name: 'PydeError', code: 'execution.withdrawn' };
    expect(() => other.waitFor(3n)).toThrow(expect.objectContaining(withdrawn));
  });

  it('withdraws also when none was granted', () => {
    const permits = new WritePermits();
    permits.withdraw();
    permits.waitFor(0n);
    expect(() => permits.waitFor(1n)).toThrow(/next start/);
  });

  it('wakes a thread that waits', async () => {
    const permits = new WritePermits();
    const source = `
      import { parentPort, workerData } from 'node:worker_threads';
      const { WritePermits } = await import(workerData.module);
      const permits = new WritePermits(workerData.shared);
      for (const count of [1n, 2n]) {
        parentPort.postMessage('waits');
        try {
          permits.waitFor(count);
          parentPort.postMessage('goes on');
        } catch (error) {
          parentPort.postMessage(error.code);
        }
      }`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
      workerData: {
        shared: permits.shared,
        module: new URL('./write-permits.ts', import.meta.url).href,
      },
    });
    const said: unknown[] = [];
    worker.on('message', (word) => said.push(word));
    await expect.poll(() => said).toEqual(['waits']);
    permits.grant();
    await expect.poll(() => said).toEqual(['waits', 'goes on', 'waits']);
    permits.withdraw();
    await once(worker, 'exit');
    expect(said[3]).toBe('execution.withdrawn');
  });
});
