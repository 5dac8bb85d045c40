/**
 * The documents stay true as far as a machine can tell: links resolve, files named exist, commands
 * named are there, and every page is in the index. That the README's commands work is readme.test.ts.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

function documentsBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return documentsBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

const documents = documentsBelow(root).map((path) => ({
  path,
  name: relative(root, path),
  text: readFileSync(path, 'utf8'),
}));

/** Every match of `pattern`'s first group, with the page it stands in. */
function named(pattern: RegExp): { page: string; folder: string; what: string }[] {
  return documents.flatMap(({ path, name, text }) =>
    [...text.matchAll(pattern)].map((match) => ({
      page: name,
      folder: dirname(path),
      what: match[1] ?? '',
    })),
  );
}

/** As GitHub makes them: lower case, no punctuation, dashes for blanks. */
function anchorsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const LAUNCHERS = { otigen: 'otigen/bin/otigen.js', pyde: 'apps/node/bin/pyde.js' };

/** The commands that `otigen … --help` or `pyde … --help` lists. */
function commandsOf(tool: keyof typeof LAUNCHERS, ...path: string[]): string[] {
  const launcher = join(root, LAUNCHERS[tool]);
  const help = execFileSync(process.execPath, [launcher, ...path, '--help'], { encoding: 'utf8' });
  const [, list = ''] = help.split('\nCommands:\n');
  return [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name);
}

describe('the documents', () => {
  it('link only to what is there', () => {
    const broken = named(/\]\(([^)\s]+)\)/g).filter(({ folder, page, what }) => {
      if (/^https?:/.test(what)) return false;
      const [file = '', anchor] = what.split('#');
      const target = file === '' ? join(root, page) : resolve(folder, file);
      if (!existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('name only files and folders that are there', () => {
    const paths = named(/`((?:core|platform-node|apps|otigen|scripts|docs|\.ci)\/[\w./-]+)`/g);
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter(({ what }) => !existsSync(join(root, what)))).toEqual([]);
  });

  it('name only npm scripts that are there', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const runs = named(/\bnpm run ([\w-]+)/g);
    expect(runs.length).toBeGreaterThan(0);
    expect(runs.filter(({ what }) => !(what in scripts))).toEqual([]);
  });

  it.each([
    ['otigen', ['wallet', 'util'], /(?:npx |`)otigen ((?!--)[a-z]+(?: [a-z]+)?)/g],
    ['pyde', ['keys', 'genesis', 'db'], /(?:npx |`|^\$? ?)pyde ((?!--)[a-z]+(?: [a-z-]+)?)/gm],
  ] as const)('name only commands that %s has', (tool, ofActions, pattern) => {
    const commands = commandsOf(tool);
    const groups = new Map<string, string[]>(
      ofActions.map((group) => [group, commandsOf(tool, group)]),
    );
    const uses = named(pattern);
    expect(uses.length).toBeGreaterThan(5);
    const wrong = uses.filter(({ what }) => {
      const [command = '', action] = what.split(' ');
      const actions = groups.get(command);
      if (!commands.includes(command)) return true;
      return actions !== undefined && action !== undefined && !actions.includes(action);
    });
    expect(wrong).toEqual([]);
  });

  it('tell of every benchmark', () => {
    const source = readFileSync(join(root, 'scripts', 'bench.ts'), 'utf8');
    const benches = [...source.matchAll(/import\('\.\/bench\/([\w-]+)\.ts'\)/g)];
    const page = readFileSync(join(root, 'docs', 'performance.md'), 'utf8');
    expect(benches.length).toBeGreaterThan(4);
    expect(benches.map(([, name]) => name).filter((name) => !page.includes(`\`${name}\``))).toEqual(
      [],
    );
  });

  it('are all in the index of docs', () => {
    const index = readFileSync(join(root, 'docs', 'README.md'), 'utf8');
    const missing = documents
      .map(({ name }) => name)
      .filter((name) => name.startsWith('docs/') && name !== 'docs/README.md')
      .filter((name) => !index.includes(`](${relative('docs', name)})`));
    expect(missing).toEqual([]);
  });
});
