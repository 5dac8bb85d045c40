/** The same input gives the same bytes on Node and in Chromium. */
import { expect, test } from '@playwright/test';
import { PROBES, type ProbeName } from './probes.ts';

const CASES: readonly (readonly [ProbeName, string])[] = [
  ['crypto', 'first'],
  ['crypto', 'second'],
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
