/**
 * The layers of design/architecture.md, held by reading every import in core: a folder imports only
 * the public face of folders at or below its own layer, core imports no platform and nothing that is
 * for tests, and no file names anything that only one kind of host has.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const LAYERS: readonly (readonly string[])[] = [
  ['bytes', 'platform'],
  ['crypto'],
  ['types'],
  ['state', 'account'],
  ['tx'],
  ['vm', 'validators', 'slashing', 'dkg', 'parachain'],
  ['execution'],
  ['mempool', 'consensus', 'finality'],
  ['sync', 'net'],
  ['node', 'rpc'],
  ['sim'],
];

const ALLOWED_PACKAGES = /^@noble\/(hashes|ciphers|post-quantum)\//;

const FORBIDDEN = [
  'Date',
  'Math.random',
  'console',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'performance',
  'process',
  'Buffer',
  'globalThis',
  'window',
  'document',
  'navigator',
  'localStorage',
  'indexedDB',
  'fetch',
  'WebSocket',
  'Worker',
  'SharedArrayBuffer',
  'Intl',
  'toLocaleString',
  'localeCompare',
];

const source = resolve(import.meta.dirname);
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.generated.ts'))
  .map((file) => join(source, file));
const isTest = (file: string): boolean =>
  /\.(test|reference)\.ts$/.test(file) || /[\\/]testing(\.ts$|[\\/])/.test(file);
const folderOf = (file: string): string => relative(source, file).split(sep)[0] ?? '';
const layerOf = (folder: string): number => LAYERS.findIndex((layer) => layer.includes(folder));

/** Comments and text hold names without meaning them. */
function codeOf(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/`(?:[^`\\]|\\.)*`/g, '``');
}

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:(?:from|import)\s+|import\s*\(\s*)'([^']+)'/g)].map(
    (match) => match[1] ?? '',
  );
}

describe('layers of core', () => {
  it('sees the sources', () => {
    expect(files.length).toBeGreaterThan(20);
  });

  it('knows the layer of every folder', () => {
    const folders = new Set(files.map((file) => folderOf(file)).filter((f) => !f.endsWith('.ts')));
    for (const folder of folders) expect(layerOf(folder), folder).toBeGreaterThanOrEqual(0);
  });

  const broken: string[] = [];
  for (const file of files) {
    const here = relative(source, file);
    const text = readFileSync(file, 'utf8');
    for (const target of importsOf(text)) {
      if (!target.startsWith('.')) {
        const fine = isTest(file) || ALLOWED_PACKAGES.test(target);
        if (!fine) broken.push(`${here} imports ${target}`);
        continue;
      }
      const path = resolve(dirname(file), target);
      if (isTest(path) && !isTest(file))
        broken.push(`${here} imports what is for tests: ${target}`);
      const [from, to] = [folderOf(file), folderOf(path)];
      if (from === to || isTest(file)) continue;
      if (relative(source, path).startsWith('..')) broken.push(`${here} leaves core: ${target}`);
      if (layerOf(to) > layerOf(from)) broken.push(`${here} imports the higher layer ${to}`);
      if (!path.endsWith(`${sep}index.ts`)) broken.push(`${here} passes by the index of ${to}`);
    }
    if (isTest(file)) continue;
    const code = codeOf(text);
    for (const name of FORBIDDEN) {
      const pattern = new RegExp(`(?<![\\w$.])${name.replace('.', '\\.')}(?![\\w$])`);
      // A local of the same name (the nonce window) is not the host's.
      if (new RegExp(`(const|let) ${name}\\b`).test(code)) continue;
      if (pattern.test(code) && !here.endsWith('globals.d.ts')) broken.push(`${here} uses ${name}`);
    }
  }

  it('imports point down, through public faces, and nothing of a host is named', () => {
    expect(broken).toEqual([]);
  });
});
