/**
 * Bad input to a real devnet (issue 2, "Must be shown"): each case is one clear error that says what
 * to do, changes nothing, and leaves the same process serving. Waves come only with transactions
 * here (`--tick-ms`), so that the base fee stands still between two calls.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { concatBytes, toHex } from '@pyde/core/bytes';
import { encodeTx } from '@pyde/core/tx';
import { type Tx, toNonce, toQuanta } from '@pyde/core/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressOf, registrationOf, signedBy, wireBy } from '../../../core/src/tx/testing.ts';
import { Home } from '../testing.ts';
import { type RunningDevnet, runDevnet } from './running-devnet.ts';

/** Funded and registered in `beforeAll`; the next one is funded and has no key on record. */
const NEWCOMER = 10;
const STRANGER = 11;
const ACCOUNTS = [0, 1, NEWCOMER, STRANGER];
const FUNDS = toQuanta(10n ** 9n);
const TRANSFER_GAS = 21_000n;
const DATA_COUNT_AT = 32 + 32 + 16;
const SERVER_ERROR = -32_000;
const INVALID_REQUEST = -32_600;
const BAD_PARAMS = -32_602;

interface Answer<T = unknown> {
  readonly result?: T;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: { readonly code: string };
  };
}

interface Receipt {
  readonly status: string;
  readonly fee_paid: string;
}

const home = new Home();
let devnet: RunningDevnet;
let before: unknown;

beforeAll(async () => {
  devnet = await runDevnet(home, '--tick-ms', '60000');
  await devnet.event('devnet_wallets_imported');
  await executed(transfer(0, { to: addressOf(NEWCOMER), value: FUNDS }));
  await executed(encodeTx(registrationOf(NEWCOMER)));
  // Leaves nonce 1 free: the window of devnet-0 begins there, and 2 is used.
  await executed(transfer(0, { to: addressOf(STRANGER), value: FUNDS, nonce: toNonce(2n) }));
  before = await standing();
});
afterAll(async () => {
  await devnet.stop();
  home.remove();
});

async function post<T>(body: string): Promise<Answer<T>> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(devnet.url, { method: 'POST', headers, body });
  expect(response.status).toBe(200);
  return JSON.parse(await response.text());
}

const request = (method: string, params: readonly unknown[] = []) => ({
  ...{ jsonrpc: '2.0', id: 1, method, params },
});

const ask = <T>(method: string, params: readonly unknown[] = []): Promise<Answer<T>> =>
  post(JSON.stringify(request(method, params)));

const send = (wire: Uint8Array): Promise<Answer> => ask('pyde_sendRawTransaction', [toHex(wire)]);

async function quantity(method: string, params: readonly unknown[] = []): Promise<bigint> {
  return BigInt(String((await ask(method, params)).result));
}

const balanceOf = (account: number) => quantity('pyde_getBalance', [toHex(addressOf(account))]);

const transfer = (from: number, fields: Partial<Tx> = {}): Uint8Array =>
  wireBy(from, { to: addressOf(1), value: toQuanta(1n), ...fields });

/** From devnet-0 with its next nonce: what it would take to be executed. */
const good = (fields: Partial<Tx> = {}): Uint8Array =>
  transfer(0, { nonce: toNonce(1n), ...fields });

async function executed(wire: Uint8Array): Promise<Receipt> {
  const { result: hash, error } = await send(wire);
  expect(error).toBeUndefined();
  for (let i = 0; i < 200; i++) {
    const { result } = await ask<Receipt | null>('pyde_getTransactionReceipt', [hash]);
    if (result) {
      expect(result.status).toBe('success');
      return result;
    }
    await sleep(25);
  }
  throw new Error(`${String(hash)} got no receipt`);
}

/** All that bad input could change: accounts, and what waits to be executed. */
async function standing(): Promise<unknown> {
  const accounts = ACCOUNTS.map((i) => ask('pyde_getAccount', [toHex(addressOf(i))]));
  const { result } = await ask<Record<string, number>>('pyde_getMetrics');
  expect(result).toMatchObject({
    ...{ transactions_pending: 0, transactions_in_check: 0, pool_bytes: 0 },
  });
  return Promise.all(accounts);
}

async function expectRefused(
  answer: Promise<Answer>,
  code: number,
  reason: string,
  advice: RegExp,
): Promise<void> {
  const { error, ...rest } = await answer;
  expect({ code: error?.code, reason: error?.data.code }).toEqual({ code, reason });
  expect(error?.message).toMatch(advice);
  expect(error?.message).not.toMatch(/\n|\bat .*\.[jt]s:/);
  expect(rest).not.toHaveProperty('result');
  expect(await standing()).toEqual(before);
}

describe('a transaction that no node takes', () => {
  const withDataCount = (count: number): Uint8Array => {
    const wire = good();
    new DataView(wire.buffer, wire.byteOffset).setUint32(DATA_COUNT_AT, count, true);
    return wire;
  };
  const forged = (): Uint8Array =>
    encodeTx({ ...signedBy(0, { nonce: toNonce(1n) }), value: FUNDS });

  const cases: readonly (readonly [string, () => Uint8Array, string, RegExp])[] = [
    ['truncated', () => good().subarray(0, -1), 'borsh.truncated', /send exactly the bytes/],
    ['empty', () => new Uint8Array(0), 'borsh.truncated', /send exactly the bytes/],
    [
      'with a trailing byte',
      () => concatBytes(good(), Uint8Array.of(0)),
      'borsh.trailing-bytes',
      /send exactly the bytes/,
    ],
    ['over-counted', () => withDataCount(0xffff_ffff), 'borsh.count', /send exactly the bytes/],
    ['oversized', () => new Uint8Array(128 * 1024 + 1), 'tx.size', /send less data/],
    [
      'with too much data',
      () => good({ data: new Uint8Array(64 * 1024 + 1) }),
      'tx.calldata',
      /split it/,
    ],
    ['for another chain', () => good({ chainId: 1n }), 'tx.chain-id', /sign it again/],
    ['with a bad signature', forged, 'tx.signature', /sign the transaction's hash again/],
    [
      'signed by an unknown key',
      () => encodeTx({ ...signedBy(1, { nonce: toNonce(1n) }), from: addressOf(0) }),
      'tx.signature',
      /with the key that is on record/,
    ],
    [
      'of an account whose key is unknown',
      () => transfer(STRANGER),
      'account.unregistered',
      /send a RegisterPubkey/,
    ],
    [
      'with a past nonce',
      () => good({ nonce: toNonce(0n) }),
      'account.nonce-past',
      /sign with an unused one of \[1, 16\]/,
    ],
    [
      'with a used nonce',
      () => good({ nonce: toNonce(2n) }),
      'account.nonce-used',
      /sign with an unused one of \[1, 16\]/,
    ],
    [
      'with a far nonce',
      () => good({ nonce: toNonce(17n) }),
      'account.nonce-far',
      /use the nonces below it first/,
    ],
    ['with 20,999 gas', () => good({ gasLimit: 20_999n }), 'tx.gas-limit', /raise it/],
  ];
  for (const [what, wire, reason, advice] of cases) {
    it(what, () => expectRefused(send(wire()), SERVER_ERROR, reason, advice));
  }

  it('short of one quantum', async () => {
    const fee = TRANSFER_GAS * (await quantity('pyde_getBaseFee'));
    const all = {
      from: addressOf(NEWCOMER),
      nonce: toNonce(1n),
      value: toQuanta(FUNDS - fee + 1n),
    };
    const sent = send(transfer(NEWCOMER, all));
    await expectRefused(
      sent,
      SERVER_ERROR,
      'account.balance',
      /has 1000000000 quanta where 1000000001 are needed.*fund it, or send less/,
    );
  });

  it('as hex of no length that a transaction has', async () => {
    const huge = ask('pyde_sendRawTransaction', [`0x${'00'.repeat(2 * 1024 * 1024)}`]);
    await expectRefused(huge, BAD_PARAMS, 'rpc.params', /at most \d+ fit/);
    const odd = ask('pyde_sendRawTransaction', ['0x123']);
    await expectRefused(odd, BAD_PARAMS, 'rpc.params', /0x followed by pairs of digits/);
  });
});

describe('a request that no node reads', () => {
  it('of 10 MiB of JSON', async () => {
    const huge = JSON.stringify(request('pyde_chainId', ['x'.repeat(10 * 1024 * 1024)]));
    await expectRefused(
      post(huge),
      INVALID_REQUEST,
      'rpc.too-large',
      /split the batch or send less/,
    );
  });

  it('nested 10,000 deep', async () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    await expectRefused(post(deep), INVALID_REQUEST, 'rpc.too-deep', /nests at most 32/);
  });

  it('that is a batch of 10,000 calls, of which not even the first runs', async () => {
    const calls: object[] = [request('pyde_sendRawTransaction', [toHex(good())])];
    while (calls.length < 10_000) calls.push(request('pyde_chainId'));
    const answer = post(JSON.stringify(calls));
    await expectRefused(answer, INVALID_REQUEST, 'rpc.batch-size', /1 to 100 calls.*split it/);
  });
});

describe('a command line that cannot do its work', () => {
  const sendArgs = () => [
    ...['send', 'devnet-1', '1', '--from', 'devnet-0', '--password-stdin'],
    ...['--rpc-url', devnet.url, '--chain-id', '31337'],
  ];
  const lines = (stderr: string) => stderr.trimEnd().split('\n');

  it('for a wrong password', async () => {
    const { code, stdout, stderr } = await home.runWith('wrong', ...sendArgs());
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(lines(stderr)[0]).toMatch(/^otigen \[ERROR\] WrongPassword: .*"devnet-0"/);
    expect(lines(stderr)[1]).toMatch(/^ +next: /);
    expect(await standing()).toEqual(before);
  });

  it('for a corrupt keystore, which it leaves as it is', async () => {
    const intact = readFileSync(home.keystore, 'utf8');
    const corrupt = new Home();
    mkdirSync(dirname(corrupt.keystore), { recursive: true });
    writeFileSync(corrupt.keystore, intact.slice(0, intact.length / 2));
    const { code, stdout, stderr } = await corrupt.runWith('devnet', ...sendArgs());
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(lines(stderr)[0]).toMatch(/^otigen \[ERROR\] \w+: .*keystore/);
    expect(stderr).toMatch(/\n +next: /);
    expect(readFileSync(corrupt.keystore, 'utf8')).toBe(intact.slice(0, intact.length / 2));
    corrupt.remove();
    expect(await standing()).toEqual(before);
  });

  it('for a port that is taken', async () => {
    const { host, port } = new URL(devnet.url);
    const { code, stdout, stderr } = await home.run('devnet', '--rpc-listen', host);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(lines(stderr)[0]).toMatch(
      new RegExp(`^otigen \\[ERROR\\] server.port-taken: .*${port} is taken.*choose another port`),
    );
    expect(await standing()).toEqual(before);
  });
});

it('after all of it the same process executes a transfer, exact to the quantum, and stops cleanly', async () => {
  const [ours, theirs] = [await balanceOf(0), await balanceOf(1)];
  const { fee_paid } = await executed(good({ value: FUNDS }));
  expect(await balanceOf(0)).toBe(ours - FUNDS - BigInt(fee_paid));
  expect(await balanceOf(1)).toBe(theirs + FUNDS);
  expect(devnet.process.exitCode).toBeNull();
  expect(await devnet.stop()).toEqual({ code: 0, stderr: '' });
});
