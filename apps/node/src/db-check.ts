/** `pyde db check DIR`: is this node's database whole? */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PydeError } from '@pyde/core/bytes';
import { checkDatabase, type DatabaseReport } from '@pyde/core/node';
import { LevelStore } from '@pyde/platform-node';

/**
 * @param folder a devnet's or node's state folder, or the database in it
 * @throws PydeError `db.missing`, `store.locked`, `store.open`
 */
export async function checkFolder(
  folder: string,
  onProgress: (what: string) => void,
): Promise<DatabaseReport> {
  const database = [join(folder, 'db'), folder].find((path) => existsSync(join(path, 'CURRENT')));
  if (database === undefined) {
    throw new PydeError(
      'db.missing',
      `${folder} holds no database; give the folder that --state names`,
    );
  }
  const store = await LevelStore.open(database);
  try {
    return await checkDatabase(store, onProgress);
  } finally {
    await store.close();
  }
}

export function reportLines(report: DatabaseReport): string[] {
  const records = Object.values(report.records).reduce((sum, count) => sum + count, 0);
  const lines = [
    `records         ${records} read, each with its checksum`,
    `newest wave     ${report.headWave ?? 'none'}`,
    `state           ${report.stateEntries} entries, both roots recomputed`,
    `certificates    ${report.certificates} verified`,
  ];
  if (report.damages.length === 0) return [...lines, 'whole'];
  return [
    ...lines,
    ...report.damages.map(({ code, message }) => `DAMAGED         ${code}: ${message}`),
    'Put back a whole copy of the folder, or start again from an empty one.',
  ];
}
