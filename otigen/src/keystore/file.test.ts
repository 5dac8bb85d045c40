import { spawn } from 'node:child_process';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { devnetEntries } from './devnet.ts';
import type { EntryJson } from './entry.ts';
import { changeKeystore, checkName, readKeystore } from './file.ts';

const root = mkdtempSync(join(tmpdir(), 'otigen-keystore-'));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const fresh = () => join(root, String(folders++), 'keystore.json');

function entry(i: number): EntryJson {
  const found = devnetEntries()[i];
  if (found === undefined) throw new Error(`no devnet entry ${i}`);
  return found;
}

/** Writes `text` where a keystore is expected. */
async function withText(text: string): Promise<string> {
  const path = fresh();
  await changeKeystore(path, () => {});
  writeFileSync(path, text);
  return path;
}

describe('the keystore file', () => {
  it('is made with mode 0600, holds what was added in order, and leaves nothing beside it', async () => {
    const path = fresh();
    await changeKeystore(path, (accounts) => accounts.add('zoe', entry(0)));
    await changeKeystore(path, (accounts) => accounts.add('adam', entry(1)));
    const keystore = await readKeystore(path);
    expect(keystore.names).toEqual(['zoe', 'adam']);
    expect(keystore.json('adam')).toEqual(entry(1));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['keystore.json']);
  });

  it('is empty where there is no file, and reading makes none', async () => {
    const path = fresh();
    expect((await readKeystore(path)).names).toEqual([]);
    expect(() => statSync(path)).toThrow();
  });

  it('refuses a name that is taken and stays as it was', async () => {
    const path = fresh();
    await changeKeystore(path, (accounts) => accounts.add('a', entry(0)));
    const before = readFileSync(path, 'utf8');
    const change = changeKeystore(path, (accounts) => {
      accounts.add('b', entry(1));
      accounts.add('a', entry(2));
    });
    await expect(change).rejects.toMatchObject({ code: 'AlreadyExists', exitCode: 4 });
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('keeps fields it does not know, in the file, in other entries and in a replaced one', async () => {
    const path = await withText(
      JSON.stringify({
        version: 1,
        comment: 'mine',
        accounts: {
          a: { ...entry(0), label: 'cold', cipher: 'chacha20-poly1305' },
          b: { of: 'a later version' },
          constructor: { odd: true },
        },
      }),
    );
    const asRead = (await readKeystore(path)).json('a');
    await changeKeystore(path, (accounts) => accounts.replace('a', entry(1), asRead));
    const again = changeKeystore(path, (accounts) => accounts.replace('a', entry(2), asRead));
    await expect(again).rejects.toMatchObject({ code: 'ChangedMeanwhile' });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      version: 1,
      comment: 'mine',
      accounts: {
        a: { ...entry(1), label: 'cold' },
        b: { of: 'a later version' },
        constructor: { odd: true },
      },
    });
  });

  it('is never written to when it cannot be understood', async () => {
    for (const text of [
      '',
      '{"version":1,"accounts":{',
      '[]',
      '{"version":2,"accounts":{}}',
      '{"version":1}',
      '{"version":1,"accounts":[]}',
      '[['.repeat(20_000),
    ]) {
      const path = await withText(text);
      const change = changeKeystore(path, (accounts) => accounts.add('a', entry(0)));
      await expect(change).rejects.toMatchObject({ code: 'CorruptKeystore', exitCode: 4 });
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
  });

  it('keeps its other accounts usable when one entry is damaged', async () => {
    const path = await withText(
      JSON.stringify({ version: 1, accounts: { bad: { address: 5 }, good: entry(0) } }),
    );
    const keystore = await readKeystore(path);
    expect(() => keystore.entry('bad')).toThrow(/account "bad" cannot be used: address/);
    expect(keystore.entry('good').name).toBe('good');
  });

  it('stays a symbolic link when it is one', async () => {
    const target = fresh();
    await changeKeystore(target, () => {});
    const path = join(root, 'link.json');
    symlinkSync(target, path);
    await changeKeystore(path, (accounts) => accounts.add('a', entry(0)));
    expect((await readKeystore(target)).names).toEqual(['a']);
  });

  it('takes over the lock of a process that is gone, and not one that lives', async () => {
    const path = fresh();
    await changeKeystore(path, () => {});
    const gone = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => gone.on('exit', resolve));
    writeFileSync(`${path}.lock`, `${gone.pid} ${hostname()} 1\n`);
    await changeKeystore(path, (accounts) => accounts.add('a', entry(0)));

    writeFileSync(`${path}.lock`, `${process.pid} ${hostname()} 1\n`);
    let done = false;
    const change = changeKeystore(path, (accounts) => accounts.add('b', entry(1))).then(() => {
      done = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(done).toBe(false);
    rmSync(`${path}.lock`);
    await change;
    expect((await readKeystore(path)).names).toEqual(['a', 'b']);
  });

  it('loses no account when several processes add at once', async () => {
    const path = fresh();
    const module = fileURLToPath(new URL('./file.ts', import.meta.url));
    const program = `
      const { changeKeystore } = await import(${JSON.stringify(module)});
      const [path, name] = process.argv.slice(1);
      for (let i = 0; i < 8; i++) {
        await changeKeystore(path, (accounts) => accounts.add(name + i, { of: name }));
      }`;
    const writers = ['a', 'b', 'c'].map(
      (name) =>
        new Promise<number | null>((resolve) => {
          const child = spawn(
            process.execPath,
            ['--input-type=module', '-e', program, path, name],
            { stdio: ['ignore', 'ignore', 'inherit'] },
          );
          child.on('exit', resolve);
        }),
    );
    expect(await Promise.all(writers)).toEqual([0, 0, 0]);
    const names = (await readKeystore(path)).names;
    const expected = ['a', 'b', 'c'].flatMap((n) => Array.from({ length: 8 }, (_, i) => n + i));
    expect(names.toSorted()).toEqual(expected);
  });
});

describe('an account name', () => {
  it('can be told from an address, a flag and a property of objects', () => {
    for (const name of ['alice', 'devnet-0', 'A.b_c-1', '9']) expect(checkName(name)).toBe(name);
    for (const name of ['', '-a', '0xab', 'a b', '../x', 'a'.repeat(65), 'constructor', 'é']) {
      expect(() => checkName(name), name).toThrow(/is no account name/);
    }
  });
});
