/** Runs the real command in processes of their own, for the tests of this package. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const LAUNCHER = fileURLToPath(new URL('../bin/pyde.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `pyde` whose home folder, for keystores and trust, is `home`. */
export class Pyde {
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
  }

  start(...argv: readonly string[]): ChildProcess {
    return spawn(process.execPath, [LAUNCHER, ...argv], {
      cwd: this.#home,
      env: { ...process.env, OTIGEN_HOME: this.#home, NO_COLOR: '1' },
    });
  }

  /** To the end, with `input` on standard input. */
  async runWith(input: string, ...argv: readonly string[]): Promise<Ran> {
    const child = this.start(...argv);
    const [out, err] = [collect(child.stdout), collect(child.stderr)];
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, stdout: out.join(''), stderr: err.join('') };
  }

  run(...argv: readonly string[]): Promise<Ran> {
    return this.runWith('', ...argv);
  }
}

/** What arrives, as it does. */
export function collect(stream: ChildProcess['stdout']): string[] {
  const parts: string[] = [];
  stream?.on('data', (part: Buffer) => parts.push(part.toString()));
  return parts;
}

/** Polls until `look` gives something; a lookup that fails is one that finds nothing. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  atMostMs = 90_000,
): Promise<T> {
  const endMs = performance.now() + atMostMs;
  while (performance.now() < endMs) {
    const found = await Promise.resolve()
      .then(look)
      .catch(() => undefined);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never: ${what}`);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A base of RPC at which a localnet of `nodes` finds all its TCP ports free now. */
export async function freeRpcBase(nodes: number): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const base = 12_000 + Math.floor(Math.random() * 16_000);
    const ports = [0, 1_000, 2_000].flatMap((apart) =>
      Array.from({ length: nodes }, (_, i) => base + apart + i),
    );
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free ports');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
