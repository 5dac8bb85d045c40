/**
 * A folder and whatever leads to it, made one level at a time: Node's own recursive form never ends
 * below file systems that refuse every entry, such as /proc.
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { PydeError } from '@pyde/core/bytes';

/** @throws PydeError `store.folder` when a file is in the way or the system refuses */
export function makeFolder(folder: string): void {
  const missing: string[] = [];
  let path = resolve(folder);
  for (;;) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) break;
    if (found !== undefined) {
      throw new PydeError('store.folder', `${path} is a file; name a folder instead`, { path });
    }
    missing.push(path);
    const parent = dirname(path);
    if (parent === path) break;
    path = parent;
  }
  for (const next of missing.reverse()) {
    try {
      mkdirSync(next);
    } catch (error) {
      // Another process may have made it in between.
      if (statSync(next, { throwIfNoEntry: false })?.isDirectory() === true) continue;
      const reason = error instanceof Error ? error.message : String(error);
      throw new PydeError(
        'store.folder',
        `the folder ${folder} cannot be made: ${reason}; choose another one`,
        { path: next },
      );
    }
  }
}
