#!/usr/bin/env node
// Starts pyde on Node 24. It is plain JavaScript that any Node of the last years can read: an
// older Node hands over to the Node 24 that npm installed beside the project, or says what to do.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;
const here = dirname(fileURLToPath(import.meta.url));

if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  // Beside the project and not in the shared temporary folder, where others could plant code.
  module.enableCompileCache?.(join(here, '../../../node_modules/.cache/pyde/compile'));
  await import('../src/main.ts');
} else {
  handOver(bundledNode());
}

function bundledNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const places = [
    join(here, '../../../node_modules/.bin', name),
    join(here, '../../node_modules/.bin', name),
  ];
  return places.find((path) => existsSync(path));
}

function handOver(node) {
  if (node === undefined) {
    process.stderr.write(
      `pyde [ERROR] NodeTooOld: pyde needs Node ${NEEDED_MAJOR} or newer, this is ` +
        `${process.versions.node}; run npm ci in the project (it brings Node ${NEEDED_MAJOR} on ` +
        `Linux and Windows) or install Node ${NEEDED_MAJOR}\n`,
    );
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // A terminal sends Ctrl-C to the child as well; everything else has to be passed on.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('error', (error) => {
    process.stderr.write(`pyde [ERROR] NodeNotStarted: ${node}: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exitCode = code ?? 64;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}
