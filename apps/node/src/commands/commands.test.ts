/** Keys, genesis and the check of settings, by the command as operators use it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pyde, type Ran } from '../testing.ts';

const home = mkdtempSync(join(tmpdir(), 'pyde-commands-'));
const pyde = new Pyde(home);
afterAll(() => rmSync(home, { recursive: true, force: true }));
const at = (name: string): string => join(home, name);

const refusal = ({ code, stdout, stderr }: Ran): readonly [number | null, string] => {
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^pyde \[ERROR\] /);
  expect(stderr).not.toMatch(/\n\s+at /);
  return [code, /^pyde \[ERROR\] ([a-z.-]+): /.exec(stderr)?.[1] ?? ''];
};

describe('pyde keys', () => {
  it('makes a key, shows, lists, and seals it anew', async () => {
    const made = await pyde.runWith(
      'first\n',
      'keys',
      'new',
      'a.key',
      '--password-stdin',
      '--json',
    );
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const key = JSON.parse(made.stdout);
    expect(key).toMatchObject({ path: 'a.key', signed: null });
    expect(statSync(at('a.key')).mode & 0o777).toBe(0o600);
    const again = await pyde.runWith('x', 'keys', 'new', 'a.key', '--password-stdin');
    expect(refusal(again)).toEqual([1, 'keys.exists']);
    const shown = await pyde.runWith('first', 'keys', 'show', 'a.key', '--password-stdin');
    expect(shown.stdout).toContain(key.address);
    expect(shown.stdout).toContain('the password opens it');
    const change = ['keys', 'change-password', 'a.key', '--password-stdin'];
    expect(refusal(await pyde.runWith('one line\n', ...change))).toEqual([1, 'pyde.arguments']);
    expect(await pyde.runWith('first\nsecond\n', ...change)).toMatchObject({ code: 0 });
    const old = await pyde.runWith('first', 'keys', 'show', 'a.key', '--password-stdin');
    expect(refusal(old)).toEqual([1, 'keys.password']);
    const list = await pyde.run('keys', 'list', '--json');
    expect(JSON.parse(list.stdout)).toEqual([key]);
  });

  it('needs a password, and a file that only its owner reads', async () => {
    expect(refusal(await pyde.run('keys', 'new', 'b.key'))).toEqual([1, 'keys.no-password']);
    const empty = await pyde.runWith('\n', 'keys', 'new', 'b.key', '--password-stdin');
    expect(refusal(empty)).toEqual([1, 'keys.empty-password']);
    writeFileSync(at('open'), 'secret\n', { mode: 0o644 });
    const open = await pyde.run('keys', 'new', 'b.key', '--password-file', 'open');
    expect(refusal(open)).toEqual([1, 'keys.mode']);
    expect(refusal(await pyde.run('keys', 'show', 'c.key'))).toEqual([2, 'keys.missing']);
  });

  it('exports nothing that says nothing of what was signed', async () => {
    writeFileSync(at('password'), 'second\n', { mode: 0o600 });
    const password = ['--password-file', 'password'];
    const silent = await pyde.run('keys', 'export', 'a.key', '--out', 'm.key', ...password);
    expect(refusal(silent)).toEqual([1, 'pyde.arguments']);
    mkdirSync(at('empty'));
    const empty = ['keys', 'export', 'a.key', '--node', 'empty', '--out', 'm.key', ...password];
    expect(refusal(await pyde.run(...empty))).toEqual([2, 'keys.no-chain']);
    const unused = ['keys', 'export', 'a.key', '--unused', '--out', 'm.key', ...password];
    expect(await pyde.run(...unused)).toMatchObject({ code: 0 });
    const imported = ['keys', 'import', 'm.key', '--out', 'n/validator.key', '--json', ...password];
    const { stdout } = await pyde.run(...imported);
    expect(JSON.parse(stdout)).toMatchObject({ signed: null });
    expect(refusal(await pyde.run(...imported))).toEqual([1, 'keys.exists']);
  });
});

describe('from keys to a node', () => {
  const OPERATOR = `0x${'11'.repeat(32)}`;
  beforeAll(async () => {
    mkdirSync(at('parts'));
    writeFileSync(at('secret'), 'a secret\n', { mode: 0o600 });
    for (const name of ['v0', 'v1']) {
      const key = `${name}.key`;
      const made = await pyde.run('keys', 'new', key, '--password-file', 'secret');
      expect(made).toMatchObject({ code: 0, stderr: '' });
      const part = await pyde.run(
        ...['genesis', 'contribute', '--key', key, '--network', 'net', '--operator', OPERATOR],
        ...['--stake', '10_000', '--password-file', 'secret'],
        ...['--address', `/dns4/${name}.example/tcp/1`, '--address', `/ip4/192.0.2.1/tcp/2`],
      );
      expect(part).toMatchObject({ code: 0, stderr: '' });
      writeFileSync(at(`parts/${name}.json`), part.stdout);
    }
    writeFileSync(
      at('genesis.toml'),
      '[chain]\nname = "net"\nid = 5\nstart = 2026-01-01T00:00:00Z\n',
    );
  });

  it('a genesis is built and shown, with the list of its addresses', async () => {
    const argv = ['genesis', 'build', '--config', 'genesis.toml', '--contributions', 'parts'];
    const built = await pyde.run(...argv, '--json');
    expect(built).toMatchObject({ code: 0, stderr: '' });
    const { hash, validators, seeds } = JSON.parse(built.stdout);
    expect(validators).toBe(2);
    expect(seeds).toHaveLength(3);
    expect(readFileSync(at('peers.toml'), 'utf8')).toContain('"/dns4/v0.example/tcp/1"');
    const shown = JSON.parse((await pyde.run('genesis', 'show', 'genesis.bin', '--json')).stdout);
    expect(shown).toMatchObject({ hash, chain_id: '5', start: '2026-01-01T00:00:00.000Z' });
    expect(shown.validators.map(({ operator }: { operator: string }) => operator)).toEqual([
      OPERATOR,
      OPERATOR,
    ]);
    expect((await pyde.run('genesis', 'show', 'genesis.bin')).stdout).toContain(hash);
    const wrong = readFileSync(at('parts/v0.json'), 'utf8').replace('10000', '10001');
    writeFileSync(at('parts/v0.json'), wrong);
    expect(refusal(await pyde.run(...argv))).toEqual([1, 'contribution.signature']);
    expect(refusal(await pyde.run('genesis', 'show', 'v0.key'))).toEqual([1, 'genesis.version']);
    expect(refusal(await pyde.run('genesis', 'show', 'nothing'))).toEqual([2, 'genesis.missing']);
  });

  it('settings are checked without starting anything', async () => {
    const settings = '[chain]\ngenesis = "genesis.bin"\n[node]\nfolder = "n"\n';
    writeFileSync(at('pyde.toml'), `${settings}[validator]\nkey = "v1.key"\n`);
    const right = await pyde.run('node', '--check', '--validator', '--json');
    expect(right).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(right.stdout)).toMatchObject({ chain_id: '5', validators: 2 });
    writeFileSync(at('pyde.toml'), `${settings}[validator]\nkey = "a.key"\n`);
    const stranger = await pyde.run('node', '--check', '--validator');
    expect(refusal(stranger)).toEqual([1, 'node.no-seat']);
    expect((await pyde.run('node', '--check')).stdout).toContain('follows the chain');
    writeFileSync(at('pyde.toml'), `${settings}[netwrk]\n`);
    const wrong = await pyde.run('node', '--check');
    expect(refusal(wrong)).toEqual([1, 'config.value']);
    expect(wrong.stderr).toContain(
      'pyde.toml:5: netwrk: there is no such key; did you mean network?',
    );
    const missing = await pyde.run('node', '--config', 'nowhere.toml');
    expect(refusal(missing)).toEqual([2, 'config.missing']);
    writeFileSync(at('pyde.toml'), settings);
    expect(refusal(await pyde.run('node', '--validator'))).toEqual([1, 'pyde.arguments']);
  });
});
