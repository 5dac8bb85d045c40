import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Home } from './testing.ts';

const home = new Home();
afterAll(() => home.remove());

describe('the command line', () => {
  it('lists exactly the commands it has', async () => {
    const help = await home.run('--help');
    expect(help.code).toBe(0);
    const listed = [...help.stdout.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name);
    expect(listed).toEqual(['devnet', 'wallet', 'send', 'balance', 'console', 'util']);
  });

  it('shows examples of every command, with options that it has', async () => {
    for (const group of [[], ['wallet'], ['util']]) {
      const { stdout } = await home.run(...group, '--help');
      const [, list = ''] = stdout.split('\nCommands:\n');
      const names = [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name);
      expect(names.length).toBeGreaterThan(3);
      for (const name of names.filter((word) => !['wallet', 'util', 'help'].includes(word))) {
        const path = [...group, name];
        const help = (await home.run(...path, '--help')).stdout;
        const [usage = '', shown = ''] = help.split('\nExamples:\n');
        const lines = [...shown.matchAll(/^ {2}otigen (.+)$/gm)].map(([, line = '']) => line);
        expect(lines, path.join(' ')).not.toEqual([]);
        for (const line of lines) {
          expect(line.split(' ').slice(0, path.length)).toEqual(path);
          for (const [option] of line.matchAll(/--[a-z-]+/g)) expect(usage).toContain(`${option} `);
        }
      }
    }
  });

  it('says in one line that a command of the reference is not available yet', async () => {
    for (const name of ['build', 'deploy', 'call', 'upgrade']) {
      expect(await home.run(name, '--json', '-q')).toMatchObject({
        code: 1,
        stdout: '',
        stderr: `otigen [ERROR] NotAvailable: otigen ${name} is not available yet\n`,
      });
    }
  });

  it('answers wrong usage with exit code 1, a sentence and the next thing to try', async () => {
    const cases: [string[], RegExp, string][] = [
      [['walet'], /unknown command 'walet'.*Did you mean wallet/, 'otigen --help'],
      [['wallet', 'shw'], /unknown command 'shw'/, 'otigen wallet --help'],
      [['wallet', 'show'], /missing required argument 'NAME'/, 'otigen wallet show --help'],
      [['util', 'hash', 'md5', '0x'], /'md5' is invalid/, 'otigen util hash --help'],
      [['devnet', '--tick-ms', '0'], /whole number from 1/, 'otigen devnet --help'],
      [['devnet', '--rpc-listen', '9933'], /Write HOST:PORT/, 'otigen devnet --help'],
      [['--colour', 'always'], /unknown option '--colour'/, 'otigen --help'],
    ];
    for (const [argv, message, next] of cases) {
      const { code, stdout, stderr } = await home.run(...argv);
      expect({ code, stdout }, argv.join(' ')).toEqual({ code: 1, stdout: '' });
      const [first, second] = stderr.split('\n');
      expect(first).toMatch(/^otigen \[ERROR\] InvalidArgs: /);
      expect(first).toMatch(message);
      expect(second).toBe(`  next:  ${next}`);
    }
  });

  it('takes global flags before and after the command', async () => {
    const path = join(home.path, 'elsewhere.json');
    for (const argv of [
      ['--json', '--keystore', path, 'wallet', 'list'],
      ['wallet', '--json', 'list', `--keystore=${path}`],
    ]) {
      expect((await home.run(...argv)).events()).toEqual([
        { event: 'wallet_listed', keystore: path, accounts: [] },
      ]);
    }
    expect(await home.run('wallet', 'list', '--json', '-q')).toMatchObject({ code: 0, stdout: '' });
  });

  it('shows a stack trace only with -vv, and an error event only with --json', async () => {
    const argv = ['wallet', 'show', 'nobody'];
    const plain = await home.run(...argv);
    expect(plain).toMatchObject({ code: 4, stdout: '' });
    expect(plain.stderr).not.toMatch(/\n\s+at /);
    expect((await home.run(...argv, '-vv')).stderr).toMatch(/\n\s+at /);
    expect((await home.run(...argv, '--json')).events()).toMatchObject([
      { event: 'error', error: 'NoSuchAccount', exit_code: 4 },
    ]);
  });

  it('names the line of otigen.toml that is wrong', async () => {
    const config = join(home.path, 'bad.toml');
    writeFileSync(
      config,
      '[network.default]\nname = "a"\n\n[network.a]\nrpc_url = 5\nchain_id = 1\n',
    );
    const schema = await home.run('wallet', 'list', '--config', config);
    expect(schema.code).toBe(1);
    expect(schema.stderr).toMatch(`ConfigInvalid: ${config}:5:1: network.a.rpc_url: `);
    writeFileSync(config, '[network.default]\nname = \n');
    const syntax = await home.run('wallet', 'list', '--config', config);
    expect(syntax.stderr).toMatch(/ConfigInvalid: .*bad\.toml:2:\d+: /);
    expect(await home.run('wallet', 'list', '--config', 'none.toml')).toMatchObject({ code: 2 });
  });

  it('refuses --rpc-url without --chain-id where something is signed', async () => {
    await home.runWith(
      'devnet',
      'wallet',
      'import',
      '--from-devnet',
      '--password-stdin',
      '--count',
      '1',
    );
    const send = ['send', 'devnet-0', '1', '--from', 'devnet-0', '--rpc-url', 'http://127.0.0.1:1'];
    const refused = await home.run(...send);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/InvalidArgs: --rpc-url needs --chain-id/);
    const unreachable = await home.run(...send, '--chain-id', '31337');
    expect(unreachable.code).toBe(2);
    expect(unreachable.stderr).toMatch(
      /rpc\.unreachable: http:\/\/127\.0\.0\.1:1\/ cannot be reached/,
    );
  });
});

describe('otigen wallet', () => {
  it('makes, lists, shows, signs, verifies, exports, restores, renames a password and deletes', async () => {
    const made = await home.runWith(
      'pw\npw\n',
      'wallet',
      'new',
      'alice',
      '--password-stdin',
      '--json',
    );
    expect(made.code).toBe(0);
    const [{ address, ...created } = { address: '' }] = made.events();
    expect(created).toEqual({ event: 'wallet_created', name: 'alice', keystore: home.keystore });
    expect(String(address)).toMatch(/^0x[0-9a-f]{64}$/);

    const signed = await home.runWith(
      'pw',
      'wallet',
      'sign',
      'alice',
      '-m',
      '0xab',
      '--hex',
      '--password-stdin',
    );
    const signature = signed.stdout.trim();
    const claim = ['wallet', 'verify', 'alice', '--hex', '--signature', signature, '--message'];
    expect(await home.run(...claim, 'ab')).toMatchObject({ code: 0, stdout: 'valid\n' });
    expect(await home.run(...claim, 'ac')).toMatchObject({ code: 1, stdout: 'not valid\n' });

    const backup = join(home.path, 'alice.backup.json');
    expect(await home.run('wallet', 'export', 'alice', '--out', backup)).toMatchObject({ code: 0 });
    expect(await home.run('wallet', 'export', 'alice', '--out', backup)).toMatchObject({ code: 2 });

    const change = ['wallet', 'password', 'alice', '--password-stdin'];
    expect(await home.runWith('px\nnew\n', ...change)).toMatchObject({ code: 4 });
    expect(await home.runWith('pw\nnew\n', ...change)).toMatchObject({ code: 0 });
    const sign = ['wallet', 'sign', 'alice', '-m', 'x', '--password-stdin'];
    const wrong = await home.runWith('pw', ...sign);
    expect(wrong).toMatchObject({ code: 4, stdout: '' });
    expect(wrong.stderr).toMatch(/WrongPassword: the password does not open the account "alice"/);
    expect(await home.runWith('new\n', ...sign)).toMatchObject({ code: 0 });

    const restore = ['wallet', 'import', '--from-file', backup];
    expect(await home.run(...restore, 'alice')).toMatchObject({ code: 4 });
    expect(await home.run('wallet', 'delete', 'alice')).toMatchObject({ code: 1 });
    expect(await home.run('wallet', 'delete', 'alice', '--yes')).toMatchObject({ code: 0 });
    expect(await home.run(...restore, 'alice2')).toMatchObject({ code: 0 });
    const shown = await home.run('wallet', 'show', 'alice2', '--json');
    expect(shown.events()).toMatchObject([{ event: 'wallet_shown', name: 'alice2', address }]);
    const again = await home.runWith(
      'pw',
      'wallet',
      'sign',
      'alice2',
      '-m',
      'x',
      '--password-stdin',
    );
    expect(again.code).toBe(0);
  });

  it('imports devnet accounts without asking, and adds none when one name is taken', async () => {
    const argv = [
      'wallet',
      'import',
      '--from-devnet',
      '--prefix',
      'd',
      '--password-stdin',
      '--json',
    ];
    const two = await home.runWith('secret', ...argv, '--count', '2');
    expect(two.code).toBe(0);
    expect(two.events().map(({ name }) => name)).toEqual(['d0', 'd1']);
    const vectors: { address: string }[] = JSON.parse(
      readFileSync(new URL('../../core/vectors/devnet-accounts.json', import.meta.url), 'utf8'),
    );
    expect(two.events().map(({ address }) => address)).toEqual(
      vectors.slice(0, 2).map(({ address }) => address),
    );
    const before = readFileSync(home.keystore, 'utf8');
    const taken = await home.runWith('secret\n', ...argv);
    expect(taken.code).toBe(4);
    expect(taken.stderr).toMatch(/account "d0" already exists/);
    expect(readFileSync(home.keystore, 'utf8')).toBe(before);
    expect(await home.runWith('devnet', ...argv.slice(0, 4), 'e', ...argv.slice(5))).toMatchObject({
      code: 0,
    });
    const opened = ['wallet', 'sign', 'e9', '-m', 'x', '--password-stdin'];
    expect(await home.runWith('devnet', ...opened)).toMatchObject({ code: 0 });
  });

  it('refuses an empty password, two that differ, and a bad name, and writes nothing', async () => {
    const other = new Home();
    const make = ['wallet', 'new', 'a', '--password-stdin'];
    expect(await other.runWith('', ...make)).toMatchObject({ code: 4 });
    expect(await other.runWith('a\nb\n', ...make)).toMatchObject({ code: 4 });
    expect(await other.runWith('pw', 'wallet', 'new', '../a', '--password-stdin')).toMatchObject({
      code: 1,
    });
    expect(await other.run('wallet', 'new', 'a')).toMatchObject({ code: 4 });
    expect(readdirSync(other.path)).toEqual([]);
    other.remove();
  });

  it('leaves a corrupt keystore untouched', async () => {
    const path = join(home.path, 'corrupt.json');
    writeFileSync(path, '{"version":1,"acc');
    const made = await home.runWith(
      'pw',
      'wallet',
      'new',
      'a',
      '--password-stdin',
      '--keystore',
      path,
    );
    expect(made.code).toBe(4);
    expect(made.stderr).toMatch(/CorruptKeystore: the keystore cannot be read: it is not JSON/);
    expect(readFileSync(path, 'utf8')).toBe('{"version":1,"acc');
  });
});
