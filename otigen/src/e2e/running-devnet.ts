/** A devnet in a process of its own, as a user starts it, for the tests of this folder. */
import type { ChildProcess } from 'node:child_process';
import type { Home } from '../testing.ts';

const START_AT_MOST_MS = 20_000;

export interface RunningDevnet {
  readonly url: string;
  readonly process: ChildProcess;
  readonly ready: Readonly<Record<string, unknown>>;
  /** Every event so far. */
  readonly events: readonly Record<string, unknown>[];
  /** Resolves at the first event of that name, past ones included. */
  event(name: string): Promise<Record<string, unknown>>;
  /** SIGTERM; the exit code and standard error. */
  stop(): Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** `otigen devnet --json --rpc-listen 127.0.0.1:0 …argv`, once it is ready. */
export async function runDevnet(home: Home, ...argv: readonly string[]): Promise<RunningDevnet> {
  const child = home.start('devnet', '--json', '--rpc-listen', '127.0.0.1:0', ...argv);
  const events: Record<string, unknown>[] = [];
  const waiting: (() => void)[] = [];
  let text = '';
  let stderr = '';
  child.stderr?.on('data', (part: Buffer) => {
    stderr += part.toString();
  });
  child.stdout?.on('data', (part: Buffer) => {
    text += part.toString();
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    events.push(...lines.map((line): Record<string, unknown> => JSON.parse(line)));
    for (const look of waiting) look();
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve));
  const event = (name: string) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no event ${name}: ${stderr}`)),
        START_AT_MOST_MS,
      );
      const look = () => {
        const found = events.find((entry) => entry['event'] === name);
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      };
      waiting.push(look);
      look();
      void exited.then(() => reject(new Error(`ended without ${name}: ${stderr}`)));
    });
  const ready = await event('devnet_ready');
  return {
    url: String(ready['rpc_url']),
    process: child,
    ready,
    events,
    event,
    stop: async () => {
      child.kill('SIGTERM');
      return { code: await exited, stderr };
    },
  };
}
