// Finds the Chromium that the browser tests run in, and gets one where the machine has none.
//
// Plain JavaScript, because `bootstrap.cjs` needs it before anything is known to be installed.
// In this order: PYDE_CHROMIUM, the system's, one that Playwright fetched earlier; then, with the
// right to install, Debian's package; last, Playwright's own download.
'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..');
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const isExecutable = (file) => {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
};

/** Playwright's own builds, as it lays them out in its cache. */
function fetchedByPlaywright() {
  const cache =
    process.env.PLAYWRIGHT_BROWSERS_PATH || path.join(os.homedir(), '.cache', 'ms-playwright');
  let folders = [];
  try {
    folders = fs.readdirSync(cache).filter((name) => name.startsWith('chromium-'));
  } catch {
    return [];
  }
  return folders.map((name) => path.join(cache, name, 'chrome-linux', 'chrome'));
}

/** The path of an executable Chromium, or undefined. */
function findChromium() {
  const wanted = process.env.PYDE_CHROMIUM;
  if (wanted) return isExecutable(wanted) ? wanted : undefined;
  const folders = (process.env.PATH || '').split(path.delimiter).filter((folder) => folder !== '');
  const inPath = NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  return [...inPath, ...fetchedByPlaywright()].find(isExecutable);
}

/**
 * @param {string} node the Node that runs Playwright
 * @param {(message: string) => void} note tells the user what takes a while
 * @returns {string | undefined} the path, or undefined with the reasons told
 */
function ensureChromium(node, note) {
  const found = findChromium();
  if (found !== undefined) return found;
  if (process.env.PYDE_CHROMIUM) {
    note(`PYDE_CHROMIUM names ${process.env.PYDE_CHROMIUM}, which cannot be run`);
    return undefined;
  }
  const isRoot = typeof process.getuid === 'function' && process.getuid() === 0;
  if (isRoot && isExecutable('/usr/bin/apt-get')) {
    note('installing the chromium package for the browser tests (once)…');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...args) =>
      spawnSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 2, 2], env });
    apt('update');
    apt('install', '-y', '--no-install-recommends', 'chromium');
    const installed = findChromium();
    if (installed !== undefined) return installed;
  }
  note('fetching a Chromium for the browser tests (once)…');
  const cli = path.join(root, 'node_modules', 'playwright', 'cli.js');
  spawnSync(node, [cli, 'install', 'chromium'], { stdio: ['ignore', 2, 2] });
  return findChromium();
}

module.exports = { ensureChromium, findChromium };
