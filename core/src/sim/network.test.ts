import { describe, expect, it } from 'vitest';
import { latencyOf } from './latency.ts';
import { Network } from './network.ts';
import { Prng } from './prng.ts';

const constant = (size = 3): Network =>
  new Network(size, latencyOf('constant:50'), Prng.seeded(1, 0));

function delays(network: Network, from = 0, to = 1): number[] {
  const found: number[] = [];
  network.route(from, to, undefined, (delayUs) => found.push(delayUs));
  return found;
}

const repeated = (network: Network, times: number): number[][] =>
  Array.from({ length: times }, () => delays(network));

describe('Network', () => {
  it('takes exactly the constant time when nothing is wrong', () => {
    expect(repeated(constant(), 100).flat()).toEqual(Array.from({ length: 100 }, () => 50_000));
  });

  it('loses as many as asked', () => {
    const network = constant();
    network.lossPerMillion = 300_000;
    const arrived = repeated(network, 10_000).flat().length;
    expect(arrived).toBeGreaterThan(6_800);
    expect(arrived).toBeLessThan(7_200);
    expect(network.lost).toBe(10_000 - arrived);
  });

  it('delivers some twice', () => {
    const network = constant();
    network.duplicationPerMillion = 500_000;
    const twice = repeated(network, 10_000).filter((copies) => copies.length === 2).length;
    expect(twice).toBeGreaterThan(4_800);
    expect(twice).toBeLessThan(5_200);
  });

  it('delays what it reorders by no more than said', () => {
    const network = constant();
    network.reorderPerMillion = 500_000;
    network.reorderUs = 20_000;
    const all = repeated(network, 1_000).flat();
    expect(Math.max(...all)).toBeGreaterThan(65_000);
    expect(Math.max(...all)).toBeLessThanOrEqual(70_000);
    expect(Math.min(...all)).toBe(50_000);
  });

  it('cuts and slows one direction alone', () => {
    const network = constant();
    expect(network.setCut(0, 1, true)).toBe(true);
    expect(network.setCut(0, 1, true)).toBe(false);
    network.setSlow(1, 0, 7_000);
    expect(delays(network, 0, 1)).toEqual([]);
    expect(delays(network, 1, 0)).toEqual([57_000]);
    expect(delays(network, 0, 2)).toEqual([50_000]);
    network.setCut(0, 1, false);
    expect(delays(network, 0, 1)).toEqual([50_000]);
  });
});

describe('latencyOf', () => {
  it('knows near and far regions', () => {
    const wan = latencyOf('wan');
    const prng = Prng.seeded(1, 0);
    const near = wan.drawUs(0, 6, prng);
    const far = wan.drawUs(3, 5, prng);
    expect(near).toBeLessThanOrEqual(1_100);
    expect(far).toBeGreaterThanOrEqual(160_000);
    expect(far).toBeLessThanOrEqual(176_000);
    for (let from = 0; from < 6; from++) {
      for (let to = 0; to < 6; to++) {
        const there = latencyOf('wan').drawUs(from, to, Prng.seeded(1, 0));
        expect(there).toBe(latencyOf('wan').drawUs(to, from, Prng.seeded(1, 0)));
      }
    }
  });

  it('refuses what it does not know', () => {
    for (const name of ['', 'moon', 'constant:', 'constant:-1', 'constant:60001', 'constant:1.5']) {
      expect(() => latencyOf(name)).toThrow(/latency is lan, wan or constant:MS/);
    }
  });
});
