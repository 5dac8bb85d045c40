/** Browser tests: Debian's or any other system Chromium, one worker, the page built once. */
import { defineConfig } from '@playwright/test';
import chromium from '../scripts/chromium.cjs';

const executablePath = chromium.findChromium();

export default defineConfig({
  testDir: 'src',
  testMatch: '**/*.e2e.ts',
  globalSetup: './src/serve-page.ts',
  outputDir: '../node_modules/.cache/pyde-e2e',
  // Two cores: a second page would only slow the first.
  workers: 1,
  timeout: 120_000,
  use: {
    browserName: 'chromium',
    launchOptions: {
      ...(executablePath === undefined ? {} : { executablePath }),
      // Root, as in a container, has no user namespace for the sandbox.
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
});
