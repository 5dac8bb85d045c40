// Starts a command of this repository on Node 24. Plain JavaScript that any Node of the last years
// can read: an older Node hands over to the Node 24 that npm installed beside the project, or says
// what to do.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;
const MODULES = new URL('../node_modules/', import.meta.url);

/**
 * Commands that run a node for hours, and what the process of one is started with. They bound the
 * young generation, in MiB: unbounded, it grows with the load and stays grown. That of a devnet is
 * small, for it runs beside its author's other work; a validator has less to collect with a larger one.
 */
export const NODE_FLAGS = {
  'otigen devnet': ['--max-semi-space-size=8'],
  'pyde node': ['--max-semi-space-size=64'],
};
/**
 * For the C library of Linux, which reads them at the start of a process. Left alone it gives each
 * of some fifteen threads an arena that keeps what was freed in it, and keeps blocks of up to 32 MiB
 * there once one was freed: from 64 KiB on they are mapped here, and go back when they are freed.
 */
export const NODE_ENVIRONMENT = {
  MALLOC_ARENA_MAX: '4',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

/**
 * @param {string} name the command, for messages
 * @param {string} launcher the URL of its file in `bin/`, beside whose folder `src/main.ts` lies
 */
export async function launch(name, launcher) {
  if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
    const flags = NODE_FLAGS[`${name} ${process.argv[2]}`];
    if (flags !== undefined) startAsNode(flags);
    // Beside the project and not in the shared temporary folder, where others could plant code.
    module.enableCompileCache?.(fileURLToPath(new URL('.cache/pyde/compile', MODULES)));
    await import(new URL('../src/main.ts', launcher).href);
    return;
  }
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  const node = fileURLToPath(new URL(`.bin/${binary}`, MODULES));
  if (existsSync(node)) {
    handOver(name, node, fileURLToPath(launcher));
    return;
  }
  process.stderr.write(
    `${name} [ERROR] NodeTooOld: ${name} needs Node ${NEEDED_MAJOR} or newer, this is ` +
      `${process.versions.node}; run npm ci in the project (it brings Node ${NEEDED_MAJOR} on ` +
      `Linux and Windows) or install Node ${NEEDED_MAJOR}\n`,
  );
  process.exitCode = 2;
}

/**
 * Both are taken at the start of a process alone, so this one becomes another; not on Windows. What
 * the user has set is left as it is.
 *
 * @param {readonly string[]} wanted
 */
function startAsNode(wanted) {
  const given = process.execArgv.map(nameOf);
  const flags = wanted.filter((flag) => !given.includes(nameOf(flag)));
  const isSet = Object.keys(NODE_ENVIRONMENT).every((name) => process.env[name] !== undefined);
  if ((flags.length === 0 && isSet) || typeof process.execve !== 'function') return;
  const args = [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)];
  try {
    process.execve(process.execPath, args, { ...NODE_ENVIRONMENT, ...process.env });
  } catch {
    // Where it is not allowed the node runs as well, and takes more memory.
  }
}

/** @param {string} flag */
const nameOf = (flag) => flag.split('=')[0];

function handOver(name, node, launcher) {
  const child = spawn(node, [launcher, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the child as well; everything else has to be passed on.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('error', (error) => {
    process.stderr.write(`${name} [ERROR] NodeNotStarted: ${node}: ${error.message}\n`);
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
