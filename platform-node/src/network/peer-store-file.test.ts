import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPydeError } from '@pyde/core/bytes';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPeerStore, writePeerStore } from './peer-store-file.ts';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pyde-peers-'));
  path = join(folder, 'peers');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    if (!isPydeError(error)) throw error;
    return error.code;
  }
}

const stored = { book: Uint8Array.of(1, 2, 3), scores: Uint8Array.of(4) };

describe('the file of peers', () => {
  it('gives back what was written, and nothing before that', async () => {
    expect(await readPeerStore(path)).toBeUndefined();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.uint8Array(), async (book, scores) => {
        await writePeerStore(path, { book, scores });
        expect(await readPeerStore(path)).toEqual({ book, scores });
      }),
      { numRuns: 20 },
    );
    expect(readdirSync(folder)).toEqual(['peers']);
  });

  it('is the old one while a new one is half written', async () => {
    await writePeerStore(path, stored);
    writeFileSync(`${path}.new`, 'half');
    expect(await readPeerStore(path)).toEqual(stored);
    await writePeerStore(path, { ...stored, scores: Uint8Array.of(5) });
    expect((await readPeerStore(path))?.scores).toEqual(Uint8Array.of(5));
  });

  it('is refused when anything in it was changed', async () => {
    await writePeerStore(path, stored);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(path, changed);
      expect([at, await codeOf(readPeerStore(path))]).toEqual([at, 'network.peers-file']);
      writeFileSync(path, whole.subarray(0, at));
      expect([at, await codeOf(readPeerStore(path))]).toEqual([at, 'network.peers-file']);
    }
  });

  it('is not read when it is huge, or a folder', async () => {
    writeFileSync(path, '');
    truncateSync(path, 2 ** 34);
    expect(await codeOf(readPeerStore(path))).toBe('network.peers-file');
    expect(await codeOf(readPeerStore(folder))).toBe('network.peers-file');
  });

  it('leaves nothing behind where it cannot be written', async () => {
    const nowhere = join(folder, 'gone', 'peers');
    await expect(writePeerStore(nowhere, stored)).rejects.toThrow('ENOENT');
    expect(readdirSync(folder)).toEqual([]);
  });
});
