/** Runs the real command in a process of its own, for the tests of this package. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../bin/otigen.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines of standard output as JSON. */
  events(): Record<string, unknown>[];
}

/** A home folder of its own, in which commands also run; nothing of the user's is touched. */
export class Home {
  readonly path: string = mkdtempSync(join(tmpdir(), 'otigen-home-'));

  get keystore(): string {
    return join(this.path, '.pyde', 'keystore.json');
  }

  start(...argv: readonly string[]): ChildProcess {
    return spawn(process.execPath, [BIN, ...argv], {
      cwd: this.path,
      env: { ...process.env, OTIGEN_HOME: this.path, NO_COLOR: '1' },
    });
  }

  /** Runs to the end with nothing on standard input. */
  run(...argv: readonly string[]): Promise<Ran> {
    return this.runWith('', ...argv);
  }

  async runWith(input: string, ...argv: readonly string[]): Promise<Ran> {
    const child = this.start(...argv);
    const out: string[] = [];
    const err: string[] = [];
    child.stdout?.on('data', (part: Buffer) => out.push(part.toString()));
    child.stderr?.on('data', (part: Buffer) => err.push(part.toString()));
    // A command that reads nothing may be gone before the input is written.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    const stdout = out.join('');
    const events = () =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line): Record<string, unknown> => JSON.parse(line));
    return { code, stdout, stderr: err.join(''), events };
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
