import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeFolder } from './make-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'pyde-folder-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('makeFolder', () => {
  it('makes every level that is missing, and is content with what is there', () => {
    const deep = join(root, 'a', 'b', 'c');
    makeFolder(deep);
    makeFolder(deep);
    expect(statSync(deep).isDirectory()).toBe(true);
  });

  it('says which file is in the way', () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    for (const path of [file, join(file, 'below')]) {
      expect(() => makeFolder(path)).toThrowError(
        expect.objectContaining({ code: 'store.folder', message: expect.stringContaining(file) }),
      );
    }
  });

  it.runIf(process.platform === 'linux')('ends where no folder can be made', () => {
    expect(() => makeFolder('/proc/pyde/state')).toThrowError(
      expect.objectContaining({ code: 'store.folder' }),
    );
  });
});
