import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function sim(...args: string[]): Promise<Outcome> {
  const script = fileURLToPath(new URL('sim.ts', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

describe('npm run sim', () => {
  it('prints one line of JSON with every field, and exits with 0', async () => {
    const { code, stdout } = await sim('--seconds', '1', '--seed', '5', '--json');
    expect(code).toBe(0);
    const report: unknown = JSON.parse(stdout);
    expect(report).toMatchObject({
      seed: 5,
      validators: 4,
      signatures: 'real',
      skippedAnchors: 0,
      violations: [],
      commitLatencyMs: { p50: expect.any(Number), p99: expect.any(Number) },
      finalityLatencyMs: { p50: expect.any(Number), p99: expect.any(Number) },
      digest: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    });
    for (const field of ['simulatedSeconds', 'waves', 'rounds', 'transactions', 'executed']) {
      expect(report).toHaveProperty(field, expect.any(Number));
    }
  });

  it('runs many seeds, each as it would run alone', async () => {
    const common = ['--seconds', '1', '--signatures', 'keyed', '--json'];
    const [many, alone] = await Promise.all([
      sim(...common, '--seed', '3', '--seeds', '3'),
      sim(...common, '--seed', '4'),
    ]);
    expect(many.code).toBe(0);
    const lines = many.stdout.trim().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines).toContain(alone.stdout.trim());
    expect(JSON.parse(lines[3] ?? '')).toMatchObject({ seeds: 3, failed: [] });
  });

  it('says what is wrong with an option, and how to call it', async () => {
    const refused: [string[], RegExp][] = [
      [['--validators', '0'], /validators: a whole number from 1 to 128/],
      [['--faults', 'rain'], /there is no fault rain/],
      [['--latency', 'moon'], /latency is lan, wan or constant:MS/],
      [['--seed', 'x'], /--seed takes a whole number/],
      [['--nonsense'], /nonsense/],
    ];
    for (const [args, what] of refused) {
      const { code, stderr } = await sim(...args);
      expect(code).toBe(2);
      expect(stderr).toMatch(what);
      expect(stderr).toContain('usage: npm run sim');
    }
  });
});
