import type { NodeEffect, NodeEvent } from '@pyde/core/node';
import { MemoryStore } from '@pyde/core/platform';
import { describe, expect, it } from 'vitest';
import type { BegunExecution } from '../workers/execution-thread.ts';
import { Driver } from './driver.ts';
import { noOutlet } from './outlet.ts';
import { systemClock } from './system-clock.ts';

const later = () => new Promise((resolve) => setTimeout(resolve, 10));

/** A driver of a machine that answers `start` with these effects, and what it did with them. */
function drive(effects: NodeEffect[], persisted: () => Promise<void>, preparations = 0) {
  const told: string[] = [];
  const store = new MemoryStore();
  store.batch = () => {
    told.push('persist');
    return persisted();
  };
  const begun: BegunExecution = {
    executed: Promise.resolve([]),
    write: () => told.push('write'),
  };
  const driver = new Driver({
    machine: {
      prepare: () => {
        preparations--;
        if (preparations >= 0) told.push('prepare');
        return preparations > 0;
      },
      step: (event: NodeEvent) => {
        if (event.kind === 'executed') told.push('executed');
        return event.kind === 'start' ? effects : [];
      },
    },
    clock: systemClock,
    store,
    pool: { verify: () => Promise.resolve([]), close: () => Promise.resolve() },
    execution: {
      begin: () => {
        told.push('begin');
        return begun;
      },
    },
    outlet: { ...noOutlet, broadcast: () => told.push('broadcast') },
    onDurable: () => {},
    onNotice: () => {},
    onStop: () => told.push('stop'),
  });
  driver.start();
  return { driver, told };
}

const effects: NodeEffect[] = [
  { kind: 'persist', writes: [], sync: true },
  { kind: 'broadcast', message: new Uint8Array(1) },
  { kind: 'execute', waves: [], verified: new Uint8Array(0) },
];

describe('Driver', () => {
  it('has waves computed while their order is written, and written after it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { driver, told } = drive(effects, () => promise);
    await later();
    expect(told).toEqual(['begin', 'persist']);
    resolve();
    await later();
    expect(told).toEqual(['begin', 'persist', 'broadcast', 'write', 'executed']);
    await driver.stop();
  });

  it('prepares what comes next only once nothing is left to do', async () => {
    const { driver, told } = drive(effects, () => Promise.resolve(), 3);
    await later();
    const done = ['begin', 'persist', 'broadcast', 'write', 'executed'];
    expect(told).toEqual([...done, 'prepare', 'prepare', 'prepare']);
    await driver.stop();
  });

  it('lets no wave be written whose order could not be', async () => {
    const { told } = drive(effects, () => Promise.reject(new Error('the disk is full')));
    await later();
    expect(told).toEqual(['begin', 'persist', 'stop']);
  });
});
