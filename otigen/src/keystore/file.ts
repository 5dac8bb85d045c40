/**
 * The keystore file (spec/wire.md, Keystore): read whole and bounded, changed under a lock, written
 * to a second file that is synced and renamed over the first, mode 0600. A file that cannot be
 * understood is never written to. Fields that otigen does not know are kept.
 */
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { Failure, isSystemError } from '../output/index.ts';
import { type Entry, type EntryJson, readEntry } from './entry.ts';
import { withLock } from './lock.ts';

const VERSION = 1;
/** About 3,000 accounts. */
const MAX_BYTES = 16 * 1024 * 1024;

const FileJson = v.looseObject({
  version: v.literal(VERSION),
  // Not v.record, which drops keys such as "constructor".
  accounts: v.custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object of accounts',
  ),
});

/** Names that commands can tell from addresses and flags. */
const NAME = /^(?!0x)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** @throws Failure `BadName` */
export function checkName(name: string): string {
  if (NAME.test(name) && !(name in Object.prototype)) return name;
  throw new Failure(
    'validation',
    'BadName',
    `"${name}" is no account name: 1 to 64 letters, digits, dots, dashes and underscores, starting with a letter or digit, not with 0x`,
  );
}

/** What one read of the file held. */
export class Keystore {
  readonly path: string;
  readonly #accounts: ReadonlyMap<string, unknown>;

  constructor(path: string, accounts: ReadonlyMap<string, unknown>) {
    this.path = path;
    this.#accounts = accounts;
  }

  /** In the file's order. */
  get names(): string[] {
    return [...this.#accounts.keys()];
  }

  has(name: string): boolean {
    return this.#accounts.has(name);
  }

  /** @throws Failure `NoSuchAccount`, `DamagedEntry` */
  entry(name: string): Entry {
    return readEntry(name, this.json(name));
  }

  /** The entry as the file holds it. @throws Failure `NoSuchAccount` */
  json(name: string): unknown {
    if (!this.has(name)) {
      const known = this.names.slice(0, 12).join(', ');
      throw new Failure('wallet', 'NoSuchAccount', `the keystore has no account "${name}"`, {
        details: { keystore: this.path, accounts: known === '' ? 'none' : known },
        next: `otigen wallet list, or otigen wallet new ${name}`,
      });
    }
    return this.#accounts.get(name);
  }
}

/**
 * Reads the keystore; a file that does not exist is one without accounts unless it must.
 * @throws Failure `CorruptKeystore`, `FileNotFound`
 */
export async function readKeystore(
  path: string,
  { mustExist = false }: { readonly mustExist?: boolean } = {},
): Promise<Keystore> {
  if (mustExist && (await stat(path).catch(() => undefined)) === undefined) {
    throw new Failure('resource', 'FileNotFound', `there is no file ${path}`);
  }
  const { accounts } = await readFileJson(path);
  return new Keystore(path, new Map(Object.entries(accounts)));
}

export interface KeystoreChange {
  /** @throws Failure `AlreadyExists` */
  add(name: string, entry: EntryJson): void;
  /**
   * Puts the fields of an entry that is still as it was read; fields unknown to otigen stay.
   * @throws Failure `NoSuchAccount`, `ChangedMeanwhile`
   */
  replace(name: string, entry: EntryJson, asRead: unknown): void;
  /** @throws Failure `NoSuchAccount` */
  remove(name: string): void;
  has(name: string): boolean;
}

/**
 * Changes the keystore as one step: when `change` throws, the file stays as it was.
 * @throws Failure `CorruptKeystore`, `Locked` and what `change` throws
 */
export async function changeKeystore(
  path: string,
  change: (accounts: KeystoreChange) => void,
): Promise<void> {
  const target = await realpath(path).catch(() => path);
  await withLock(target, async () => {
    const file = await readFileJson(target);
    const accounts = new Map(Object.entries(file.accounts));
    const existing = new Keystore(path, accounts);
    change({
      has: (name) => accounts.has(name),
      add(name, entry) {
        if (accounts.has(name)) throw alreadyExists(name, path);
        accounts.set(name, entry);
      },
      replace(name, entry, asRead) {
        const now = existing.json(name);
        if (JSON.stringify(now) !== JSON.stringify(asRead)) throw changedMeanwhile(name, path);
        const before = v.parse(v.looseObject({}), now);
        const { cipher: _replaced, ...kept } = before;
        accounts.set(name, { ...kept, ...entry });
      },
      remove(name) {
        existing.json(name);
        accounts.delete(name);
      },
    });
    const next = { ...file, accounts: Object.fromEntries(accounts) };
    await writeWhole(target, `${JSON.stringify(next, undefined, 2)}\n`);
  });
}

export function alreadyExists(name: string, path: string): Failure {
  return new Failure('wallet', 'AlreadyExists', `account "${name}" already exists`, {
    details: { keystore: path },
    next: `choose another name; otigen wallet show ${name} shows the one there is`,
  });
}

function changedMeanwhile(name: string, path: string): Failure {
  return new Failure('wallet', 'ChangedMeanwhile', `account "${name}" was changed meanwhile`, {
    details: { keystore: path },
    next: 'look at it with otigen wallet show, and try again',
  });
}

async function readFileJson(path: string): Promise<v.InferOutput<typeof FileJson>> {
  const text = await readBounded(path);
  if (text === undefined) return { version: VERSION, accounts: {} };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw corrupt(path, 'it is not JSON');
  }
  const shape = v.safeParse(FileJson, json);
  if (!shape.success) {
    const issue = shape.issues[0];
    throw corrupt(path, `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`);
  }
  return shape.output;
}

async function readBounded(path: string): Promise<string | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    if (size > MAX_BYTES) {
      throw corrupt(path, `it has ${size} bytes, at most ${MAX_BYTES} are read`);
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Either the old bytes or all the new ones are at `path` whenever the machine stops. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${process.pid}.tmp`;
  await rm(unfinished, { force: true });
  try {
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder; its rename is durable on its own.
  if (process.platform === 'win32' || !(await stat(path)).isDirectory()) return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function corrupt(path: string, why: string): Failure {
  return new Failure('wallet', 'CorruptKeystore', `the keystore cannot be read: ${why}`, {
    details: { keystore: path },
    next: 'it was left as it is: repair it, restore a copy, or move it away to start a new one',
  });
}
