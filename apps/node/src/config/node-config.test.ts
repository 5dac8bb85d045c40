import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPydeError } from '@pyde/core/bytes';
import { afterAll, describe, expect, it } from 'vitest';
import { isAddress, parseEndpoint, readNodeConfig } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'pyde-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'pyde.toml');

const read = (text: string) => {
  writeFileSync(path, text);
  return readNodeConfig(path);
};

/** What follows the file's name. */
async function fault(text: string): Promise<string> {
  const error = await read(text).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isPydeError(error)) throw new Error(`no fault: ${error}`);
  return error.message.replaceAll(path, '');
}

describe('pyde.toml', () => {
  it('needs the genesis alone; the rest has defaults, and paths are those of its folder', async () => {
    expect(await read('[chain]\ngenesis = "genesis.bin"\n')).toEqual({
      path,
      chain: { genesis: join(folder, 'genesis.bin'), upgrades: [] },
      node: { folder, archive: false },
      validator: undefined,
      network: {
        listen: ['/ip4/0.0.0.0/tcp/10933', '/ip4/0.0.0.0/udp/10933/quic-v1'],
        seeds: [],
        dns_seeds: [],
      },
      rpc: { listen: { host: '127.0.0.1', port: 9933 }, sender_rate: 10 },
      metrics: {},
      log: { level: 'info' },
    });
  });

  it('takes every key', async () => {
    const config = await read(`
chain.genesis = "/etc/pyde/genesis.bin"
[node]
folder = "state"
archive = true
[validator]
key = "keys/validator.key"
password_file = "password"
[network]
listen = [
  "/ip4/0.0.0.0/tcp/1", # one
  "/ip6/::/udp/2/quic-v1",
]
announce = ["/dns4/node.example/tcp/1"]
seeds = []
dns_seeds = ["seeds.example"]
sentries = ["/ip4/10.0.0.1/tcp/1/p2p/12D3KooWAbc"]
max_connections = 10
max_connections_per_ip = 2
inbound_per_second = 3
bandwidth_bytes_per_second = 1_000_000
[rpc]
listen = "[::1]:0"
sender_rate = 0
[metrics]
listen = "127.0.0.1:9100"
[log]
level = "debug"
format = "json"
file = "node.log"
`);
    expect(config).toMatchObject({
      chain: { genesis: '/etc/pyde/genesis.bin' },
      node: { folder: join(folder, 'state'), archive: true },
      validator: {
        key: join(folder, 'keys/validator.key'),
        passwordFile: join(folder, 'password'),
      },
      rpc: { listen: { host: '::1', port: 0 }, sender_rate: 0 },
      metrics: { listen: { host: '127.0.0.1', port: 9100 } },
      log: { level: 'debug', format: 'json', file: join(folder, 'node.log') },
    });
  });

  const GENESIS = '[chain]\ngenesis = "g"\n';
  it.each([
    [
      'an unknown key',
      `${GENESIS}[network]\nlistn = []\n`,
      ':4: network.listn: there is no such key; did you mean listen?',
    ],
    [
      'an unknown table',
      `${GENESIS}[netwrk]\n`,
      ':3: netwrk: there is no such key; did you mean network?',
    ],
    [
      'a name near nothing',
      `${GENESIS}[log]\nxylophone = 1\n`,
      ':4: log.xylophone: there is no such key; there are level, format, file',
    ],
    [
      'a wrong type',
      `${GENESIS}[node]\n\narchive = "yes"\n`,
      ':5: node.archive: it must be true or false',
    ],
    ['a missing key', '# nothing\n[chain]\n', ':2: chain.genesis: it is missing'],
    ['a missing table', '[log]\n', ':1: chain: it is missing'],
    ['a dotted key', `${GENESIS}log.level = "loud"\n`, ':3: chain.log: there is no such key'],
    [
      'a number out of range',
      `${GENESIS}[rpc]\nsender_rate = -1`,
      ':4: rpc.sender_rate: it must be a whole number from 0 to 1000000',
    ],
    [
      'a huge number',
      `${GENESIS}[rpc]\nsender_rate = 99999999999999999999`,
      ':4: rpc.sender_rate: ',
    ],
    [
      'a wrong element',
      `${GENESIS}[network]\nseeds = [\n  "/ip4/1.2.3.4/tcp/1",\n  "example:1",\n]\nlisten=[]\n`,
      ':4: network.seeds.1: it must be a multiaddr',
    ],
    [
      'a key after a text of several lines',
      `${GENESIS}[log]\nfile = """\n[rpc]\nlisten = 3\n"""\nlevel = 3\n`,
      ':8: log.level: it must be one of "debug"',
    ],
    [
      'a table in a list',
      `${GENESIS}[[network.sentry_for]]\npeer_id = "a"\nvalidator = 0\n[[network.sentry_for]]\npeer_id = "b"\nvalidator = 128\n`,
      ':8: network.sentry_for.1.validator: it must be a whole number from 0 to 127',
    ],
    [
      'a listen address of RPC',
      `${GENESIS}[rpc]\nlisten = "9933"\n`,
      ':4: rpc.listen: it must be HOST:PORT',
    ],
    [
      'a sentry without peer id',
      `${GENESIS}[validator]\n[network]\nsentries = ["/ip4/1.2.3.4/tcp/1"]\n`,
      ':5: network.sentries.0: it must end with /p2p/',
    ],
    [
      'sentries of no validator',
      `${GENESIS}[network]\nsentries = ["/ip4/1.2.3.4/tcp/1/p2p/a"]\n`,
      ':4: network.sentries: only a validator',
    ],
  ])('names file, line and key of %s', async (_, text, expected) => {
    expect(await fault(text)).toContain(expected);
  });

  it('names line, column and key of what is no TOML', async () => {
    expect(await fault(`${GENESIS}[log]\nlevel = loud\n`)).toMatch(
      /^:4:\d+: level: this is no TOML: /,
    );
    expect(await fault(`${GENESIS}[log\n`)).toMatch(/^:3:\d+: this is no TOML: /);
    expect(await fault(`${GENESIS}genesis = "twice"\n`)).toMatch(
      /^:3:\d+: genesis: this is no TOML/,
    );
  });

  it('tells several faults at once', async () => {
    const faults = await fault('[chain]\ngenesis = 1\n[log]\nlevel = 2\nformat = 3\n');
    expect(faults.split('\n')).toHaveLength(3);
  });

  it('that is not there is one sentence', async () => {
    const missing = readNodeConfig(join(folder, 'nowhere.toml'));
    await expect(missing).rejects.toMatchObject({ code: 'config.missing' });
    await expect(missing).rejects.toThrow(
      /there is no file .*nowhere\.toml; name one with --config/,
    );
  });
});

describe('what a configuration names', () => {
  it('is an endpoint with host and port', () => {
    expect(parseEndpoint('localhost:0')).toEqual({ host: 'localhost', port: 0 });
    for (const wrong of ['9933', ':9933', 'a:65536', 'a:b', 'a b:1', '::1:3', 'http://a:1', '']) {
      expect(parseEndpoint(wrong), wrong).toBeUndefined();
    }
  });

  it('is a multiaddr of a transport that there is', () => {
    for (const right of [
      '/ip4/1.2.3.4/tcp/1/ws',
      '/ip4/1.2.3.4/udp/1/webrtc-direct/certhash/uEiA',
      '/dns4/a.example/tcp/443/wss/p2p/12D3KooW',
      '/ip6/::1/udp/65535/quic-v1',
    ]) {
      expect(isAddress(right), right).toBe(true);
    }
    for (const wrong of ['1.2.3.4:1', '/ip4/1.2.3.4', '/ip4/1.2.3.4/tcp/65536', '/ip4/a/tcp/1/x']) {
      expect(isAddress(wrong), wrong).toBe(false);
    }
  });
});
