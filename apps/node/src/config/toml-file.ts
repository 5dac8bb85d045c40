/**
 * A TOML file that people write, read into a checked value: every fault names the file, the line and
 * the key, and says what would be right.
 */
import { readFileSync, statSync } from 'node:fs';
import { PydeError } from '@pyde/core/bytes';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { isSystemError } from '../output/index.ts';
import { lineOfKey } from './key-lines.ts';
import { nearest } from './nearest.ts';

export type ConfigErrorCode = 'config.missing' | 'config.syntax' | 'config.value' | 'config.size';

/** Faults beyond these are told when the first are mended. */
const MAX_FAULTS = 8;

type Schema = v.GenericSchema<unknown, unknown>;

/** Of a strict object: its keys, for suggestions. */
interface WithEntries {
  readonly entries: Readonly<Record<string, unknown>>;
}

export interface TomlFile<T> {
  readonly value: T;
  /** What is wrong with a value that only more than the file can tell. */
  fault(path: readonly (string | number)[], what: string): PydeError<ConfigErrorCode>;
}

/** @throws PydeError `config.*`: one line for each fault, `file:line: key: what` */
export function readTomlFile<S extends Schema>(
  path: string,
  schema: S,
  maxBytes: number,
): TomlFile<v.InferOutput<S>> {
  const text = readText(path, maxBytes);
  const at = (keys: readonly (string | number)[], what: string): string =>
    `${path}:${lineOfKey(text, keys)}: ${keys.join('.')}: ${what}`;
  const shape = v.safeParse(schema, parsed(path, text));
  if (!shape.success) {
    const faults = shape.issues.slice(0, MAX_FAULTS).map((issue) => {
      const keys = (issue.path ?? []).map(({ key }) => key as string | number);
      return at(keys, describe(issue, schema, keys));
    });
    throw new PydeError<ConfigErrorCode>('config.value', faults.join('\n'), { path });
  }
  return {
    value: shape.output,
    fault: (keys, what) => new PydeError('config.value', at(keys, what), { path }),
  };
}

function readText(path: string, maxBytes: number): string {
  try {
    const { size } = statSync(path);
    if (size <= maxBytes) return readFileSync(path, 'utf8');
    throw new PydeError<ConfigErrorCode>(
      'config.size',
      `${path} has ${size} bytes, at most ${maxBytes} are read; name another file`,
    );
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const what = error.code === 'ENOENT' ? `there is no file ${path}` : error.message;
    throw new PydeError<ConfigErrorCode>('config.missing', `${what}; name one with --config`);
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const line = text.split('\n')[error.line - 1] ?? '';
    const key = /^\s*([A-Za-z0-9_."'-]+)\s*=/.exec(line)?.[1];
    const what = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
    const named = key === undefined ? '' : `${key}: `;
    throw new PydeError<ConfigErrorCode>(
      'config.syntax',
      `${path}:${error.line}:${error.column}: ${named}this is no TOML: ${what}`,
      { path },
    );
  }
}

function describe(
  issue: v.BaseIssue<unknown>,
  schema: Schema,
  keys: readonly (string | number)[],
): string {
  if (issue.kind === 'schema' && issue.type === 'strict_object') {
    const name = String(keys.at(-1) ?? '');
    if (issue.expected === 'never') {
      const known = entriesAt(schema, keys.slice(0, -1));
      const near = nearest(name, known);
      return near === undefined
        ? `there is no such key; there are ${known.join(', ')}`
        : `there is no such key; did you mean ${near}?`;
    }
    if (issue.received === 'undefined') return 'it is missing';
  }
  if (issue.received === 'undefined') return 'it is missing';
  return issue.message;
}

/** The keys of the table at `path`. */
function entriesAt(schema: unknown, path: readonly (string | number)[]): string[] {
  let at: unknown = schema;
  for (const key of path) {
    const inner = unwrapped(at);
    if (typeof inner !== 'object' || inner === null) return [];
    if ('item' in inner) at = inner.item;
    else if (hasEntries(inner)) at = inner.entries[String(key)];
  }
  const table = unwrapped(at);
  return hasEntries(table) ? Object.keys(table.entries) : [];
}

/** Behind `optional` and pipes. */
function unwrapped(schema: unknown): unknown {
  let at = schema;
  while (typeof at === 'object' && at !== null) {
    if ('wrapped' in at) at = at.wrapped;
    else if ('pipe' in at && Array.isArray(at.pipe) && at.pipe[0] !== at) at = at.pipe[0];
    else break;
  }
  return at;
}

function hasEntries(schema: unknown): schema is WithEntries {
  return typeof schema === 'object' && schema !== null && 'entries' in schema;
}
