/**
 * What is in ops/ fits the node: every expression of the dashboard and the alerts is over metrics
 * that a node exports, every alert has its section, every metric is shown and described.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock, silentLogger } from '../core/src/platform/index.ts';
import { Operation } from '../platform-node/src/operation/index.ts';
import { TestSource } from '../platform-node/src/operation/testing.ts';

const root = resolve(import.meta.dirname, '..');
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');

let folder: string;
let operation: Operation;
/** By name, the labels that samples have. */
const exported = new Map<string, readonly string[]>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pyde-ops-'));
  operation = new Operation({ folder, clock: new ManualClock(0), logger: silentLogger });
  operation.attach(await TestSource.start());
  for (const metric of operation.registry.getMetricsAsArray()) {
    const labels: unknown = Reflect.get(metric, 'labelNames');
    exported.set(metric.name, Array.isArray(labels) ? labels.map(String) : []);
  }
});
afterAll(() => {
  operation.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: {
    readonly h: number;
    readonly w: number;
    readonly x: number;
    readonly y: number;
  };
  readonly targets?: readonly Target[];
}
const dashboard: {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
} = JSON.parse(read('ops', 'grafana', 'pyde.json'));

/** Alerts by name: severity and expression. The file has one key a line, and folded expressions. */
const alerts = [
  ...read('ops', 'prometheus', 'alerts.yml').matchAll(
    /- alert: (\w+)\n\s+expr: (?:>-\n)?([\s\S]*?)\n\s+(?:for: \S+\n\s+)?labels: \{ severity: (\w+) \}\n\s+annotations:\n\s+summary: '(.+)'\n/g,
  ),
].map(([, name = '', expr = '', severity = '']) => ({ name, expr, severity }));

const metricsIn = (expr: string): string[] =>
  [...expr.matchAll(/\bpyde_\w+/g)].map(([name]) =>
    exported.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''),
  );

/** Labels of `{…}` behind a metric, without those that Prometheus adds. */
function wrongLabels(expr: string): string[] {
  return [...expr.matchAll(/(pyde_\w+?)(?:_bucket)?\{([^}]*)\}/g)].flatMap(
    ([, name = '', inner = '']) =>
      [...inner.matchAll(/(\w+)(?:=~|!=|=)/g)]
        .map(([, label = '']) => label)
        .filter((label) => !['instance', 'job'].includes(label))
        .filter((label) => exported.get(name)?.includes(label) !== true)
        .map((label) => `${name}{${label}}`),
  );
}

const targets = dashboard.panels.flatMap(({ targets: all = [] }) => all);
const shown = [
  ...targets.map(({ expr }) => expr),
  ...dashboard.annotations.list.map(({ expr }) => expr),
];

describe('the dashboard', () => {
  it('shows only what a node exports, by labels that it has, and all of it', () => {
    const names = shown.flatMap(metricsIn);
    expect(names.filter((name) => !exported.has(name))).toEqual([]);
    expect(shown.flatMap(wrongLabels)).toEqual([]);
    expect([...exported.keys()].filter((name) => !names.includes(name))).toEqual([]);
  });

  it('has panels with ids and places of their own, each with a reason', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = new Set<string>();
    for (const { gridPos, type, title, description, targets: all = [] } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${x},${y}`), title).toBe(false);
          cells.add(`${x},${y}`);
        }
      }
      if (type === 'row') continue;
      expect(description, title).toBeTruthy();
      expect(all.length, title).toBeGreaterThan(0);
    }
  });
});

describe('the alerts', () => {
  it('are all read by this test', () => {
    expect(alerts.length).toBe(
      read('ops', 'prometheus', 'alerts.yml').split('- alert:').length - 1,
    );
    expect(alerts.length).toBeGreaterThan(10);
    for (const { severity } of alerts) expect(['page', 'ticket']).toContain(severity);
  });

  it('are over what a node exports', () => {
    const unknown = alerts.flatMap(({ expr }) => metricsIn(expr)).filter((n) => !exported.has(n));
    expect(unknown).toEqual([]);
    expect(alerts.flatMap(({ expr }) => wrongLabels(expr))).toEqual([]);
  });

  it('have a section each, with their severity, and no section is left over', () => {
    const sections = [
      ...read('docs', 'operators', 'alerts.md').matchAll(/^## (\w+)\n\n\*(\w+)\* · /gm),
    ].map(([, name, severity]) => `${name} ${severity}`);
    expect(sections).toEqual(alerts.map(({ name, severity }) => `${name} ${severity}`));
  });
});

describe('the pages of operators', () => {
  it('describe every metric with its labels, and none that is not there', () => {
    const rows = [
      ...read('docs', 'operators', 'monitoring.md').matchAll(/^\| `(pyde_\w+)` \| (.*?) \| /gm),
    ].map(([, name = '', labels = '']) => [name, labels.replaceAll('`', '')]);
    expect(rows).toEqual([...exported].map(([name, labels]) => [name, labels.join(', ')]));
  });

  it('name only metrics that a node exports', () => {
    for (const page of ['alerts.md', 'upgrade.md', 'monitoring.md']) {
      const named = metricsIn(read('docs', 'operators', page));
      expect(named.filter((name) => !exported.has(name))).toEqual([]);
    }
  });

  it('name only files of ops/ that are there', () => {
    for (const page of ['install.md', 'monitoring.md', 'alerts.md']) {
      const files = [...read('docs', 'operators', page).matchAll(/`(ops\/[^`\s]+)`/g)];
      expect(files.length).toBeGreaterThan(0);
      for (const [, file = ''] of files) expect(existsSync(join(root, file)), file).toBe(true);
    }
  });
});
