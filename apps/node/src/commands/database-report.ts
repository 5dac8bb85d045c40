/** `pyde db check DIR`: is this node's database whole? Files first, then every record in them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PydeError } from '@pyde/core/bytes';
import { checkDatabase, type DatabaseReport } from '@pyde/core/node';
import { LevelStore } from '@pyde/platform-node';

/** LevelDB's files and ours; any of them is a database, perhaps what is left of one. */
const DATABASE_FILE = /^(CURRENT|LOCK|MANIFEST-\d+|\d+\.(log|ldb|sst)|high-water)$/;

/**
 * @param folder a devnet's or node's state folder, or the database in it
 * @throws PydeError `db.missing`, `store.locked`, `store.open`
 */
export async function checkFolder(
  folder: string,
  onProgress: (what: string) => void,
): Promise<DatabaseReport> {
  const database = [join(folder, 'db'), folder].find(holdsDatabase);
  if (database === undefined) {
    throw new PydeError(
      'db.missing',
      `${folder} holds no database; give the folder that --state names`,
    );
  }
  onProgress('files');
  const damages = await LevelStore.checkFiles(database);
  // To open it now would let LevelDB throw away what it cannot read.
  if (damages.length > 0) return reportOfFiles(database, damages);
  const store = await LevelStore.open(database);
  try {
    return await checkDatabase(store, onProgress);
  } finally {
    await store.close();
  }
}

function reportOfFiles(
  database: string,
  damages: readonly { readonly file: string; readonly what: string }[],
): DatabaseReport {
  return {
    ...{ records: {}, headWave: undefined, stateEntries: 0, certificates: 0 },
    damages: damages.map(({ file, what }) => ({
      code: 'check.file',
      message: `${join(database, file)}: ${what}`,
    })),
  };
}

function holdsDatabase(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => DATABASE_FILE.test(name));
  } catch {
    return false;
  }
}

export function reportLines(report: DatabaseReport): string[] {
  const records = Object.values(report.records).reduce((sum, count) => sum + count, 0);
  const damaged = [
    ...report.damages.map(({ code, message }) => `DAMAGED         ${code}: ${message}`),
    'Put back a whole copy of the folder, or start again from an empty one.',
  ];
  if (report.damages.some(({ code }) => code === 'check.file')) {
    return ['records         not read, since files are damaged', ...damaged];
  }
  const lines = [
    `records         ${records} read, each with its checksum`,
    `newest wave     ${report.headWave ?? 'none'}`,
    `state           ${report.stateEntries} entries, both roots recomputed`,
    `certificates    ${report.certificates} verified`,
  ];
  if (report.damages.length === 0) return [...lines, 'whole'];
  return [...lines, ...damaged];
}
