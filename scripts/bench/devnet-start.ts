/** From the start of the process to its first RPC answer, a fresh chain each time. */
import type { Row } from '../bench.ts';
import { startDevnetProcess } from './devnet-process.ts';
import { median } from './rate.ts';

const RUNS = 9;

async function startOnce(): Promise<number> {
  const devnet = await startDevnetProcess();
  await devnet.stop();
  return devnet.startMs;
}

export async function run(): Promise<Row[]> {
  await startOnce(); // fills the compile cache, as any earlier start does
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) times.push(await startOnce());
  return [
    {
      name: `devnet, process start to first answer (median of ${RUNS})`,
      value: median(times),
      unit: 'ms',
    },
    { name: 'devnet, slowest of those starts', value: Math.max(...times), unit: 'ms' },
  ];
}
