/** What a newcomer does, with the real command and a real devnet (issue 2, "Must be shown"). */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home } from '../testing.ts';
import { type LyingNode, lyingNode } from './lying-node.ts';
import { type RunningDevnet, runDevnet } from './running-devnet.ts';

const home = new Home();
const state = join(home.path, 'chain');
let devnet: RunningDevnet;
let node: readonly string[];

async function start(): Promise<void> {
  devnet = await runDevnet(home, '--state', state);
  await devnet.event('devnet_wallets_imported');
  node = ['--rpc-url', devnet.url, '--chain-id', '31337', '--json'];
}

const devnetPassword = (...argv: readonly string[]) =>
  home.runWith('devnet', ...argv, '--password-stdin', ...node);
const alicePassword = (...argv: readonly string[]) =>
  home.runWith('secret', ...argv, '--password-stdin', ...node);

async function verifiedBalance(who: string): Promise<Record<string, unknown>> {
  const { code, events, stderr } = await home.run('balance', who, '--verify', ...node);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [event] = events();
  expect(event).toMatchObject({
    event: 'balance',
    verified: true,
    signers: [0],
    committee_size: 1,
  });
  return event ?? {};
}

beforeAll(async () => {
  await start();
});
afterAll(async () => {
  await devnet.stop();
  home.remove();
});

describe('a newcomer', () => {
  it('finds ten accounts in the keystore, whose names were free', () => {
    const names = Object.keys(JSON.parse(readFileSync(home.keystore, 'utf8')).accounts);
    expect(names).toEqual(Array.from({ length: 10 }, (_, i) => `devnet-${i}`));
    expect(existsSync(join(state, 'genesis.borsh'))).toBe(true);
  });

  it('makes a wallet, funds it, registers its key and sends', async () => {
    const make = ['wallet', 'new', 'alice', '--password-stdin'];
    expect(await home.runWith('secret\n', ...make)).toMatchObject({ code: 0 });

    const early = await home.run('wallet', 'register', 'alice', ...node);
    expect(early).toMatchObject({ code: 1 });
    expect(early.stderr).toMatch(/NotFunded/);

    const funded = await devnetPassword('send', 'alice', '2_000_000_000', '--from', 'devnet-0');
    expect(funded.events().map(({ event }) => event)).toEqual([
      'send_start',
      'send_submitted',
      'send_included',
    ]);
    expect(funded.code).toBe(0);

    const keyless = await alicePassword('send', 'devnet-1', '1', '--from', 'alice');
    expect(keyless).toMatchObject({ code: 5 });
    expect(keyless.stderr).toMatch(/NotRegistered.*\n(.*\n)* +next: +otigen wallet register alice/);

    expect(await home.run('wallet', 'register', '--from', 'alice', ...node)).toMatchObject({
      code: 0,
    });
    expect(await home.run('wallet', 'register', 'alice', ...node)).toMatchObject({ code: 1 });

    const named = ['send', '--to', 'devnet-1', '--value', '0x3b9aca00', '--from', 'alice'];
    const sent = await alicePassword(...named);
    expect(sent.code).toBe(0);
    const fee = BigInt(String(sent.events().at(-1)?.['fee_paid']));
    // 21,000 gas at a base fee that starts at 100 and falls while the chain is idle.
    expect(fee % 21_000n).toBe(0n);
    expect(fee).toBeGreaterThan(0n);
    expect(fee).toBeLessThanOrEqual(2_100_000n);
    const balance = await verifiedBalance('alice');
    expect(balance['balance']).toBe((1_000_000_000n - fee).toString());
    expect(await verifiedBalance('devnet-1')).toMatchObject({
      balance: (10n ** 16n + 1_000_000_000n).toString(),
    });
  });

  it('is told what is wrong with a transaction, by exit code 3, and pays nothing', async () => {
    const before = await home.run('balance', 'alice', ...node);
    const balance = BigInt(String(before.events()[0]?.['balance']));
    // The base fee is never below one quantum.
    const all = (balance - 21_000n + 1n).toString();
    const short = await alicePassword('send', 'devnet-1', all, '--from', 'alice');
    expect(short.code).toBe(3);
    const gas = ['send', 'devnet-1', '1', '--from', 'alice', '--gas-limit', '20999'];
    expect((await alicePassword(...gas)).code).toBe(3);
    expect((await devnetPassword('send', 'devnet-1', '1', '--from', 'alice')).code).toBe(4);
    const wrongChain = ['--rpc-url', devnet.url, '--chain-id', '1', '--password-stdin'];
    const refused = await home.runWith(
      'secret',
      'send',
      'devnet-1',
      '1',
      '--from',
      'alice',
      ...wrongChain,
    );
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/WrongChain: .*serves chain 31337, not 1/);
    const after = await home.run('balance', 'alice', ...node);
    expect(after.events()[0]?.['balance']).toBe(balance.toString());
  });

  it('has a proof that an unused address holds nothing', async () => {
    expect(await verifiedBalance(`0x${'17'.repeat(32)}`)).toMatchObject({ balance: '0' });
  });

  it('uses the console from a pipe', async () => {
    const script =
      'devnet\nbalance alice\nnonce devnet-0\nwave\nsend alice 5\nnonsense\nwave 0\nexit\nwave\n';
    const argv = ['console', '--from', 'devnet-0', '--password-stdin', ...node];
    const { code, events } = await home.runWith(script, ...argv);
    expect(events().map(({ event }) => event)).toEqual([
      'balance',
      'nonce',
      'wave',
      'send_included',
      'error',
      'wave',
    ]);
    expect(code).toBe(1);
  });

  it('finds everything again after a stop and a start', async () => {
    const before = await verifiedBalance('alice');
    const { code, stderr } = await devnet.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await start();
    expect(devnet.ready).toMatchObject({ fresh: false });
    const after = await verifiedBalance('alice');
    expect(after['balance']).toBe(before['balance']);
    expect(Number(after['wave_id'])).toBeGreaterThanOrEqual(Number(before['wave_id']));
    expect(after['genesis_hash']).toBe(before['genesis_hash']);
  });

  it('is told in one sentence when the port or the folder is taken', async () => {
    const { port } = new URL(devnet.url);
    const samePort = await home.run('devnet', '--rpc-listen', `127.0.0.1:${port}`);
    expect(samePort.code).toBe(2);
    expect(samePort.stderr).toMatch(new RegExp(`^otigen \\[ERROR\\] .*${port}`));
    const sameFolder = await home.run('devnet', '--rpc-listen', '127.0.0.1:0', '--state', state);
    expect(sameFolder.code).toBe(2);
    expect(sameFolder.stderr).toMatch(/^otigen \[ERROR\] .*another process/);
    for (const { stderr } of [samePort, sameFolder]) expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('balance --verify', () => {
  let liar: LyingNode;
  beforeAll(async () => {
    liar = await lyingNode(devnet.url);
  });
  afterAll(() => liar.close());

  const verify = (...more: readonly string[]) =>
    home.run(
      'balance',
      'devnet-2',
      '--verify',
      '--rpc-url',
      liar.url,
      '--chain-id',
      '31337',
      ...more,
    );

  it('passes through a node that tells the truth', async () => {
    expect(await verify()).toMatchObject({ code: 0 });
  });

  it('ends with 1 whatever part of an answer is changed', async () => {
    const flip = (hex: string, at: number) => {
      const place = 2 + (at % (hex.length - 2));
      const digit = hex[place] === '0' ? '1' : '0';
      return hex.slice(0, place) + digit + hex.slice(place + 1);
    };
    // biome-ignore lint/suspicious/noExplicitAny: answers of any shape are bent here
    const lies: readonly (readonly [string, string, (result: any) => unknown])[] = [
      ['value', 'pyde_getProof', (r) => ({ ...r, values: [flip(r.values[0], 20)] })],
      ['absence', 'pyde_getProof', (r) => ({ ...r, values: [null] })],
      ['first sibling', 'pyde_getProof', (r) => ({ ...r, proofs: [flip(r.proofs[0], 60)] })],
      [
        'last sibling',
        'pyde_getProof',
        (r) => ({
          ...r,
          proofs: [r.proofs[0].replace(/.$/, (d: string) => (d === '0' ? '1' : '0'))],
        }),
      ],
      ['cut proof', 'pyde_getProof', (r) => ({ ...r, proofs: [r.proofs[0].slice(0, -2)] })],
      ['wave of the proof', 'pyde_getProof', (r) => ({ ...r, wave_id: '0x1' })],
      ['no proof', 'pyde_getProof', () => null],
      [
        'signature',
        'pyde_getHardFinalityCert',
        (r) => r && { ...r, signatures: [[0, flip(r.signatures[0][1], 500)]] },
      ],
      [
        'signer',
        'pyde_getHardFinalityCert',
        (r) => r && { ...r, signatures: [[1, r.signatures[0][1]]] },
      ],
      ['no signature', 'pyde_getHardFinalityCert', (r) => r && { ...r, signatures: [] }],
      [
        'signed twice',
        'pyde_getHardFinalityCert',
        (r) => r && { ...r, signatures: [r.signatures[0], r.signatures[0]] },
      ],
      [
        'record',
        'pyde_getHardFinalityCert',
        (r) => r && { ...r, commit: { ...r.commit, record: flip(r.commit.record, 300) } },
      ],
      [
        'shown root',
        'pyde_getHardFinalityCert',
        (r) =>
          r && {
            ...r,
            commit: {
              ...r.commit,
              state_root: { ...r.commit.state_root, blake3: flip(r.commit.state_root.blake3, 9) },
            },
          },
      ],
      [
        'shown wave',
        'pyde_getHardFinalityCert',
        (r) => r && { ...r, commit: { ...r.commit, wave_id: '0x1' } },
      ],
      [
        'shown time',
        'pyde_getHardFinalityCert',
        (r) => r && { ...r, commit: { ...r.commit, timestamp: '0x1' } },
      ],
      ['head that is none', 'pyde_waveId', () => 'zzz'],
      ['head in the future', 'pyde_waveId', () => '0xfffffff'],
      ['another genesis', 'pyde_getWave', (r) => ({ ...r, anchor_hash: flip(r.anchor_hash, 5) })],
      ['not an object', 'pyde_getHardFinalityCert', (r) => r && 'certified'],
    ];
    const others: Readonly<Record<string, RegExp>> = {
      'another genesis': /^otigen \[ERROR\] UnknownGenesis: /,
      'head in the future': /^otigen \[ERROR\] NoCertificate: /,
    };
    for (const [what, method, bend] of lies) {
      liar.tell((called, result) => (called === method ? bend(result) : result));
      const { code, stdout, stderr } = await verify();
      expect({ what, code, stdout }).toEqual({ what, code: 1, stdout: '' });
      expect(stderr, what).toMatch(others[what] ?? /^otigen \[ERROR\] NotVerified: /);
    }
    liar.tell((_, result) => result);
  });

  it('trusts nobody by itself, a genesis file or given keys when told to', async () => {
    const trust = join(home.path, '.pyde', 'trust', '31337.json');
    const { roots } = JSON.parse(readFileSync(trust, 'utf8'));
    const key: string = roots[0].committee[0].public_key;
    rmSync(trust);
    const nobody = await verify();
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toMatch(/NoTrustRoot/);
    expect(await verify('--trust-validator', key)).toMatchObject({ code: 0 });
    expect(existsSync(trust)).toBe(false);
    expect(await verify('--genesis', join(state, 'genesis.borsh'))).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({ code: 0 });
    rmSync(trust);
    expect(await verify('--trust-on-first-use')).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({ code: 0 });

    const [root] = roots;
    const stranger = JSON.parse(readFileSync(home.keystore, 'utf8')).accounts['devnet-0'];
    const committee = [{ address: stranger.address, public_key: stranger.pubkey }];
    writeFileSync(
      trust,
      JSON.stringify({ version: 1, chain_id: '31337', roots: [{ ...root, committee }] }),
    );
    const forged = await verify();
    expect(forged.code).toBe(1);
    expect(forged.stderr).toMatch(/NotVerified: the certificate does not hold/);
    writeFileSync(trust, '{"version":1,');
    expect(await verify()).toMatchObject({ code: 1 });
    rmSync(trust);
  });

  it('needs the chain id beside --rpc-url, so that the node does not choose it', async () => {
    const bare = await home.run('balance', 'devnet-2', '--verify', '--rpc-url', devnet.url);
    expect(bare.code).toBe(1);
    expect(bare.stderr).toMatch(/needs --chain-id/);
  });
});
