/** The same input gives the same bytes on Node and in Chromium. */
import { expect, test } from '@playwright/test';
import { PROBES, type ProbeName } from './probes.ts';

const FAULTS = ['loss', 'duplication', 'reorder', 'partition', 'skew', 'crash', 'disk', 'wipe'];

const CASES: readonly (readonly [ProbeName, string])[] = [
  ['crypto', 'first'],
  ['crypto', 'second'],
  ['simulate', JSON.stringify({ validators: 4, seed: 1, seconds: 5 })],
  ['simulate', JSON.stringify({ validators: 20, seed: 3, seconds: 1, latency: 'wan' })],
  ['simulate', JSON.stringify({ validators: 4, seed: 2, seconds: 10, faults: FAULTS })],
  [
    'simulate',
    JSON.stringify({
      validators: 7,
      seed: 3,
      seconds: 10,
      signatures: 'keyed',
      epochDurationMs: 3000,
    }),
  ],
];

for (const [name, argument] of CASES) {
  test(`${name}(${argument}) gives the same bytes in the page as on Node`, async ({ page }) => {
    const trouble: string[] = [];
    page.on('pageerror', (error) => trouble.push(error.message));
    await page.goto(process.env['PYDE_PAGE'] ?? '');
    await page.waitForFunction(() => 'pyde' in window);
    const there = await page.evaluate(([n, a]) => window.pyde.run(n, a), [name, argument] as const);
    expect(there).toBe(await PROBES[name](argument));
    expect(there.length).toBeGreaterThan(0);
    expect(trouble).toEqual([]);
  });
}
