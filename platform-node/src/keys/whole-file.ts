/**
 * Small files that hold secrets: read inside a bound, and written so that either the old bytes or all
 * the new ones are there whenever the machine stops. Only their owner can read them.
 */
import { constants } from 'node:fs';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PydeError } from '@pyde/core/bytes';

export type SecretFileErrorCode = 'keys.missing' | 'keys.exists' | 'keys.too-long' | 'keys.mode';

/** What others than the owner may do with a file. */
const OTHERS = 0o077;

/**
 * Text of at most `maxBytes`.
 * @throws PydeError `keys.missing`, `keys.too-long`, `keys.mode` when others than the owner may read
 * it; what the system refuses with
 */
export async function readSecretFile(
  path: string,
  what: string,
  maxBytes: number,
): Promise<string> {
  const file = await open(path, constants.O_RDONLY).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new PydeError<SecretFileErrorCode>('keys.missing', `there is no ${what} ${path}`, {
      path,
    });
  });
  try {
    const { size, mode } = await file.stat();
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) {
      throw new PydeError<SecretFileErrorCode>(
        'keys.mode',
        `others than its owner can use the ${what} ${path}; run chmod 600 ${path}`,
        { path, mode: (mode & 0o777).toString(8) },
      );
    }
    if (size > maxBytes) {
      throw new PydeError<SecretFileErrorCode>(
        'keys.too-long',
        `the ${what} ${path} has ${size} bytes, at most ${maxBytes} are read; name another file`,
        { path },
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Mode 0600. @param replaces without it a file that is there is left alone */
export async function writeSecretFile(
  path: string,
  text: string,
  { replaces }: { readonly replaces: boolean },
): Promise<void> {
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
    if (replaces) await rename(unfinished, path);
    else await takeName(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
  await syncFolder(dirname(path));
}

/** A link, unlike a rename, never takes the place of a file. */
async function takeName(unfinished: string, path: string): Promise<void> {
  try {
    await link(unfinished, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new PydeError<SecretFileErrorCode>(
      'keys.exists',
      `${path} is there already, and keys are never written over; choose another name, or move it away`,
      { path },
    );
  }
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

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
