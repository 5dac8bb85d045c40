/**
 * `balance --verify` against four validators, each a process of its own, that go through short epochs:
 * every epoch has the same four in other seats, and three of them sign.
 */
import type { ChildProcess } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '@pyde/core/bytes';
import { encodeGenesis, genesisHash } from '@pyde/core/types';
import { RpcClient } from '@pyde/platform-node/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLocalnet } from '../../../apps/node/src/localnet/index.ts';
import { collect, freeRpcBase, Pyde, until } from '../../../apps/node/src/testing.ts';
import { Home } from '../testing.ts';
import { untilCertified } from './certified-epoch.ts';
import { type LyingNode, lyingNode } from './lying-node.ts';

const EPOCH_MS = 3_000;
const EPOCHS = 4;

const home = new Home();
const folder = join(home.path, 'net');
const trust = join(home.path, '.pyde', 'trust', '31337.json');
let localnet: ChildProcess;
let ended: Promise<unknown>;
let liar: LyingNode;
let client: RpcClient;

beforeAll(async () => {
  const rpcBase = await freeRpcBase(4);
  const options = { folder, validators: 4, fullNodes: 0, rpcBase };
  const made = await makeLocalnet(options, () => {});
  const parameters = { ...made.genesis.parameters, epochDurationMs: EPOCH_MS };
  const genesis = { ...made.genesis, parameters };
  writeFileSync(join(folder, 'genesis.bin'), encodeGenesis(genesis));
  const json = join(folder, 'localnet.json');
  const kept = JSON.parse(readFileSync(json, 'utf8'));
  writeFileSync(json, JSON.stringify({ ...kept, genesis_hash: toHex(genesisHash(genesis)) }));

  localnet = new Pyde(home.path).start('localnet', '--dir', folder, '--json');
  const [out, err] = [collect(localnet.stdout), collect(localnet.stderr)];
  ended = new Promise((resolve) => localnet.on('exit', resolve));
  await until('a localnet that is ready', () => {
    if (localnet.exitCode !== null) throw new Error(err.join(''));
    return out.join('').includes('"localnet_ready"') ? true : undefined;
  });
  const url = `http://127.0.0.1:${rpcBase}`;
  client = new RpcClient(url);
  liar = await lyingNode(url);
}, 180_000);
afterAll(async () => {
  liar?.close();
  localnet?.kill('SIGTERM');
  await ended;
  home.remove();
}, 60_000);

const verify = (...more: readonly string[]) =>
  home.run(
    ...['balance', 'devnet-1', '--verify', '--rpc-url', liar.url],
    ...['--chain-id', '31337', '--json', ...more],
  );
describe('four validators', () => {
  it('are followed from their genesis over epochs, and from there the next time', async () => {
    await untilCertified(client, EPOCHS);
    const first = await verify();
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
    const [event] = first.events();
    expect(event).toMatchObject({
      verified: true,
      balance: (10n ** 16n).toString(),
      committee_size: 4,
      trusted_epoch: 0,
    });
    expect(Number(event?.['epoch'])).toBeGreaterThanOrEqual(EPOCHS);
    const signers = event?.['signers'];
    expect(Array.isArray(signers) ? signers.length : 0).toBeGreaterThanOrEqual(3);
    const [root] = JSON.parse(readFileSync(trust, 'utf8')).roots;
    expect(root.head.seats.toSorted()).toEqual([0, 1, 2, 3]);

    const second = await verify();
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(Number(second.events()[0]?.['trusted_epoch'])).toBeGreaterThanOrEqual(root.head.epoch);
    const text = await home.run(
      ...['balance', 'devnet-1', '--verify', '--rpc-url', liar.url, '--chain-id', '31337'],
    );
    expect(text.stdout).toMatch(/signed by {4}[34] of 4/);
  }, 180_000);

  it('are not believed when a certificate on the way is one signature short or in other seats', async () => {
    const genesis = join(folder, 'genesis.bin');
    // biome-ignore lint/suspicious/noExplicitAny: answers of any shape are bent here
    const lies: readonly (readonly [RegExp, (r: any) => unknown])[] = [
      [/cert\.quorum/, (r) => ({ ...r, signatures: r.signatures.slice(0, 2) })],
      [
        /cert\.signature/,
        (r) => {
          const [[a, first], [b, second], ...more] = r.signatures;
          return { ...r, signatures: [[a, second], [b, first], ...more] };
        },
      ],
    ];
    for (const [check, bend] of lies) {
      rmSync(trust);
      liar.tell((method, result) =>
        // biome-ignore lint/suspicious/noExplicitAny: answers of any shape are bent here
        method === 'pyde_getHardFinalityCert' && (result as any)?.commit.next_committee_hash
          ? bend(result)
          : result,
      );
      const { code, stderr } = await verify('--genesis', genesis);
      expect(code).toBe(1);
      expect(stderr).toMatch(/NotVerified: .*from epoch 0 does not hold/);
      expect(stderr).toMatch(check);
    }
    liar.tell((_, result) => result);
    expect(await verify('--genesis', genesis)).toMatchObject({ code: 0 });
  }, 120_000);

  it('do not let one node name all their keys', async () => {
    rmSync(trust);
    const { code, stderr } = await verify('--trust-on-first-use');
    expect(code).toBe(1);
    expect(stderr).toMatch(/NoTrustRoot: .*one of a network/);
  });
});
