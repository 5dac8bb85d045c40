/**
 * A copy of the sources in a temporary folder, in which one text at a time is another. Packages are
 * those of the real tree, but for `@pyde/core`, which is the copy.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** One edit: `find` stands in `file` exactly once. */
export interface Edit {
  readonly name: string;
  /** Below the root of the tree. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const REAL_ROOT = resolve(import.meta.dirname, '..', '..');
/** What the checks read. */
const COPIED = ['core', 'scripts', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

export class SourceTree {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static copy(): SourceTree {
    const root = mkdtempSync(join(tmpdir(), 'pyde-mutants-'));
    const filter = (path: string): boolean => !path.endsWith('node_modules');
    for (const name of COPIED) {
      cpSync(join(REAL_ROOT, name), join(root, name), { recursive: true, filter });
    }
    const packages = join(root, 'node_modules');
    mkdirSync(join(packages, '@pyde'), { recursive: true });
    for (const name of readdirSync(join(REAL_ROOT, 'node_modules'))) {
      if (name.startsWith('.') || name === '@pyde') continue;
      symlinkSync(join(REAL_ROOT, 'node_modules', name), join(packages, name), 'junction');
    }
    symlinkSync(join(root, 'core'), join(packages, '@pyde', 'core'), 'junction');
    return new SourceTree(root);
  }

  /**
   * Runs something while an edit is made, and takes the edit back.
   * @throws Error when the edit does not apply
   */
  with<T>(edit: Edit, run: () => T): T {
    const path = join(this.root, edit.file);
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, applied(edit, before));
    const restore = (): void => writeFileSync(path, before);
    let result: T;
    try {
      result = run();
    } catch (error) {
      restore();
      throw error;
    }
    if (result instanceof Promise) return result.finally(restore) as T;
    restore();
    return result;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The text of a real file with the edit made. @throws Error when it does not apply */
export const appliedToSources = (edit: Edit): string =>
  applied(edit, readFileSync(join(REAL_ROOT, edit.file), 'utf8'));

function applied({ name, file, find, replace }: Edit, text: string): string {
  const parts = text.split(find);
  if (parts.length !== 2) {
    throw new Error(
      `the mutant ${name} no longer applies: its text stands ${parts.length - 1} times in ${file}, ` +
        'and must stand there once; adapt the mutant to the code',
    );
  }
  if (find === replace) throw new Error(`the mutant ${name} changes nothing`);
  return parts.join(replace);
}
