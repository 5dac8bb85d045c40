/**
 * The operators' pages are true: their `sh` blocks run in order, with the `toml` blocks that name a
 * file written where they stand; every other `pyde` command that they show exists with its options;
 * and the page on configuration has every key that there is.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const pages = join(root, 'docs', 'operators');
const place = mkdtempSync(join(tmpdir(), 'pyde-operators-'));
const bin = join(place, 'bin');
const launcher = join(root, 'apps', 'node', 'bin', 'pyde.js');

beforeAll(() => {
  mkdirSync(bin);
  const pyde = join(bin, 'pyde');
  writeFileSync(pyde, `#!/bin/sh\nexec "${process.execPath}" "${launcher}" "$@"\n`);
  chmodSync(pyde, 0o755);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

function run(
  command: string,
  cwd = place,
): { readonly code: number | null; readonly text: string } {
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, HOME: place };
  const done = spawnSync('sh', ['-euc', command], { cwd, env, timeout: 60_000 });
  return { code: done.status, text: `${done.stdout}${done.stderr}` };
}

interface Block {
  readonly kind: string;
  readonly text: string;
}

const blocksOf = (page: string): Block[] =>
  [...readFileSync(join(pages, page), 'utf8').matchAll(/^ *```(\w+)\n([\s\S]*?)^ *```/gm)].map(
    ([, kind = '', text = '']) => ({ kind, text: text.replace(/^ {3}(?=\S| {2})/gm, '') }),
  );

/** Every `pyde …` line or span of a page, with the words of its command and its options. */
function commandsOf(page: string): { readonly words: string[]; readonly options: string[] }[] {
  const text = readFileSync(join(pages, page), 'utf8').replaceAll('\\\n', ' ');
  const found = [...text.matchAll(/(?:^ *\$ |^|`)pyde ((?:[^`\n|>])+)/gm)];
  return found.map(([, line = '']) => {
    const parts = line.trim().split(/\s+/);
    const first = parts.findIndex((part) => !/^[a-z-]+$/.test(part) || part.startsWith('-'));
    const words = parts.slice(0, first < 0 ? parts.length : first);
    const options = parts.filter((part) => part.startsWith('--'));
    return { words: words.slice(0, 2), options };
  });
}

const helps = new Map<string, string>();
function helpOf(words: readonly string[]): string {
  const name = words.join(' ');
  const known = helps.get(name);
  if (known !== undefined) return known;
  const { text } = run(`pyde ${name} --help`);
  helps.set(name, text);
  return text;
}

const folderOf = (page: string): string => join(place, page);

/** Runs a page in a folder of its own, once. */
const ran = new Map<string, { readonly failed: readonly unknown[]; readonly runs: number }>();
function runPage(page: string): { readonly failed: readonly unknown[]; readonly runs: number } {
  const known = ran.get(page);
  if (known !== undefined) return known;
  const folder = folderOf(page);
  mkdirSync(folder);
  const failed: unknown[] = [];
  let runs = 0;
  for (const { kind, text } of blocksOf(page)) {
    const file = kind === 'toml' ? /^# (\S+\.toml)\n/.exec(text)?.[1] : undefined;
    if (file !== undefined) writeFileSync(join(folder, file), text);
    if (kind !== 'sh') continue;
    runs++;
    const done = run(text, folder);
    if (done.code !== 0) failed.push({ command: text, ...done });
  }
  const result = { failed, runs };
  ran.set(page, result);
  return result;
}

const markdown = readdirSync(pages).filter((file) => file.endsWith('.md'));

describe('the pages of operators', () => {
  it.each(['install.md', 'keys.md'])('run: %s', (page) => {
    const { failed, runs } = runPage(page);
    expect(failed).toEqual([]);
    expect(runs).toBeGreaterThan(1);
  });

  it('show only commands and options of pyde', () => {
    const wrong: string[] = [];
    let seen = 0;
    for (const page of markdown) {
      for (const { words, options } of commandsOf(page)) {
        const [command = ''] = words;
        if (command === '') continue;
        seen++;
        if (!new RegExp(`^ {2}${command}\\b`, 'm').test(helpOf([]))) {
          wrong.push(`${page}: pyde ${command}`);
          continue;
        }
        const isGroup = helpOf([command]).includes('\nCommands:\n');
        const help = helpOf(isGroup ? words : [command]);
        if (isGroup && !help.includes(`Usage: pyde ${words.join(' ')}`)) {
          wrong.push(`${page}: pyde ${words.join(' ')}`);
        }
        for (const option of options) {
          if (!help.includes(option)) wrong.push(`${page}: pyde ${words.join(' ')} ${option}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(seen).toBeGreaterThan(20);
  });

  it('have every key of pyde.toml, and an example that a node takes', () => {
    const folder = folderOf('install.md');
    runPage('install.md');
    const [example] = blocksOf('configuration.md').filter(({ kind }) => kind === 'toml');
    writeFileSync(join(folder, 'pyde.toml'), example?.text ?? '');
    const check = 'pyde node --config pyde.toml --validator --check';
    expect(run(check, folder)).toMatchObject({ code: 0 });

    const page = readFileSync(join(pages, 'configuration.md'), 'utf8');
    const tables = [...page.matchAll(/^\| `\[(\w+)\]` \|.*\n((?:\| `\w+` \|.*\n)*)/gm)].map(
      ([, table = '', rows = '']) =>
        [table, [...rows.matchAll(/^\| `(\w+)`/gm)].map(([, key = '']) => key)] as const,
    );
    expect(tables.map(([table]) => table)).toEqual([
      ...['chain', 'node', 'validator', 'network', 'rpc', 'metrics', 'log'],
    ]);
    for (const [table, keys] of tables) {
      const genesis = table === 'chain' ? '' : '[chain]\ngenesis = "genesis.bin"\n';
      const text = `${genesis}[${table}]\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq = 1\n`;
      writeFileSync(join(folder, 'wrong.toml'), text);
      const { text: said } = run('pyde node --config wrong.toml --check || true', folder);
      const known = /there is no such key; there are ([\w, ]+)/.exec(said)?.[1]?.split(', ');
      expect([table, known]).toEqual([table, keys]);
    }
  });

  it('are in their index', () => {
    const index = readFileSync(join(pages, 'README.md'), 'utf8');
    const missing = markdown.filter(
      (page) => page !== 'README.md' && !index.includes(`](${page})`),
    );
    expect(missing).toEqual([]);
  });
});
