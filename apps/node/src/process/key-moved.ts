/**
 * `key-moved` in the folder of a node whose key was exported: from then on another machine may sign
 * with it, so this node takes part no more. It may still follow the chain. Importing a key for the
 * node takes the file away.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PydeError } from '@pyde/core/bytes';

const MOVED_FILE = 'key-moved';

/** @param to the file that the key went into */
export function markKeyMoved(folder: string, to: string): void {
  writeFileSync(join(folder, MOVED_FILE), `${to}\n`);
}

export function forgetKeyMoved(folder: string): void {
  rmSync(join(folder, MOVED_FILE), { force: true });
}

/** @throws PydeError `node.key-moved` */
export function requireKeyHere(folder: string): void {
  const path = join(folder, MOVED_FILE);
  if (!existsSync(path)) return;
  const to = readFileSync(path, 'utf8').trim();
  throw new PydeError(
    'node.key-moved',
    `the key of the node in ${folder} was exported to ${to}, and two nodes with one key lose its ` +
      'stake; import that file here (pyde keys import FILE --config pyde.toml), or, if it was never ' +
      `imported anywhere and is destroyed, delete ${path}`,
    { folder, to },
  );
}
