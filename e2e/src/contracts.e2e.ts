/**
 * Contracts do the same in Chromium as on Node and by the rules: every run of the corpus, of code
 * that was just compiled and of code that ran for long.
 */
import { expect, type Page, test } from '@playwright/test';
import { CORPUS, readExpected } from '../../core/src/vm/testing/corpus/index.ts';
import { runByInterpreter } from '../../core/src/vm/testing/corpus/interpret.ts';
import { NATIVES_FLAG, TIER_FLAGS } from '../../core/src/vm/testing/corpus/tiers.ts';
import config from '../playwright.config.ts';
import { PROBES } from './probes.ts';

const { launchOptions } = config.use ?? {};
const jsFlags = `--js-flags=${[...TIER_FLAGS, NATIVES_FLAG].join(' ')}`;
test.use({ launchOptions: { ...launchOptions, args: [...(launchOptions?.args ?? []), jsFlags] } });

const expected = readExpected();

const trouble: string[] = [];
let page: Page;

// One page for all: what is hot in it stays so, as in a wallet that runs for days.
test.beforeAll(async ({ browser }) => {
  page = await browser.newPage();
  page.on('pageerror', (error) => trouble.push(error.message));
  await page.goto(process.env['PYDE_PAGE'] ?? '');
  await page.waitForFunction(() => 'pyde' in window);
});

test.afterAll(() => page.close());

test('the corpus in a page is run by both compilers', async () => {
  expect(await page.evaluate(() => window.pyde.run('compilers', ''))).toBe(
    'cold by Liftoff, hot by TurboFan',
  );
});

for (const one of CORPUS) {
  test(`the corpus in a page as on Node: ${one.name}`, async () => {
    const argument = JSON.stringify(one);
    const there = await page.evaluate((a) => window.pyde.run('contract', a), argument);
    const lines = expected.get(one.name);
    // Each is named, so that a failure says who differs; the last two only where the page does.
    const all = JSON.stringify({ cold: lines, hot: lines });
    if (there !== all) {
      expect.soft(runByInterpreter(one), 'the interpreter').toEqual(lines);
      expect
        .soft(JSON.parse(PROBES.contract(argument)), 'Node')
        .toEqual({ cold: lines, hot: lines });
    }
    expect(JSON.parse(there), 'Chromium').toEqual({ cold: lines, hot: lines });
    expect(lines?.length).toBe(one.runs.length);
    expect(trouble).toEqual([]);
  });
}
