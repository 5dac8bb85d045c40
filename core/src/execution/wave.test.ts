import { beforeEach, describe, expect, it } from 'vitest';
import {
  authKeysHash,
  encodeAccount,
  REWARD_POOL_ADDRESS,
  readAccount,
  readAuthKeysOf,
  TREASURY_ADDRESS,
  ZERO_ACCOUNT,
} from '../account/index.ts';
import { concatBytes, toHex } from '../bytes/index.ts';
import { Overlay, StateStore } from '../state/index.ts';
import {
  encodeGasTankDeposit,
  encodeGasTankWithdraw,
  encodeRotateKeys,
  encodeTx,
  merkleListRoot,
  txHash,
} from '../tx/index.ts';
import {
  addressOf,
  publicKeyOf,
  registrationOf,
  signatureOf,
  signedBy,
  signedByAll,
  txOf,
  wireBy,
} from '../tx/testing.ts';
import { type Address, TX_TYPE, toNonce, toQuanta, waveDigest, ZERO_HASH } from '../types/index.ts';
import { currentBaseFee, isRetryable, readFeeState, type WaveResult } from './index.ts';
import { runOperation } from './operation.ts';
import { DEVNET_BALANCE, DEVNET_PARAMETERS, TestChain, testGenesis } from './testing.ts';

const FEE = 2_100_000n;
const PAID_100 = toQuanta(100n);

let chain: TestChain;
beforeEach(async () => {
  chain = await TestChain.start();
});

const account = (i: number) => readAccount(chain.state, addressOf(i));
const keysOf = (i: number) => readAuthKeysOf(chain.state, addressOf(i), account(i));
const reasons = (wave: WaveResult) => wave.passedOver.map(({ reason }) => reason);
const statuses = (wave: WaveResult) => wave.executed.map(({ receipt }) => receipt.status);
const nonce = (value: number) => toNonce(BigInt(value));
const transfer = (i: number, to: number, value: bigint, n = 0): Uint8Array =>
  wireBy(i, { to: addressOf(to), value: toQuanta(value), nonce: nonce(n) });
const depositTo = (target: Address, amount: bigint) => ({
  type: TX_TYPE.gasTankDeposit,
  data: encodeGasTankDeposit({ target, amount: toQuanta(amount) }),
});
const withdrawFrom = (target: Address, amount: bigint, recipient: Address) => ({
  type: TX_TYPE.gasTankWithdraw,
  data: encodeGasTankWithdraw({ target, amount: toQuanta(amount), recipient }),
});
const rotateTo = (i: number) => ({
  type: TX_TYPE.rotateKeys,
  data: encodeRotateKeys({ kind: 'single', key: publicKeyOf(i) }),
});

describe('a transfer', () => {
  it('moves value, creates its recipient, uses its nonce and pays its fee', async () => {
    const wave = await chain.wave([transfer(0, 7, 5n)]);
    expect(reasons(wave)).toEqual([]);
    expect(account(0).balance).toBe(DEVNET_BALANCE - 5n - FEE);
    expect(account(0).nonceBase).toBe(1n);
    expect(account(7)).toEqual({ ...ZERO_ACCOUNT, balance: 5n });
    expect(wave.executed[0]?.receipt).toMatchObject({
      waveId: 1n,
      txIndex: 0,
      status: 'success',
      gasUsed: 21_000n,
      feePaid: FEE,
      eventCount: 0,
      revertReason: undefined,
    });
  });

  it('splits its fee between burn, reward pool and treasury', async () => {
    await chain.wave([transfer(0, 7, 5n)]);
    expect(readFeeState(chain.state).burned).toBe(1_470_000n);
    expect(readAccount(chain.state, REWARD_POOL_ADDRESS).balance).toBe(420_000n);
    expect(readAccount(chain.state, TREASURY_ADDRESS).balance).toBe(210_000n);
  });

  it('may carry data to an account without code, and pays for gas used, not for the limit', async () => {
    const wire = wireBy(0, {
      to: addressOf(1),
      value: PAID_100,
      data: new Uint8Array(1000),
      gasLimit: 9_000_000n,
    });
    const wave = await chain.wave([wire]);
    expect(wave.executed[0]?.receipt.feePaid).toBe(FEE);
    expect(account(0).balance).toBe(DEVNET_BALANCE - 100n - FEE);
  });

  it('to oneself costs the fee', async () => {
    await chain.wave([transfer(0, 0, 1000n)]);
    expect(account(0).balance).toBe(DEVNET_BALANCE - FEE);
  });

  it('to the treasury adds to what fees bring it in the same wave', async () => {
    await chain.wave([wireBy(0, { to: TREASURY_ADDRESS, value: PAID_100 })]);
    expect(readAccount(chain.state, TREASURY_ADDRESS)).toMatchObject({
      balance: 210_100n,
      accountType: 'system',
    });
  });

  it('runs on exactly what it needs, and is passed over one quantum below', async () => {
    const exact = DEVNET_BALANCE - FEE;
    expect(reasons(chain.execute([transfer(0, 7, exact + 1n)]))).toEqual(['account.balance']);
    await chain.wave([transfer(0, 7, exact)]);
    expect(account(0).balance).toBe(0n);
  });

  it('may spend what an earlier one of the wave brought', async () => {
    const first = transfer(0, 7, 10n * FEE);
    const spend = wireBy(7, { to: addressOf(8), value: toQuanta(FEE), nonce: nonce(1) });
    const wave = await chain.wave([first, encodeTx(registrationOf(7)), spend]);
    expect(statuses(wave)).toEqual(['success', 'success', 'success']);
    expect(account(8).balance).toBe(FEE);
  });
});

describe('what breaks a rule is passed over and leaves no trace', () => {
  it('whatever its bytes are', async () => {
    const good = transfer(0, 1, 1n);
    const bad: [Uint8Array, string][] = [
      [new Uint8Array(0), 'borsh.truncated'],
      [new Uint8Array(500), 'borsh.trailing-bytes'],
      [good.subarray(0, 200), 'borsh.truncated'],
      [concatBytes(good, Uint8Array.of(0)), 'borsh.trailing-bytes'],
      [concatBytes(good.subarray(0, -1), Uint8Array.of(2)), 'tx.type'],
      [new Uint8Array(200_000), 'tx.size'],
      [wireBy(0, { chainId: 1n }), 'tx.chain-id'],
      [wireBy(0, { gasLimit: 20_999n }), 'tx.gas-limit'],
      [wireBy(0, { gasLimit: 400_000_001n }), 'tx.gas-ceiling'],
      [wireBy(0, { type: TX_TYPE.deploy }), 'tx.not-served'],
      [wireBy(0, { feePayer: { kind: 'gas-tank' } }), 'tx.fee-payer'],
      [wireBy(0, { deadline: 0n }), 'tx.expired'],
      [wireBy(0, { nonce: nonce(16) }), 'account.nonce-far'],
      [wireBy(7, {}), 'account.balance'],
      [encodeTx({ ...signedBy(1), from: addressOf(0) }), 'tx.signature'],
      [encodeTx(txOf()), 'account.signature-form'],
      [encodeTx(registrationOf(0)), 'account.registered'],
      [encodeTx(registrationOf(7)), 'account.unfunded'],
      [wireBy(0, withdrawFrom(addressOf(1), 1n, addressOf(0))), 'tx.not-owner'],
    ];
    const untouched = chain.execute([]).record.stateRoot;
    const wave = chain.execute(bad.map(([bytes]) => bytes));
    expect(reasons(wave)).toEqual(bad.map(([, reason]) => reason));
    expect(wave.passedOver.map(({ index }) => index)).toEqual(bad.map((_, i) => i));
    expect(wave.executed).toEqual([]);
    expect(wave.record.stateRoot).toEqual(untouched);
    const only = chain.execute([good]);
    const among = chain.execute([...bad.map(([bytes]) => bytes), good]);
    expect(among.digest).toEqual(only.digest);
  });

  it('for good, but for a far nonce and a full wave', () => {
    expect(isRetryable('wave.gas-ceiling') && isRetryable('account.nonce-far')).toBe(true);
    for (const reason of ['account.balance', 'tx.signature', 'tx.expired', 'account.nonce-used']) {
      expect(isRetryable(reason)).toBe(false);
    }
  });

  it('names the hash of whatever decodes', () => {
    const tx = signedBy(0, { chainId: 1n });
    const wave = chain.execute([Uint8Array.of(1), encodeTx(tx)]);
    expect(wave.passedOver.map(({ hash }) => hash)).toEqual([undefined, txHash(tx)]);
  });

  it('when it was executed before, in this wave or another', async () => {
    const wire = transfer(0, 1, 1n);
    const wave = await chain.wave([wire, wire]);
    expect([statuses(wave), reasons(wave)]).toEqual([['success'], ['tx.already-executed']]);
    expect(reasons(await chain.wave([wire]))).toEqual(['tx.already-executed']);
    expect(reasons(await chain.wave([transfer(0, 1, 2n)]))).toEqual(['account.nonce-past']);
    expect(account(0).balance).toBe(DEVNET_BALANCE - 1n - FEE);
  });

  it('when its nonce was used by another', async () => {
    const wave = await chain.wave([transfer(0, 1, 1n, 3), transfer(0, 1, 2n, 3)]);
    expect([statuses(wave), reasons(wave)]).toEqual([['success'], ['account.nonce-used']]);
  });

  it('after the wave of its deadline, not in it', async () => {
    const wire = wireBy(0, { deadline: 2n });
    expect(reasons(chain.execute([wire]))).toEqual([]);
    await chain.wave([]);
    expect(reasons(chain.execute([wire]))).toEqual([]);
    await chain.wave([]);
    expect(reasons(chain.execute([wire]))).toEqual(['tx.expired']);
  });

  it('when a wrong copy of it comes first, and the right one still runs', async () => {
    const right = signedBy(0, { to: addressOf(1), value: PAID_100 });
    const wrong = { ...right, signature: signatureOf(1, txHash(right)) };
    const wave = await chain.wave([encodeTx(wrong), encodeTx(right)]);
    expect([reasons(wave), statuses(wave)]).toEqual([['tx.signature'], ['success']]);
  });
});

describe('nonces', () => {
  it('run in any order inside the window, and the window slides inside a wave', async () => {
    const order = [15, 3, 0, 1, 2, 16, 19];
    const wave = await chain.wave(order.map((n) => transfer(0, 1, 1n, n)));
    expect(statuses(wave)).toEqual(order.map(() => 'success'));
    expect(account(0)).toMatchObject({ nonceBase: 4n, nonceUsed: 0b1001_1000_0000_0000 });
  });
});

describe('the gas of a wave', () => {
  it('is held to the ceiling, and what is over it may come again', async () => {
    const parameters = { ...DEVNET_PARAMETERS, waveGasCeiling: 50_000n };
    chain = await TestChain.start(testGenesis({ parameters }));
    const wires = [0, 1, 2].map((i) => wireBy(i, { to: addressOf(7), value: PAID_100 }));
    const first = await chain.wave(wires);
    expect([statuses(first).length, reasons(first)]).toEqual([2, ['wave.gas-ceiling']]);
    expect(first.record.gasUsed).toBe(42_000n);
    expect(statuses(await chain.wave(wires.slice(2)))).toEqual(['success']);
  });

  it('is not taken by a gas limit that will not be used', async () => {
    const wires = [0, 1, 2].map((i) => wireBy(i, { gasLimit: 400_000_000n }));
    expect(statuses(await chain.wave(wires))).toEqual(['success', 'success', 'success']);
  });
});

describe('a RegisterPubkey', () => {
  it('puts the key on record, free of charge, once', async () => {
    await chain.wave([transfer(0, 7, 1n)]);
    const wave = await chain.wave([encodeTx(registrationOf(7)), encodeTx(registrationOf(7, 1n))]);
    expect([statuses(wave), reasons(wave)]).toEqual([['success'], ['account.registered']]);
    expect(wave.executed[0]?.receipt).toMatchObject({ gasUsed: 0n, feePaid: 0n });
    expect(account(7)).toEqual({
      ...ZERO_ACCOUNT,
      nonceBase: 1n,
      balance: 1n,
      authKeysHash: authKeysHash({ kind: 'single', key: publicKeyOf(7) }),
    });
    expect(keysOf(7)).toEqual({ kind: 'single', key: publicKeyOf(7) });
    expect(wave.record.gasUsed).toBe(0n);
  });

  it('comes before anything that the account signs', async () => {
    await chain.wave([transfer(0, 7, 10n * FEE)]);
    const early = transfer(7, 0, 1n, 1);
    const wave = await chain.wave([early, encodeTx(registrationOf(7)), early]);
    expect([statuses(wave), reasons(wave)]).toEqual([
      ['success', 'success'],
      ['account.unregistered'],
    ]);
  });
});

describe('a RotateKeys', () => {
  it('hands the account over at once: the old key signs nothing after it, in the same wave', async () => {
    const old = transfer(0, 7, 1n, 1);
    const renewed = txOf({
      from: addressOf(0),
      to: addressOf(8),
      value: PAID_100,
      nonce: nonce(2),
    });
    const signed = encodeTx({ ...renewed, signature: signatureOf(5, txHash(renewed)) });
    const wave = await chain.wave([signed, wireBy(0, rotateTo(5)), old, signed]);
    expect(reasons(wave)).toEqual(['tx.signature', 'tx.signature']);
    expect(statuses(wave)).toEqual(['success', 'success']);
    expect(account(0).keyNonce).toBe(1);
    expect(keysOf(0)).toEqual({ kind: 'single', key: publicKeyOf(5) });
    expect(account(7)).toEqual(ZERO_ACCOUNT);
    expect(account(8).balance).toBe(100n);
  });

  it('makes an account of several keys, which signs with its threshold', async () => {
    const keys = [publicKeyOf(1), publicKeyOf(2), publicKeyOf(3)];
    const data = encodeRotateKeys({ kind: 'multisig', keys, threshold: 2 });
    await chain.wave([wireBy(0, { type: TX_TYPE.rotateKeys, data })]);
    const fields = { to: addressOf(7), value: PAID_100, nonce: nonce(1) };
    const signers = (...pairs: [number, number][]) =>
      encodeTx(
        signedByAll(
          pairs.map(([place, key]) => ({ place, key })),
          fields,
        ),
      );
    const wrong = chain.execute([
      transfer(0, 7, 100n, 1),
      signers([0, 1]),
      signers([0, 1], [1, 1]),
      signers([0, 1], [1, 2], [2, 4]),
      signers([0, 1], [3, 4]),
    ]);
    expect(reasons(wrong)).toEqual([
      'account.signature-form',
      'account.signature-threshold',
      'tx.signature',
      'tx.signature',
      'account.signature-form',
    ]);
    expect(statuses(chain.execute([signers([0, 1], [1, 2], [2, 3])]))).toEqual(['success']);
    expect(statuses(await chain.wave([signers([0, 1], [2, 3])]))).toEqual(['success']);
    expect(account(7).balance).toBe(100n);
  });

  it('is reverted where the record cannot count further', () => {
    const overlay = new Overlay(chain.state);
    const full = { ...account(0), keyNonce: 0xffff_ffff };
    overlay.set({ kind: 0, owner: addressOf(0), slot: new Uint8Array(32) }, encodeAccount(full));
    const outcome = runOperation(signedBy(0, rotateTo(5)), overlay);
    expect(outcome).toMatchObject({ status: 'reverted', gasUsed: 21_000n });
    expect(readAccount(overlay, addressOf(0))).toEqual(full);
  });
});

describe('a gas tank', () => {
  it('is filled by anyone and emptied by its owner', async () => {
    const wave = await chain.wave([
      wireBy(0, depositTo(addressOf(1), 500n)),
      wireBy(1, withdrawFrom(addressOf(1), 200n, addressOf(7))),
    ]);
    expect(statuses(wave)).toEqual(['success', 'success']);
    expect(account(0)).toMatchObject({ balance: DEVNET_BALANCE - 500n - FEE, gasTank: 0n });
    expect(account(1)).toMatchObject({ balance: DEVNET_BALANCE - FEE, gasTank: 300n });
    expect(account(7).balance).toBe(200n);
  });

  it('takes no deposit that the balance does not hold with the fee', async () => {
    const most = DEVNET_BALANCE - FEE;
    const wave = await chain.wave([wireBy(0, depositTo(addressOf(0), most + 1n))]);
    expect(reasons(wave)).toEqual(['account.balance']);
    expect(statuses(await chain.wave([wireBy(0, depositTo(addressOf(0), most - FEE))]))).toEqual([
      'success',
    ]);
  });

  it('gives no more than it holds: reverted, nonce used, fee paid, nothing else changed', async () => {
    const wave = await chain.wave([wireBy(1, withdrawFrom(addressOf(1), 1n, addressOf(7)))]);
    expect(wave.executed[0]?.receipt).toMatchObject({
      status: 'reverted',
      feePaid: FEE,
      revertReason: { category: 'EngineValidation' },
    });
    expect(account(1)).toMatchObject({ balance: DEVNET_BALANCE - FEE, nonceBase: 1n });
    expect(account(7)).toEqual(ZERO_ACCOUNT);
  });
});

describe('the record of a wave', () => {
  it('names what it follows, what it executed and the state it leaves', async () => {
    const genesis = chain.head;
    const wave = await chain.wave([transfer(0, 1, 1n), transfer(1, 2, 1n)]);
    expect(wave.record).toMatchObject({
      waveId: 1n,
      prevDigest: genesis.digest,
      stateRoot: chain.state.root,
      eventsRoot: ZERO_HASH,
      txCount: 2,
      gasUsed: 42_000n,
      baseFee: 100n,
    });
    expect(wave.digest).toEqual(waveDigest(wave.record));
    expect(toHex(wave.record.txRoot)).not.toBe(toHex(merkleListRoot([])));
    expect((await chain.wave([])).record).toMatchObject({
      prevDigest: wave.digest,
      txRoot: ZERO_HASH,
    });
  });

  it('charges the base fee that the wave before left, and moves it', async () => {
    const first = await chain.wave([], 1000n);
    expect(first.record.baseFee).toBe(100n);
    expect(currentBaseFee(chain.state)).toBe(88n);
    const second = await chain.wave([transfer(0, 1, 1n)], 1000n);
    expect(second.record.baseFee).toBe(88n);
    expect(second.executed[0]?.receipt.feePaid).toBe(21_000n * 88n);
  });

  it('is the same whoever computes it', async () => {
    const other = await TestChain.start();
    const wires = [transfer(0, 7, 5n), encodeTx(registrationOf(7)), wireBy(2, rotateTo(5))];
    expect((await other.wave(wires)).digest).toEqual((await chain.wave(wires)).digest);
    expect(other.state.root).toEqual(chain.state.root);
  });

  it('asks that time moves on', () => {
    expect(() => chain.execute([], 0n)).toThrow('timestamps increase');
  });
});

describe('a damaged store', () => {
  it('stops the wave and never looks like a transaction that breaks a rule', async () => {
    const key = concatBytes(Uint8Array.of(1, 0), addressOf(1), new Uint8Array(32));
    const record = chain.store.get(key);
    if (record === undefined) throw new Error('account 1 lies in the flat table');
    const damaged = record.map((byte, i) => (i === 20 ? byte ^ 1 : byte));
    await chain.store.batch([{ kind: 'put', key, value: damaged }]);
    const reopened = StateStore.open(chain.store);
    const execute = () => chain.execute([transfer(0, 1, 1n)], undefined, reopened);
    expect(execute).toThrow('damaged');
  });
});
