// Makes a fresh clone ready and prints the path of the Node that everything else runs on.
//
// Plain JavaScript for Node 18 and above, with nothing installed. Standard output carries only the
// path, so that an npm script can `exec` it; progress goes to standard error. It installs when the
// lockfile differs from the one last installed, and builds kernels whose sources are newer than
// their output; with `test`, it also sees to a Chromium; otherwise it only looks at a few files. It
// is no `pre` script, because npm's ignore-scripts setting would skip that.
'use strict';

const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { ensureChromium } = require('./chromium.cjs');

const root = path.join(__dirname, '..');
const modules = path.join(root, 'node_modules');
const stampFile = path.join(modules, '.pyde-installed');
const NEEDED_MAJOR = 24;

function fail(message) {
  process.stderr.write(`pyde: ${message}\n`);
  process.exit(1);
}

function note(message) {
  process.stderr.write(`pyde: ${message}\n`);
}

function major(version) {
  return Number(version.replace(/^v/, '').split('.')[0]);
}

/** Changes exactly when an install would: the lockfile, and the machine it was installed for. */
function wantedStamp() {
  const lock = fs.readFileSync(path.join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}`;
}

function installedStamp() {
  try {
    return fs.readFileSync(stampFile, 'utf8');
  } catch {
    return '';
  }
}

function install() {
  const stamp = wantedStamp();
  if (installedStamp() === stamp) return;
  note('installing packages (once, about half a minute)…');
  // The engine warnings of the system's older Node do not matter: Node 24 comes with the packages.
  // devDependencies are needed to build the kernels, whatever NODE_ENV says.
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const run = spawnSync(
    npm,
    [
      'ci',
      '--include=dev',
      '--include=optional',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ],
    { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' },
  );
  if (run.error) fail(`npm could not be started (${run.error.message}); install npm and try again`);
  if (run.status !== 0) {
    fail('npm ci failed (its output is above); check the network, then run the command again');
  }
  fs.writeFileSync(stampFile, stamp);
}

/** Node 24: the one among the packages, else the one that is running, else a clear line. */
function findNode() {
  const name = { linux: 'linux', win32: 'win' }[process.platform];
  if (name) {
    const file = process.platform === 'win32' ? 'node.exe' : 'node';
    const bundled = path.join(modules, `node-${name}-${process.arch}`, 'bin', file);
    if (fs.existsSync(bundled)) return bundled;
  }
  if (major(process.version) >= NEEDED_MAJOR) return process.execPath;
  return fail(
    `Node ${NEEDED_MAJOR} or newer is needed on ${process.platform}-${process.arch}, this is ` +
      `${process.version}; install it and run the command again`,
  );
}

function buildKernels(node) {
  const run = spawnSync(node, [path.join(root, 'core', 'kernels', 'build.mjs')], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (run.status !== 0) fail('the WebAssembly kernels could not be built (see above)');
}

if (major(process.version) < 18) {
  fail(`Node 18 or newer is needed to start, this is ${process.version}; install a newer Node`);
}
install();
const node = findNode();
buildKernels(node);
if (process.argv[2] === 'test' && ensureChromium(node, note) === undefined) {
  fail(
    'no Chromium was found for the browser tests; install one (Debian: apt-get install chromium) ' +
      'or name it with PYDE_CHROMIUM, then run the command again',
  );
}
process.stdout.write(node);
