/** How often a node was started on its folder: a number in a file, for whoever watches restarts. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = 'starts';

/** Counts this start. A file that is missing or unreadable begins anew, one that cannot be written is left. */
export function countStart(folder: string): number {
  const path = join(folder, FILE);
  const starts = readStarts(path) + 1;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${path}.new`, `${starts}\n`);
    renameSync(`${path}.new`, path);
  } catch {
    // The store says what is wrong with the disk; a count is not worth a node.
  }
  return starts;
}

function readStarts(path: string): number {
  try {
    const starts = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(starts) && starts > 0 ? starts : 0;
  } catch {
    return 0;
  }
}
