import { beforeEach, describe, expect, it } from 'vitest';
import { PydeError } from '../bytes/index.ts';
import { falconVerifyBatch } from '../crypto/index.ts';
import { currentBaseFee, type WaveResult } from '../execution/index.ts';
import { DEVNET_BALANCE, DEVNET_PARAMETERS, TestChain } from '../execution/testing.ts';
import {
  encodeGasTankDeposit,
  encodeGasTankWithdraw,
  encodeRotateKeys,
  encodeTx,
  txHash,
} from '../tx/index.ts';
import {
  addressOf,
  DEVNET_CHAIN_ID,
  publicKeyOf,
  registrationOf,
  signatureOf,
  signedBy,
  txOf,
} from '../tx/testing.ts';
import { TX_TYPE, type Tx, toNonce, toQuanta } from '../types/index.ts';
import { Mempool, type MempoolLimits, type MempoolView } from './index.ts';

const FEE = 2_100_000n;

let chain: TestChain;
let pool: Mempool;
let nowMs = 0;

const poolOf = (limits: MempoolLimits = {}): Mempool =>
  new Mempool({ chainId: DEVNET_CHAIN_ID, parameters: DEVNET_PARAMETERS, limits });

beforeEach(async () => {
  chain = await TestChain.start();
  pool = poolOf();
  nowMs = 0;
});

const view = (): MempoolView => ({
  state: chain.state,
  waveId: chain.head.record.waveId,
  baseFee: currentBaseFee(chain.state),
});

/** Both halves of admission, with the real check between them. */
function admit(tx: Tx | Uint8Array): string {
  const bytes = tx instanceof Uint8Array ? tx : encodeTx(tx);
  try {
    const start = pool.admit(bytes, view(), nowMs);
    if (start.kind === 'known') return 'known';
    const valid = falconVerifyBatch(start.admission.checks).every((verdict) => verdict);
    pool.complete(start.admission, valid, view(), nowMs);
    return 'admitted';
  } catch (error) {
    if (error instanceof PydeError) return error.code;
    throw error;
  }
}

/** As `admit`, of a transaction whose home is another member. */
function admitForwarded(tx: Tx, place: 'forwarded' | 'heard' = 'forwarded'): void {
  const start = pool.admit(encodeTx(tx), view(), nowMs);
  if (start.kind === 'known') throw new Error('known already');
  pool.complete(start.admission, true, view(), nowMs, place);
}

/** Executes what the pool hands out, or the given bytes, and tells the pool. */
async function wave(transactions = pool.takeBatch()): Promise<WaveResult> {
  const result = await chain.wave(transactions);
  pool.onWave(result, view());
  return result;
}

const n = (value: number) => toNonce(BigInt(value));
const transfer = (i: number, nonce = 0, fields: Partial<Tx> = {}): Tx =>
  signedBy(i, { to: addressOf(7), value: toQuanta(1n), nonce: n(nonce), ...fields });

describe('admission', () => {
  it('takes a transfer, and answers the same hash when it comes again', () => {
    const tx = transfer(0);
    expect(admit(tx)).toBe('admitted');
    expect(admit(tx)).toBe('known');
    expect([pool.size, pool.bytes]).toEqual([1, encodeTx(tx).length]);
    expect(pool.statusOf(txHash(tx))).toEqual({ state: 'pending' });
    expect(pool.pendingTransaction(txHash(tx))).toEqual(tx);
  });

  it('answers with its hash what was executed already', async () => {
    const tx = transfer(0);
    admit(tx);
    await wave();
    expect(pool.size).toBe(0);
    expect(pool.statusOf(txHash(tx))).toBeUndefined();
    expect(admit(tx)).toBe('known');
  });

  it('refuses what breaks a rule, naming it', () => {
    const bad: [Tx | Uint8Array, string][] = [
      [new Uint8Array(3), 'borsh.truncated'],
      [new Uint8Array(200_000), 'tx.size'],
      [transfer(0, 0, { chainId: 1n }), 'tx.chain-id'],
      [transfer(0, 0, { gasLimit: 20_999n }), 'tx.gas-limit'],
      [transfer(0, 16), 'account.nonce-far'],
      [transfer(0, 0, { deadline: 0n }), 'tx.expired'],
      [transfer(0, 0, { value: toQuanta(DEVNET_BALANCE - FEE + 1n) }), 'account.balance'],
      [{ ...transfer(0), signature: transfer(1).signature }, 'tx.signature'],
      [txOf({ signature: new Uint8Array(5) }), 'account.signature-form'],
      [transfer(7), 'account.balance'],
      [registrationOf(7), 'account.unfunded'],
      [registrationOf(0), 'account.registered'],
      [transfer(0, 0, { type: TX_TYPE.deploy }), 'tx.recipient'],
    ];
    for (const [tx, code] of bad) expect(admit(tx)).toBe(code);
    expect(pool.size).toBe(0);
    expect(admit(transfer(0, 0, { value: toQuanta(DEVNET_BALANCE - FEE), deadline: 1n }))).toBe(
      'admitted',
    );
  });

  it('refuses used and past nonces', async () => {
    await wave([encodeTx(transfer(0, 0)), encodeTx(transfer(0, 2))]);
    expect(admit(transfer(0, 0, { value: toQuanta(2n) }))).toBe('account.nonce-past');
    expect(admit(transfer(0, 2, { value: toQuanta(2n) }))).toBe('account.nonce-used');
    expect(admit(transfer(0, 1))).toBe('admitted');
  });

  it('takes one transaction a nonce and sixteen a sender, pending ones counted', () => {
    for (let i = 0; i < 16; i++) expect(admit(transfer(0, i))).toBe('admitted');
    expect(admit(transfer(0, 3, { value: toQuanta(2n) }))).toBe('mempool.sender-full');
    expect(admit(transfer(1, 3))).toBe('admitted');
    expect(admit(transfer(1, 3, { value: toQuanta(2n) }))).toBe('mempool.nonce-pending');
  });

  it('counts as pending no nonce that the state has used, before it is told of the wave', async () => {
    for (let i = 0; i < 16; i++) expect(admit(transfer(0, i))).toBe('admitted');
    const result = await chain.wave(pool.takeBatch());
    expect(result.executed).toHaveLength(16);
    const all = toQuanta(DEVNET_BALANCE - 17n * FEE - 16n);
    expect(admit(transfer(0, 16, { value: all }))).toBe('admitted');
    pool.onWave(result, view());
    expect(pool.size).toBe(1);
  });

  it('counts everything pending of the payer against its balance', () => {
    const half = toQuanta(DEVNET_BALANCE / 2n - FEE);
    expect(admit(transfer(0, 0, { value: half }))).toBe('admitted');
    const data = encodeGasTankDeposit({ target: addressOf(1), amount: half });
    const deposit = { to: txOf().to, value: toQuanta(0n), type: TX_TYPE.gasTankDeposit, data };
    expect(admit(transfer(0, 1, { value: toQuanta(half + 1n) }))).toBe('account.balance');
    expect(admit(transfer(0, 1, deposit))).toBe('admitted');
    expect(admit(transfer(0, 2, { value: toQuanta(0n) }))).toBe('account.balance');
    expect(admit(transfer(1, 0))).toBe('admitted');
  });

  it('takes no withdrawal beyond the tank, pending ones counted', async () => {
    const withdrawal = (nonce: number, amount: bigint) => {
      const fields = { target: addressOf(0), amount: toQuanta(amount), recipient: addressOf(1) };
      const data = encodeGasTankWithdraw(fields);
      return signedBy(0, { type: TX_TYPE.gasTankWithdraw, data, nonce: n(nonce) });
    };
    const data = encodeGasTankDeposit({ target: addressOf(0), amount: toQuanta(10n) });
    await wave([encodeTx(signedBy(1, { type: TX_TYPE.gasTankDeposit, data }))]);
    expect(admit(withdrawal(0, 11n))).toBe('mempool.gas-tank');
    expect(admit(withdrawal(0, 6n))).toBe('admitted');
    expect(admit(withdrawal(1, 5n))).toBe('mempool.gas-tank');
    expect(admit(withdrawal(1, 4n))).toBe('admitted');
  });

  it('lets nothing stand beside a registration', async () => {
    await wave([encodeTx(transfer(0, 0, { value: toQuanta(10n * FEE) }))]);
    expect(admit(transfer(7, 0))).toBe('account.unregistered');
    expect(admit(registrationOf(7))).toBe('admitted');
    expect(admit(registrationOf(7))).toBe('known');
    expect(admit(registrationOf(7, 1n))).toBe('mempool.registration-pending');
    expect(admit(transfer(7, 1))).toBe('mempool.registration-pending');
    await wave();
    expect(admit(transfer(7, 1))).toBe('admitted');
  });

  it('judges again when the signatures are done', async () => {
    const start = (tx: Tx) => {
      const begun = pool.admit(encodeTx(tx), view(), nowMs);
      if (begun.kind !== 'check') throw new Error('not known');
      return begun.admission;
    };
    const one = start(transfer(0, 0));
    const rival = start(transfer(0, 0, { value: toQuanta(2n) }));
    const later = start(transfer(0, 1));
    expect(pool.complete(one, true, view(), 0)).toEqual(one.hash);
    expect(pool.complete(one, true, view(), 0)).toEqual(one.hash);
    expect(() => pool.complete(rival, true, view(), 0)).toThrow('nonce 0 is pending');
    expect(() => pool.complete(later, false, view(), 0)).toThrow('does not verify');
    const data = encodeRotateKeys({ kind: 'single', key: publicKeyOf(5) });
    const rotation = signedBy(0, { type: TX_TYPE.rotateKeys, data, nonce: n(2) });
    await wave([encodeTx(rotation)]);
    expect(() => pool.complete(later, true, view(), 0)).toThrow('keys of the sender changed');
    expect(pool.size).toBe(0);
  });

  it('keeps bytes of its own', () => {
    const bytes = encodeTx(transfer(0));
    expect(admit(bytes)).toBe('admitted');
    const before = bytes.slice();
    bytes.fill(0);
    expect(pool.takeBatch()).toEqual([before]);
  });
});

describe('the rate of a sender', () => {
  it('is what the node sets, counted in admitted transactions', () => {
    pool = poolOf({ senderRatePerSecond: 2 });
    expect(admit({ ...transfer(0, 0), signature: transfer(1).signature })).toBe('tx.signature');
    expect([0, 1, 2].map((i) => admit(transfer(0, i)))).toEqual([
      'admitted',
      'admitted',
      'mempool.rate',
    ]);
    expect(admit(transfer(1, 0))).toBe('admitted');
    nowMs = 499;
    expect(admit(transfer(0, 2))).toBe('mempool.rate');
    nowMs = 500;
    expect(admit(transfer(0, 2))).toBe('admitted');
    expect(admit(transfer(0, 3))).toBe('mempool.rate');
    nowMs = 100_000;
    expect([3, 4, 5].map((i) => admit(transfer(0, i)))).toEqual([
      'admitted',
      'admitted',
      'mempool.rate',
    ]);
  });
});

describe('batches', () => {
  it('hand out the oldest first, each once', () => {
    const txs = [transfer(1, 0), transfer(0, 1), transfer(0, 0)];
    for (const tx of txs) admit(tx);
    expect(pool.hasUnproposed).toBe(true);
    const size = encodeTx(transfer(0)).length;
    const first = pool.takeBatch(4 + 2 * (4 + size) + 20);
    expect([...first, ...pool.takeBatch()]).toEqual(txs.map(encodeTx));
    expect([first.length, pool.hasUnproposed, pool.takeBatch().length]).toEqual([2, false, 0]);
    expect(pool.size).toBe(3);
  });

  it('are bounded in bytes and in gas', () => {
    for (let i = 0; i < 5; i++) admit(transfer(0, i));
    const size = encodeTx(transfer(0)).length;
    expect(pool.takeBatch(4 + 4 + size - 30)).toEqual([]);
    expect(pool.takeBatch(undefined, 62_999n).length).toBe(2);
    expect(pool.takeBatch(undefined, 63_000n).length).toBe(3);
  });

  it('come back to the front when their vertex is not committed', () => {
    for (let i = 0; i < 4; i++) admit(transfer(0, i));
    const size = encodeTx(transfer(0)).length;
    const lost = pool.takeBatch(4 + 2 * (4 + size) + 20);
    pool.putBack(lost);
    pool.putBack(lost);
    const again = pool.takeBatch();
    expect(again.slice(0, 2)).toEqual(lost);
    expect(again.length).toBe(4);
  });
});

describe('after a wave', () => {
  it('what can no longer run is dropped with the reason', async () => {
    const rival = transfer(0, 0, { value: toQuanta(9n) });
    const poor = transfer(1, 1, { value: toQuanta(DEVNET_BALANCE / 2n) });
    const late = transfer(2, 0, { deadline: 1n });
    const renewed = transfer(3, 1);
    const fine = transfer(4, 0);
    for (const tx of [rival, poor, late, renewed, fine]) expect(admit(tx)).toBe('admitted');
    const data = encodeRotateKeys({ kind: 'single', key: publicKeyOf(5) });
    await wave([
      encodeTx(transfer(0, 0)),
      encodeTx(transfer(1, 0, { value: toQuanta(DEVNET_BALANCE / 2n) })),
      encodeTx(signedBy(3, { type: TX_TYPE.rotateKeys, data })),
    ]);
    const reason = (tx: Tx) => {
      const status = pool.statusOf(txHash(tx));
      return status?.state === 'dropped' ? status.reason : status?.state;
    };
    expect([rival, poor, late, renewed, fine].map(reason)).toEqual([
      'account.nonce-past',
      'account.balance',
      'tx.expired',
      'mempool.keys-changed',
      'pending',
    ]);
    expect([pool.size, pool.takeBatch()]).toEqual([1, [encodeTx(fine)]]);
    const status = pool.statusOf(txHash(late));
    expect(status?.state === 'dropped' && status.message).toContain('deadline was wave 1');
  });

  it('the newest of what the balance no longer holds together is dropped', async () => {
    const fifth = { value: toQuanta(DEVNET_BALANCE / 5n - FEE) };
    const pending = [1, 2, 3].map((nonce) => transfer(0, nonce, fifth));
    expect(pending.map(admit)).toEqual(['admitted', 'admitted', 'admitted']);
    await wave([encodeTx(transfer(0, 0, { value: toQuanta(DEVNET_BALANCE / 2n) }))]);
    expect(pending.map((tx) => pool.statusOf(txHash(tx))?.state)).toEqual([
      'pending',
      'pending',
      'dropped',
    ]);
  });

  it('what was passed over and can run is handed out again, first', async () => {
    const parameters = { ...DEVNET_PARAMETERS, waveGasCeiling: 42_000n };
    chain = await TestChain.start({ ...chain.genesis, parameters });
    for (const i of [0, 1, 2, 3]) admit(transfer(i));
    const proposed = pool.takeBatch();
    const late = encodeTx(transfer(4));
    admit(late);
    const result = await wave(proposed);
    expect(result.passedOver.map(({ reason }) => reason)).toEqual([
      'wave.gas-ceiling',
      'wave.gas-ceiling',
    ]);
    expect(pool.takeBatch()).toEqual([...proposed.slice(2), late]);
  });

  it('a wrong copy that another member proposed does not drop the right one', async () => {
    const right = transfer(0);
    admit(right);
    const [ours] = pool.takeBatch();
    const wrong = encodeTx({ ...right, signature: signatureOf(1, txHash(right)) });
    const result = await wave([wrong]);
    expect(result.passedOver.map(({ reason }) => reason)).toEqual(['tx.signature']);
    expect(pool.statusOf(txHash(right))).toEqual({ state: 'pending' });
    expect(pool.takeBatch()).toEqual([ours]);
  });

  it('a dropped transaction that is admitted again is pending again', async () => {
    const late = transfer(1, 5, { value: toQuanta(DEVNET_BALANCE - 100n * FEE) });
    admit(late);
    await wave([encodeTx(transfer(1, 0, { value: toQuanta(200n * FEE) }))]);
    expect(pool.statusOf(txHash(late))?.state).toBe('dropped');
    const back = { to: addressOf(1), value: toQuanta(1000n * FEE) };
    await wave([encodeTx(signedBy(0, back))]);
    expect(admit(late)).toBe('admitted');
    expect(pool.statusOf(txHash(late))).toEqual({ state: 'pending' });
  });
});

describe('a full pool', () => {
  it('refuses a newcomer that pays no more than those in it', () => {
    pool = poolOf({ maxTransactions: 2 });
    admit(transfer(0, 0));
    admit(transfer(0, 1));
    expect(admit(transfer(1, 0))).toBe('mempool.full');
    expect(admit(transfer(1, 0, { gasLimit: 400_000_000n }))).toBe('mempool.full');
    expect([pool.size, pool.takeBatch().length]).toEqual([2, 2]);
  });

  it('evicts the lowest-paying, of those the newest, and says so', async () => {
    await wave(
      [7, 8].map((i, k) => encodeTx(signedBy(k, { to: addressOf(i), value: toQuanta(1n) }))),
    );
    pool = poolOf({ maxTransactions: 3 });
    const free = [registrationOf(7), registrationOf(8)];
    for (const tx of [...free, transfer(2)]) expect(admit(tx)).toBe('admitted');
    expect(admit(transfer(3))).toBe('admitted');
    expect(free.map((tx) => pool.statusOf(txHash(tx))?.state)).toEqual(['pending', 'dropped']);
    const status = pool.statusOf(txHash(registrationOf(8)));
    expect(status).toMatchObject({ reason: 'mempool.evicted' });
    expect(admit(registrationOf(8))).toBe('mempool.full');
    expect(pool.size).toBe(3);
  });

  it('tells of what left, unless it came in again: its record is needed still', async () => {
    await wave([encodeTx(signedBy(0, { to: addressOf(7), value: toQuanta(1n) }))]);
    pool = poolOf({ maxTransactions: 1 });
    admit(registrationOf(7));
    expect(admit(transfer(2))).toBe('admitted');
    await wave();
    expect(admit(registrationOf(7))).toBe('admitted');
    expect(pool.takeDeparted()).toEqual([txHash(transfer(2))]);
    expect(pool.takeDeparted()).toEqual([]);
  });

  it('never evicts what was handed out, and is bounded in bytes', async () => {
    await wave([encodeTx(signedBy(0, { to: addressOf(7), value: toQuanta(1n) }))]);
    const size = encodeTx(registrationOf(7)).length;
    pool = poolOf({ maxBytes: size });
    expect(admit(registrationOf(7))).toBe('admitted');
    const [proposed] = pool.takeBatch();
    expect(admit(transfer(1))).toBe('mempool.full');
    pool.putBack(proposed === undefined ? [] : [proposed]);
    expect(admit(transfer(1))).toBe('admitted');
    expect(pool.statusOf(txHash(registrationOf(7)))?.state).toBe('dropped');
    expect(pool.bytes).toBeLessThanOrEqual(size);
  });

  it('remembers a bounded number of those that left', async () => {
    pool = poolOf({ maxRemembered: 2 });
    const late = [0, 1, 2].map((i) => transfer(i, 0, { deadline: 1n }));
    for (const tx of late) admit(tx);
    await wave([]);
    expect(late.map((tx) => pool.statusOf(txHash(tx))?.state)).toEqual([
      undefined,
      'dropped',
      'dropped',
    ]);
  });
});

describe('a transaction whose home is another member', () => {
  it('is pending and not handed out before its home had its time', () => {
    const tx = transfer(0);
    admitForwarded(tx);
    expect(pool.statusOf(txHash(tx))).toEqual({ state: 'pending' });
    expect([pool.hasUnproposed, pool.nextTakeOverMs]).toEqual([false, 2_000]);
    expect([pool.takeOver(1_999), pool.takeBatch()]).toEqual([0, []]);
    expect(pool.takeOver(2_000)).toBe(1);
    expect(pool.takeBatch()).toEqual([encodeTx(tx)]);
    expect(pool.nextTakeOverMs).toBeUndefined();
  });

  it('is not taken over once a wave executed it', async () => {
    const tx = transfer(0);
    admitForwarded(tx);
    await wave([encodeTx(tx)]);
    expect([pool.size, pool.nextTakeOverMs, pool.takeOver(10_000)]).toEqual([0, undefined, 0]);
  });

  it('stays with its home when a wave passes it over, and comes back by the clock alone', async () => {
    const tx = transfer(0, 20);
    const near = transfer(0, 0);
    admit(near);
    pool.takeBatch();
    // Too far in the window: passed over, and still pending elsewhere.
    expect((await chain.wave([encodeTx(tx)])).passedOver.length).toBe(1);
    const later = transfer(0, 1);
    admitForwarded(later);
    pool.putBack([encodeTx(later), encodeTx(near)]);
    expect(pool.takeBatch()).toEqual([encodeTx(near)]);
    expect(pool.takeOver(2_000)).toBe(1);
  });

  it('is forwarded again, at most once in that time, by a node without a seat', () => {
    const tx = transfer(0);
    admitForwarded(tx);
    expect(pool.forwardAgain(1_000)).toEqual([]);
    expect(pool.forwardAgain(2_500)).toEqual([{ from: tx.from, bytes: encodeTx(tx), asked: 1 }]);
    expect(pool.forwardAgain(4_000)).toEqual([]);
    expect(pool.nextTakeOverMs).toBe(4_500);
  });
});

describe('a transaction that all members heard', () => {
  it('is taken over when it is this member’s turn, and asked for again until then', () => {
    admitForwarded(transfer(0), 'heard');
    const asked: number[] = [];
    const third = (_: unknown, times: number): boolean => {
      asked.push(times);
      return times === 3;
    };
    expect(pool.takeOver(1_999, third)).toBe(0);
    for (const atMs of [2_000, 4_000]) {
      expect([pool.takeOver(atMs, third), pool.hasUnproposed]).toEqual([0, false]);
      expect(pool.nextTakeOverMs).toBe(atMs + 2_000);
    }
    expect([pool.takeOver(6_000, third), pool.hasUnproposed]).toEqual([1, true]);
    expect(asked).toEqual([1, 2, 3]);
  });

  it('is taken over in any case once a client counts on this node', () => {
    const tx = transfer(0);
    admitForwarded(tx, 'heard');
    pool.adopt(txHash(tx));
    expect(pool.takeOver(2_000, () => false)).toBe(1);
    expect(pool.takeBatch()).toEqual([encodeTx(tx)]);
  });

  it('is put in at once when another member counts on this one', () => {
    const tx = transfer(0);
    admitForwarded(tx, 'heard');
    pool.putInHeard(txHash(tx));
    expect(pool.takeBatch()).toEqual([encodeTx(tx)]);
    expect(pool.nextTakeOverMs).toBeUndefined();
    // What was forwarded by this node waits as before.
    admitForwarded(transfer(1));
    pool.putInHeard(txHash(transfer(1)));
    expect(pool.takeBatch()).toEqual([]);
  });

  it('is let go when this node puts in nothing any more, and nothing else is', () => {
    admitForwarded(transfer(0), 'heard');
    admitForwarded(transfer(1));
    pool.forgetHeard();
    expect(pool.size).toBe(1);
    expect(pool.statusOf(txHash(transfer(0)))).toBeUndefined();
    expect(pool.statusOf(txHash(transfer(1)))).toEqual({ state: 'pending' });
  });

  it('has no room in a pool that is half full', () => {
    pool = poolOf({ maxTransactions: 4 });
    admit(transfer(0));
    expect(pool.hasRoomForHeard).toBe(true);
    admit(transfer(1));
    expect(pool.hasRoomForHeard).toBe(false);
  });
});
