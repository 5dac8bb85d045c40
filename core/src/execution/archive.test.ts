import { beforeAll, describe, expect, it } from 'vitest';
import { readAccount, TREASURY_ADDRESS } from '../account/index.ts';
import { MemoryStore } from '../platform/index.ts';
import { StateStore } from '../state/index.ts';
import { encodeGasTankDeposit, encodeTx, txHash, verifyMerkleListProof } from '../tx/index.ts';
import { addressOf, signedBy } from '../tx/testing.ts';
import { TX_TYPE, type Tx, toNonce, toQuanta, toTxHash } from '../types/index.ts';
import {
  listAccountTransactions,
  listWaveTransactions,
  proveTransaction,
  readGenesisOf,
  readHeadWave,
  readReceiptOf,
  readTransactionOf,
  readWaveRecord,
  txRootLeaf,
} from './index.ts';
import { TestChain } from './testing.ts';

/** Wave 1: five transfers 0 → 7. Wave 2: none. Wave 3: a deposit 1 → tank of 0, a transfer 2 → 1. */
let chain: TestChain;
const first: Tx[] = [];
const third: Tx[] = [];
const unknown = toTxHash(new Uint8Array(32).fill(9));

beforeAll(async () => {
  chain = await TestChain.start();
  for (let n = 0n; n < 5n; n++) {
    first.push(signedBy(0, { to: addressOf(7), value: toQuanta(1n + n), nonce: toNonce(n) }));
  }
  const data = encodeGasTankDeposit({ target: addressOf(0), amount: toQuanta(3n) });
  third.push(signedBy(1, { type: TX_TYPE.gasTankDeposit, data }));
  third.push(signedBy(2, { to: addressOf(1), value: toQuanta(1n) }));
  await chain.wave(first.map(encodeTx));
  await chain.wave([]);
  await chain.wave(third.map(encodeTx));
});

const hashes = (page: { transactions: readonly { hash: Uint8Array }[] }) =>
  page.transactions.map(({ hash }) => hash);

describe('the archive', () => {
  it('knows the head, every wave, and the genesis', () => {
    expect(readHeadWave(chain.store)).toEqual({
      record: chain.head.record,
      digest: chain.head.digest,
    });
    expect(readWaveRecord(chain.store, 3n)).toEqual(chain.head.record);
    expect(readWaveRecord(chain.store, 0n)?.waveId).toBe(0n);
    expect(readWaveRecord(chain.store, 4n)).toBeUndefined();
    expect(readGenesisOf(chain.store)).toEqual(chain.genesis);
    const empty = new MemoryStore();
    expect(readHeadWave(empty)).toBeUndefined();
    expect(readGenesisOf(empty)).toBeUndefined();
  });

  it('gives each executed transaction with its bytes, place and receipt', () => {
    for (const [txIndex, tx] of third.entries()) {
      const hash = txHash(tx);
      const found = readTransactionOf(chain.store, hash);
      expect(found).toEqual({ hash, tx, bytes: encodeTx(tx), waveId: 3n, txIndex });
      expect(readReceiptOf(chain.store, hash)).toMatchObject({ txHash: hash, waveId: 3n, txIndex });
    }
    expect(readTransactionOf(chain.store, unknown)).toBeUndefined();
    expect(readReceiptOf(chain.store, unknown)).toBeUndefined();
  });

  it('lists a wave in order, page by page', async () => {
    const one = await listWaveTransactions(chain.store, 1n, undefined, 2);
    expect(one.nextCursor).toEqual({ waveId: 1n, txIndex: 2 });
    const two = await listWaveTransactions(chain.store, 1n, one.nextCursor, 2);
    const three = await listWaveTransactions(chain.store, 1n, two.nextCursor, 2);
    expect([...hashes(one), ...hashes(two), ...hashes(three)]).toEqual(first.map(txHash));
    expect(three.nextCursor).toBeUndefined();
    expect(one.transactions[0]?.receipt.status).toBe('success');
    expect(await listWaveTransactions(chain.store, 2n, undefined, 100)).toEqual({
      transactions: [],
      nextCursor: undefined,
    });
  });

  it('lists an account newest first, as sender and as receiver, page by page', async () => {
    const expected = [third[0], ...first.toReversed()].map((tx) => tx && txHash(tx));
    let cursor: Parameters<typeof listAccountTransactions>[2];
    const seen: Uint8Array[] = [];
    do {
      const page = await listAccountTransactions(chain.store, addressOf(0), cursor, 2);
      seen.push(...hashes(page));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(expected);
    const receiver = await listAccountTransactions(chain.store, addressOf(1), undefined, 100);
    expect(hashes(receiver)).toEqual(third.toReversed().map(txHash));
  });

  it('keeps a page to 100, and to one at least', async () => {
    const long = await TestChain.start();
    const wires = Array.from({ length: 101 }, (_, n) =>
      encodeTx(signedBy(0, { nonce: toNonce(BigInt(n)) })),
    );
    expect((await long.wave(wires)).record.txCount).toBe(101);
    const page = await listWaveTransactions(long.store, 1n, undefined, 1_000_000);
    expect(page.transactions.length).toBe(100);
    expect(page.nextCursor).toEqual({ waveId: 1n, txIndex: 100 });
    const least = await listWaveTransactions(long.store, 1n, undefined, 0);
    expect(least.transactions.length).toBe(1);
  });

  it('proves a receipt against the tx_root of its wave', async () => {
    for (const tx of first) {
      const found = await proveTransaction(chain.store, txHash(tx));
      if (found === undefined) throw new Error('executed');
      const { record, receipt, proof } = found;
      expect(proof.count).toBe(record.txCount);
      expect(verifyMerkleListProof(record.txRoot, txRootLeaf(receipt), proof)).toBe(true);
      const forged = txRootLeaf({ ...receipt, status: 'reverted' });
      expect(verifyMerkleListProof(record.txRoot, forged, proof)).toBe(false);
    }
    expect(await proveTransaction(chain.store, unknown)).toBeUndefined();
  });

  it('is all there when the store is opened again', async () => {
    const state = StateStore.open(chain.store);
    expect(state.version).toBe(3n);
    expect(state.root).toEqual(chain.head.record.stateRoot);
    expect(readAccount(state, addressOf(0)).gasTank).toBe(3n);
    expect(readAccount(state, TREASURY_ADDRESS).balance).toBeGreaterThan(0n);
  });
});
