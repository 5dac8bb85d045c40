/**
 * A committee of four over three weeks of epochs, as a node tells of it over JSON-RPC: every answer is
 * made of a real chain by the code that nodes answer with.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PydeError, toHex, toQuantity } from '@pyde/core/bytes';
import { genesisCommittee, type TrustedHead } from '@pyde/core/finality';
import { encodeStateProof, stateKeyFromBytes } from '@pyde/core/state';
import { genesisHash, type HardFinalityCert, toAddress } from '@pyde/core/types';
import { RpcClient } from '@pyde/platform-node/client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { certBy, EpochChain } from '../../../core/src/finality/testing.ts';
import { certJson, waveJson } from '../../../core/src/rpc/record-json.ts';
import { addressOf } from '../../../core/src/tx/testing.ts';
import { Cli } from '../cli.ts';
import { Failure, Output } from '../output/index.ts';
import { EPOCHS_A_STRIDE } from './hand-overs.ts';
import { acceptedRoots, acceptGenesis, rememberHead, type TrustRoot } from './trust-store.ts';
import { verifiedAccount } from './verified-account.ts';

/** Three weeks of three hours. */
const EPOCHS = 168;
const address = toAddress(addressOf(1));

type Lie = (method: string, wave: bigint, result: unknown) => unknown;
const honest: Lie = (_, __, result) => result;

/** Answers from the chain, and counts what it is asked. */
class ChainClient extends RpcClient {
  readonly #chain: EpochChain;
  readonly #certs: ReadonlyMap<bigint, HardFinalityCert>;
  lie: Lie = honest;
  requests = 0;

  constructor(chain: EpochChain) {
    super('http://127.0.0.1:1');
    this.#chain = chain;
    const newest = certBy(chain.head, chain.seats[chain.head.epoch] ?? []);
    const certs = [newest, ...chain.handOvers.map(({ closing }) => closing)];
    this.#certs = new Map(certs.map((cert) => [cert.record.waveId, cert]));
  }

  override async call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    this.requests++;
    return this.#answer(method, params);
  }

  override async batch(
    calls: readonly { readonly method: string; readonly params?: readonly unknown[] }[],
  ): Promise<unknown[]> {
    expect(calls.length).toBeLessThanOrEqual(100);
    this.requests++;
    return calls.map(({ method, params = [] }) => this.#answer(method, params));
  }

  #answer(method: string, [param]: readonly unknown[]): unknown {
    const wave = typeof param === 'number' ? BigInt(param) : -1n;
    return this.lie(method, wave, this.#truth(method, wave, param));
  }

  #truth(method: string, wave: bigint, param: unknown): unknown {
    const { state, head, records } = this.#chain;
    if (method === 'pyde_waveId') return toQuantity(head.waveId);
    if (method === 'pyde_getWave') {
      const record = records[Number(wave)];
      return record === undefined ? null : waveJson(record);
    }
    if (method === 'pyde_getHardFinalityCert') {
      const cert = this.#certs.get(wave);
      return cert === undefined ? null : certJson(cert);
    }
    expect(method).toBe('pyde_getProof');
    const { keys } = param as { keys: readonly string[] };
    const key = stateKeyFromBytes(Uint8Array.from(Buffer.from(keys[0]?.slice(2) ?? '', 'hex')));
    const value = state.getAt(key, head.waveId);
    return {
      wave_id: toQuantity(head.waveId),
      values: [value === undefined ? null : toHex(value)],
      proofs: [toHex(encodeStateProof(state.prove(key, head.waveId)))],
    };
  }
}

const home = mkdtempSync(join(tmpdir(), 'otigen-trust-'));
const before = process.env['OTIGEN_HOME'];
let chain: EpochChain;
let client: ChainClient;
let cli: Cli;
const chainId = 31_337n;

beforeAll(async () => {
  process.env['OTIGEN_HOME'] = home;
  const output = { json: true, quiet: true, verbosity: 0 };
  const names = { network: undefined, keystore: undefined, config: undefined };
  cli = new Cli({ ...output, ...names }, new Output(output));
  chain = await EpochChain.start();
  await chain.epochs(EPOCHS);
}, 120_000);
afterAll(() => {
  if (before === undefined) delete process.env['OTIGEN_HOME'];
  else process.env['OTIGEN_HOME'] = before;
  rmSync(home, { recursive: true, force: true });
});
beforeEach(async () => {
  client = new ChainClient(chain);
  await acceptGenesis(cli, chain.genesis, 'the test');
});

const root = async (): Promise<TrustRoot> => {
  const [first] = await acceptedRoots(cli, chainId);
  if (first === undefined) throw new Error('a genesis is accepted');
  return first;
};
const progress: number[] = [];
async function verify(trust: TrustRoot, oldestMs = 0n) {
  progress.length = 0;
  return verifiedAccount(client, address, {
    trust,
    oldestMs,
    onProgress: (epoch) => progress.push(epoch),
    remember: (head) => rememberHead(cli, chainId, trust, head),
  });
}
async function refusal(trust?: TrustRoot): Promise<string> {
  const error = await verify(trust ?? (await root())).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Failure)) throw new Error(`not refused as it should be: ${error}`);
  return `${error.code}: ${error.message} [${error.details['check']}]`;
}
/** Bends the certificate of the wave that closed `epoch`. */
// biome-ignore lint/suspicious/noExplicitAny: answers of any shape are bent here
const ofClosing = (epoch: number, bend: (result: any) => unknown): Lie => {
  const wave = chain.handOvers[epoch]?.closing.record.waveId;
  return (method, at, result) =>
    method === 'pyde_getHardFinalityCert' && at === wave ? bend(result) : result;
};

describe('three weeks of epochs', () => {
  it('are walked in strides with progress, and the next check goes on from where it came to', async () => {
    const first = await root();
    expect(first.head.committee.epoch).toBe(0);
    const found = await verify(first);
    expect(found).toMatchObject({ exists: true, signers: [0, 1, 3] });
    expect(found.account.balance).toBe(10n ** 16n + 7n);
    expect(found.head.committee.epoch).toBe(EPOCHS);
    expect(progress).toEqual([EPOCHS_A_STRIDE, 2 * EPOCHS_A_STRIDE]);
    expect(client.requests).toBeLessThan(100);

    const next = await root();
    expect(next.head).toEqual(found.head);
    expect(next.committee).toEqual(genesisCommittee(chain.genesis));
    client.requests = 0;
    expect(await verify(next)).toEqual(found);
    expect(progress).toEqual([]);
    expect(client.requests).toBe(3);
  });

  it('are walked again from what was verified before something did not hold', async () => {
    client.lie = ofClosing(100, () => null);
    expect(await refusal()).toMatch(/^NotVerified: the way on from epoch 64 does not hold: /);
    expect((await root()).head.committee.epoch).toBe(EPOCHS_A_STRIDE);
    client.lie = honest;
    expect((await verify(await root())).head.committee.epoch).toBe(EPOCHS);
  });

  it('that a node no longer keeps are no lie of it', async () => {
    client.lie = (method, wave, result) => {
      if (method !== 'pyde_getWave' || wave > 100n) return result;
      throw new PydeError('rpc.refused', 'wave 1 is gone', { code: 'rpc.wave-pruned' });
    };
    expect(await refusal()).toMatch(/^NotKept: the node keeps no way on from epoch 0/);
  });

  it('are not walked from a head that is too old', async () => {
    const { head } = await verify(await root());
    await acceptGenesis(cli, chain.genesis, 'the test');
    const trust = await root();
    client.requests = 0;
    const later = verify(trust, trust.head.asOfMs + 1n);
    await expect(later).rejects.toMatchObject({ code: 'TrustTooOld' });
    expect(client.requests).toBe(0);
    const old: TrustedHead = { ...head, asOfMs: 1n };
    await expect(verify({ ...trust, head: old }, 2n)).rejects.toMatchObject({
      code: 'TrustTooOld',
      next: expect.stringMatching(/--trust-old-root/),
    });
  });
});

describe('a node that lies about epochs', () => {
  const flip = (hex: string, at: number) =>
    hex.slice(0, at) + (hex[at] === '0' ? '1' : '0') + hex.slice(at + 1);

  it('by a certificate that closes an epoch is found out, and the epoch is named', async () => {
    // biome-ignore lint/suspicious/noExplicitAny: answers of any shape are bent here
    const lies: readonly (readonly [(result: any) => unknown, RegExp])[] = [
      [(r) => ({ ...r, signatures: r.signatures.slice(1) }), /epoch 3 .*\[cert\.quorum\]$/],
      [
        (r) => ({
          ...r,
          signatures: r.signatures.with(0, [0, flip(r.signatures[0][1], 900)]),
        }),
        /epoch 3 .*\[cert\.signature\]$/,
      ],
      [(r) => ({ ...r, signatures: r.signatures.toReversed() }), /\[cert\.signer-order\]$/],
      [(r) => ({ ...r, commit: { record: r.commit.record } }), /epoch 3: .*\[answer\]$/],
      [(r) => ({ ...r, commit: { ...r.commit, record: flip(r.commit.record, 300) } }), /\]$/],
      [() => null, /epoch 3: the node has no certificate of it/],
      [() => 'certified', /\[answer\]$/],
    ];
    for (const [bend, expected] of lies) {
      client.lie = ofClosing(3, bend);
      const said = await refusal();
      expect(said).toMatch(/^NotVerified: /);
      expect(said).toMatch(expected);
      expect((await root()).head.committee.epoch).toBe(0);
    }
  });

  it('by the hand-over of another chain, or to a committee of its own, is found out', async () => {
    const closing = chain.handOvers[3]?.closing;
    if (closing === undefined) throw new Error('epoch 3 was closed');
    const seats = chain.seats[3] ?? [];
    const answered = (record: typeof closing.record, by = seats) =>
      ofClosing(3, () => certJson(certBy(record, by)));
    client.lie = answered({ ...closing.record, chainId: 7n });
    expect(await refusal()).toMatch(/epoch 3 .*\[cert\.chain-id\]$/);
    client.lie = answered(closing.record, [5, 6, 7, 8]);
    expect(await refusal()).toMatch(/epoch 3 .*\[cert\.signature\]$/);
    const { nextCommitteeHash } = chain.handOvers[4]?.closing.record ?? closing.record;
    client.lie = answered({ ...closing.record, nextCommitteeHash });
    expect(await refusal()).toMatch(/epoch 3 .*\[cert\.next-committee\]$/);
    const open = { ...closing.record, nextBeacon: undefined, nextCommitteeHash: undefined };
    client.lie = answered(open);
    expect(await refusal()).toMatch(/epoch 3: its record closes no epoch \[answer\]$/);
  });

  it('by the epochs of waves is found out', async () => {
    const epochs: readonly ((wave: bigint) => unknown)[] = [
      () => ({ epoch: '0x0' }),
      () => ({ epoch: '0xfffffffffff' }),
      (wave) => ({ epoch: toQuantity((wave * 7n) % 11n) }),
      () => ({ epoch: 3 }),
      () => null,
    ];
    for (const told of epochs) {
      client.requests = 0;
      client.lie = (method, wave, result) => (method === 'pyde_getWave' ? told(wave) : result);
      expect(await refusal()).toMatch(/^NotVerified: /);
      expect(client.requests).toBeLessThan(100);
    }
  });

  it('by a newest certificate of an epoch far away is found out', async () => {
    const record = { ...chain.head, epoch: chain.head.epoch + 1_000_000 } as typeof chain.head;
    const far = certJson(certBy(record, chain.seats[EPOCHS] ?? []));
    client.lie = (method, wave, result) =>
      method === 'pyde_getHardFinalityCert' && wave === chain.head.waveId ? far : result;
    expect(await refusal()).toMatch(/^NotVerified: /);
    expect(client.requests).toBeLessThan(500);
  });

  const old = () => chain.handOvers[EPOCHS - 5]?.closing.record.waveId ?? 0n;
  const behind: Lie = (method, _, result) => {
    if (method === 'pyde_getProof') return { ...(result as object), wave_id: toQuantity(old()) };
    return method === 'pyde_waveId' ? toQuantity(old()) : result;
  };

  it('by a state that is behind what was verified before is found out', async () => {
    await verify(await root());
    client.lie = behind;
    expect(await refusal()).toMatch(/^BehindTrust: .*\[head\.behind\]$/);
  });

  it('is waited for when it is only a moment behind', async () => {
    const found = await verify(await root());
    let asked = 0;
    client.lie = (method, wave, result) =>
      method === 'pyde_waveId' && asked++ < 3 ? toQuantity(old()) : honest(method, wave, result);
    expect(await verify(await root())).toEqual(found);
    expect(asked).toBe(4);
  });
});

describe('the file of trust', () => {
  const path = () => join(home, '.pyde', 'trust', `${chainId}.json`);
  // biome-ignore lint/suspicious/noExplicitAny: the file is bent at will here
  const bend = (change: (root: any) => unknown): void => {
    const file = JSON.parse(readFileSync(path(), 'utf8'));
    writeFileSync(path(), JSON.stringify({ ...file, roots: [change(file.roots[0])] }));
  };

  it('keeps the newest head of a root, and no head of keys that were given for once', async () => {
    const { head } = await verify(await root());
    const trust = await root();
    const older = { ...head, committee: { ...head.committee, epoch: 3 as never } };
    await rememberHead(cli, chainId, trust, older);
    expect((await root()).head).toEqual(head);
    await rememberHead(cli, chainId, { ...trust, genesisHash: undefined }, head);
    expect((await root()).genesisHash).toBe(toHex(genesisHash(chain.genesis)));
  });

  it('begins anew when the chain is started anew on this machine', async () => {
    await verify(await root());
    expect((await root()).head.committee.epoch).toBe(EPOCHS);
    await acceptGenesis(cli, chain.genesis, 'the test');
    expect((await root()).head.committee.epoch).toBe(0);
  });

  it('is read as it was written before there were heads', async () => {
    bend(({ as_of_ms: _, ...rest }) => rest);
    const { head } = await root();
    expect(head.committee.epoch).toBe(0);
    expect(Number(head.asOfMs)).toBeGreaterThan(Number(chain.genesis.timestampMs));
  });

  it('with seats that are no members is refused', async () => {
    await verify(await root());
    for (const seats of [[0, 1, 2, 4], [0, 0, 1, 2], [], [0.5]]) {
      bend((one) => ({ ...one, head: { ...one.head, seats } }));
      await expect(root()).rejects.toMatchObject({ code: 'CorruptTrust' });
    }
  });
});
