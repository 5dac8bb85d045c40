/** A localnet of four real validator processes, as a user runs it. */
import type { ChildProcess } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@pyde/core/bytes';
import { FALCON_SIGN_RANDOM_BYTES, falconSign } from '@pyde/core/crypto';
import { encodeTx, transferTx, txHash } from '@pyde/core/tx';
import { toNonce, toQuanta } from '@pyde/core/types';
import { systemRandom } from '@pyde/platform-node';
import { RpcClient } from '@pyde/platform-node/client';
import { devnetAccounts } from '@pyde/platform-node/devnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, freeRpcBase, isAlive, Pyde, type Ran, until } from '../testing.ts';

const home = mkdtempSync(join(tmpdir(), 'pyde-localnet-'));
const folder = join(home, 'net');
const pyde = new Pyde(home);
const [alice, bob] = devnetAccounts(2);
if (alice === undefined || bob === undefined) throw new Error('two accounts are constants');
const [sender, receiver] = [alice, bob];
const sent = 1_000_000n;

interface ReadyNode {
  readonly rpc_url: string;
  readonly folder: string;
  readonly pid: number;
}
interface Net {
  readonly process: ChildProcess;
  readonly nodes: readonly ReadyNode[];
  readonly clients: readonly RpcClient[];
  /** Full nodes. */
  readonly followers: readonly RpcClient[];
  readonly fresh: boolean;
  readonly ended: Promise<number | null>;
  event(name: string): Promise<Record<string, unknown>>;
}

let base: number;
const running: Net[] = [];
beforeAll(async () => {
  base = await freeRpcBase(5);
});
afterAll(async () => {
  for (const { process: child, ended } of running) {
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(home, { recursive: true, force: true });
});

async function start(...argv: readonly string[]): Promise<Net> {
  const options = ['--dir', folder, '--rpc-base', String(base), '--json', ...argv];
  const child = pyde.start('localnet', ...options);
  const [out, err] = [collect(child.stdout), collect(child.stderr)];
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  let code: number | null | undefined;
  void ended.then((value) => {
    code = value;
  });
  const event = (name: string) =>
    until(`event ${name}; ${err.join('')}`, () => {
      const lines = out.join('').split('\n').slice(0, -1);
      const found = lines.map((line) => JSON.parse(line)).find((each) => each.event === name);
      if (found === undefined && code !== undefined) throw new Error(`ended: ${err.join('')}`);
      return found;
    });
  const ready = await event('localnet_ready').catch((error: Error) => {
    throw new Error(`${error.message}: ${err.join('')}`);
  });
  const nodes: ReadyNode[] = ready.validators;
  const clientOf = ({ rpc_url }: ReadyNode) => new RpcClient(rpc_url);
  const clients = nodes.map(clientOf);
  const followers = (ready.full_nodes as readonly ReadyNode[]).map(clientOf);
  const net = { process: child, nodes, clients, followers, fresh: ready.fresh, ended, event };
  running.push(net);
  return net;
}

const waveOf = async (client: RpcClient | undefined): Promise<number> =>
  Number(await client?.call('pyde_waveId'));

/** Waits until all nodes have executed a wave above `wave`; asks that they agree on every root. */
async function agreeAbove(clients: readonly RpcClient[], wave: number): Promise<void> {
  for (const client of clients) {
    await until('a wave', async () => ((await waveOf(client)) > wave ? true : undefined));
  }
  for (const at of [wave - 1, wave, wave + 1]) {
    const records = await Promise.all(clients.map((client) => client.call('pyde_getWave', [at])));
    for (const record of records) expect(record).toEqual(records[0]);
  }
}

async function transfer(client: RpcClient | undefined, nonce: number): Promise<string> {
  const tx = transferTx({
    ...{ chainId: 31_337n, from: sender.address, to: receiver.address },
    ...{ value: toQuanta(sent), nonce: toNonce(BigInt(nonce)) },
  });
  const random = systemRandom.bytes(FALCON_SIGN_RANDOM_BYTES);
  const signature = falconSign(sender.secretKey, txHash(tx), random);
  const raw = toHex(encodeTx({ ...tx, signature }));
  return String(await client?.call('pyde_sendRawTransaction', [raw]));
}

async function executedEverywhere(clients: readonly RpcClient[], hash: string): Promise<void> {
  for (const client of clients) {
    await until('a receipt', async () => {
      const receipt = await client.call('pyde_getTransactionReceipt', [hash]);
      return receipt === null ? undefined : receipt;
    });
  }
}

interface VertexJson {
  readonly round: string;
  readonly author: string;
}

async function metric(client: RpcClient | undefined, name: string): Promise<unknown> {
  const metrics = (await client?.call('pyde_getMetrics')) as Record<string, unknown>;
  return metrics[name];
}

/** The key of a running validator on another machine, as it looks to the network. */
async function startTwin(original: ReadyNode | undefined): Promise<Ran> {
  const place = join(home, 'twin');
  mkdirSync(place);
  for (const name of ['validator.key', 'password', 'pyde.toml']) {
    copyFileSync(join(original?.folder ?? '', name), join(place, name));
  }
  const config = join(place, 'pyde.toml');
  const settings = readFileSync(config, 'utf8')
    .replace('../genesis.bin', join(folder, 'genesis.bin'))
    .replace(/listen = \[[^\]]*\]/, 'listen = ["/ip4/127.0.0.1/tcp/0"]')
    .replace(/listen = ".*"/, 'listen = "127.0.0.1:0"');
  writeFileSync(config, settings);
  return pyde.run('node', '--config', config, '--validator');
}

const balanceOf = async (client: RpcClient | undefined): Promise<bigint> =>
  BigInt(String(await client?.call('pyde_getBalance', [toHex(receiver.address)])));

describe('pyde localnet', () => {
  it('runs four validators that execute the same, loses one and gets it back, and stops all', async () => {
    const net = await start();
    expect(net.fresh).toBe(true);
    const twin = startTwin(net.nodes[3]);
    const before = await balanceOf(net.clients[0]);
    await executedEverywhere(net.clients, await transfer(net.clients[2], 0));
    await agreeAbove(net.clients, await waveOf(net.clients[0]));
    expect(await balanceOf(net.clients[3])).toBe(before + sent);
    expect(existsSync(join(home, '.pyde', 'keystore.json'))).toBe(true);

    const peers = await pyde.run('peers', '--json', '--rpc-url', net.nodes[0]?.rpc_url ?? '');
    const linked = JSON.parse(peers.stdout).map((peer: { validator: unknown }) => peer.validator);
    expect(new Set(linked)).toEqual(
      new Set([...linked.filter((v: unknown) => v === null), 1, 2, 3]),
    );

    const { code, stderr } = await twin;
    expect(stderr).toMatch(
      /^pyde \[ERROR\] network\.key-live: .*\n {2}next: {2}stop the other node first/,
    );
    expect(code).toBe(2);

    const busy = await pyde.run(
      ...['keys', 'export', join(net.nodes[0]?.folder ?? '', 'validator.key'), '--out', 'x.key'],
      ...['--node', net.nodes[0]?.folder ?? ''],
      ...['--password-file', join(net.nodes[0]?.folder ?? '', 'password')],
    );
    expect(busy).toMatchObject({ code: 2, stdout: '' });
    expect(busy.stderr).toMatch(/store\.locked/);

    const [, lost] = net.nodes;
    if (lost === undefined) throw new Error('there are four');
    process.kill(lost.pid, 'SIGKILL');
    expect(await net.event('node_died')).toMatchObject({ name: 'validator 1', signal: 'SIGKILL' });
    const others = net.clients.filter((_, i) => i !== 1);
    await executedEverywhere(others, await transfer(others[0], 1));

    const config = join(lost.folder, 'pyde.toml');
    const again = pyde.start('node', '--config', config, '--validator');
    const ended = new Promise<number | null>((resolve) => again.on('exit', resolve));
    const words = collect(again.stderr);
    const target = await waveOf(net.clients[0]);
    await until(`validator 1 is back: ${words.join('')}`, async () =>
      (await waveOf(net.clients[1])) > target ? true : undefined,
    );
    await executedEverywhere(net.clients, await transfer(net.clients[1], 2));
    await agreeAbove(net.clients, await waveOf(net.clients[1]));

    net.process.kill('SIGINT');
    expect(await net.ended).toBe(0);
    expect(await ended).toBe(0);
    expect(words.join('')).toBe('');
    for (const { pid, folder: place } of net.nodes) {
      expect(isAlive(pid)).toBe(false);
      expect(existsSync(join(place, 'node.pid'))).toBe(false);
    }
  }, 240_000);

  it('goes on with what is there: stale pids, a key that moved, one node more; and ends with its owner', async () => {
    const stale = join(folder, 'validator-2', 'node.pid');
    writeFileSync(stale, `${process.pid}\n`);
    const place = join(folder, 'validator-1');
    const key = join(place, 'validator.key');
    const password = ['--password-file', join(place, 'password'), '--json'];
    const moving = join(home, 'moving.key');
    const exported = await pyde.run(
      ...['keys', 'export', key, '--node', place, '--out', moving, ...password],
    );
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    const { signed } = JSON.parse(exported.stdout);
    expect(signed.round).toBeGreaterThan(10);
    const config = join(place, 'pyde.toml');
    const old = await pyde.run('node', '--config', config, '--validator');
    expect(old).toMatchObject({ code: 2, stdout: '' });
    expect(old.stderr).toMatch(/node\.key-moved: .* was exported to .*moving\.key/);
    for (const gone of ['db', 'network', 'validator.key']) {
      rmSync(join(place, gone), { recursive: true });
    }
    const imported = await pyde.run('keys', 'import', moving, '--config', config, ...password);
    expect(JSON.parse(imported.stdout)).toMatchObject({ path: key, signed });

    const net = await start('--full-nodes', '1');
    expect(net.fresh).toBe(false);
    await agreeAbove([...net.clients, ...net.followers], await waveOf(net.clients[0]));
    await executedEverywhere(net.clients, await transfer(net.followers[0], 3));
    expect(await balanceOf(net.clients[1])).toBeGreaterThanOrEqual(4n * sent);
    expect(Number(readFileSync(stale, 'utf8'))).toBe(net.nodes[2]?.pid);
    const own = await until('a vertex of validator 1', async () => {
      const round = Number(await metric(net.clients[0], 'anchor_round'));
      const rounds = await net.clients[0]?.call('pyde_getRounds', [Math.max(1, round - 20), round]);
      const made = (rounds as readonly VertexJson[]).filter(
        ({ round: of, author }) => Number(of) > signed.round && Number(author) === 1,
      );
      return made[0];
    });
    expect(Number(own.round)).toBeGreaterThan(signed.round);
    const twice = await pyde.run('localnet', '--dir', folder, '--json');
    expect(twice).toMatchObject({ code: 2, stdout: '' });
    expect(twice.stderr).toMatch(/localnet\.running: .*kill( \d+){5}/);
    net.process.kill('SIGKILL');
    await net.ended;
    await until('all nodes ended', () =>
      net.nodes.some(({ pid }) => isAlive(pid)) ? undefined : true,
    );
  }, 240_000);

  it('says in a sentence what is in the way', async () => {
    const size = await pyde.run('localnet', '--dir', folder, '--validators', '7');
    expect(size).toMatchObject({ code: 1, stdout: '' });
    expect(size.stderr).toMatch(/localnet\.options: .* holds a chain of 4 validators/);
    const other = await pyde.run('localnet', '--dir', home);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/localnet\.folder: .* holds something else than a localnet/);
    const none = await pyde.run('localnet', '--validators', '0');
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(
      /pyde\.arguments: .*Write a whole number from 1 to 128; see pyde localnet --help/,
    );
  });
});
