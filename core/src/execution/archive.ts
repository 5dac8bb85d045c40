/**
 * What a node keeps of executed waves for those who ask, beside the state. Suffixes inside their
 * tables, integers big-endian so that byte order is numeric order:
 *
 * - waves: wave u64 → WaveCommitRecord
 * - receipts: tx hash → Receipt
 * - transactions: tx hash → wave u64 ‖ index u32 ‖ wire bytes
 * - transactionsByWave: wave u64 ‖ index u32 → tx hash
 * - transactionsByAccount: address ‖ wave u64 ‖ index u32 → tx hash
 * - meta `execution/head`: wave u64; meta `execution/genesis`: Genesis
 *
 * None of it is part of consensus, and all of it can be dropped below a wave.
 */
import {
  concatBytes,
  decodeExactly,
  encode,
  equalBytes,
  isZeroBytes,
  PydeError,
  readU32BigEndian,
  readU64BigEndian,
  u32BigEndian,
  u64BigEndian,
} from '../bytes/index.ts';
import type { KeyValueStore, StoreWrite } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import {
  decodeGasTankDeposit,
  decodeGasTankWithdraw,
  decodeTx,
  type MerkleListProof,
  merkleListProof,
} from '../tx/index.ts';
import {
  type Address,
  decodeGenesis,
  encodeGenesis,
  encodeWaveCommitRecord,
  type Genesis,
  type Hash,
  type Receipt,
  readReceipt,
  readWaveCommitRecord,
  receiptHash,
  TX_TYPE,
  type Tx,
  type TxHash,
  toTxHash,
  toWaveId,
  type WaveCommitRecord,
  type WaveId,
  waveDigest,
  writeReceipt,
} from '../types/index.ts';

/** Where in the order of all transactions one lies. */
export interface TxPosition {
  readonly waveId: WaveId;
  readonly txIndex: number;
}

export interface ArchivedTx extends TxPosition {
  readonly hash: TxHash;
  readonly tx: Tx;
  /** The exact bytes that were ordered. */
  readonly bytes: Uint8Array;
}

export interface ListedTx extends ArchivedTx {
  readonly receipt: Receipt;
}

export interface TxPage {
  readonly transactions: readonly ListedTx[];
  /** Give it back to go on; undefined at the end. */
  readonly nextCursor: TxPosition | undefined;
}

export interface TxProof {
  readonly record: WaveCommitRecord;
  readonly receipt: Receipt;
  /** Of the leaf `tx_hash ‖ receipt_hash` under the record's tx_root. */
  readonly proof: MerkleListProof;
}

export const MAX_TX_PAGE = 100;

const HEAD = new TextEncoder().encode('execution/head');
const GENESIS = new TextEncoder().encode('execution/genesis');
const LAYOUT = new TextEncoder().encode('execution/layout');
/** Of all records; goes up when one of them is laid out anew. */
const STORE_LAYOUT = 2;
const WAVE_BYTES = 8;
const POSITION_BYTES = 12;

export interface ExecutedTx {
  readonly tx: Tx;
  readonly bytes: Uint8Array;
  readonly receipt: Receipt;
}

/** Every record of one wave outside the state. */
export function archiveWrites(
  store: KeyValueStore,
  record: WaveCommitRecord,
  executed: readonly ExecutedTx[],
): StoreWrite[] {
  const receipts = new Table(store, TABLE.receipts);
  const transactions = new Table(store, TABLE.transactions);
  const byWave = new Table(store, TABLE.transactionsByWave);
  const byAccount = new Table(store, TABLE.transactionsByAccount);
  const wave = u64BigEndian(record.waveId);
  const writes: StoreWrite[] = [
    new Table(store, TABLE.waves).put(wave, encodeWaveCommitRecord(record)),
    new Table(store, TABLE.meta).put(HEAD, wave),
  ];
  for (const { tx, bytes, receipt } of executed) {
    const position = concatBytes(wave, u32BigEndian(receipt.txIndex));
    writes.push(
      receipts.put(
        receipt.txHash,
        encode((w) => writeReceipt(w, receipt)),
      ),
      transactions.put(receipt.txHash, concatBytes(position, bytes)),
      byWave.put(position, receipt.txHash),
    );
    for (const address of accountsOf(tx)) {
      writes.push(byAccount.put(concatBytes(address, position), receipt.txHash));
    }
  }
  return writes;
}

export function archiveGenesis(store: KeyValueStore, genesis: Genesis): StoreWrite[] {
  const meta = new Table(store, TABLE.meta);
  return [meta.put(GENESIS, encodeGenesis(genesis)), meta.put(LAYOUT, Uint8Array.of(STORE_LAYOUT))];
}

/** Are its records laid out as this software writes them? */
export function hasOurLayout(store: KeyValueStore): boolean {
  const layout = new Table(store, TABLE.meta).get(LAYOUT);
  return layout !== undefined && equalBytes(layout, Uint8Array.of(STORE_LAYOUT));
}

/** The genesis that the store's chain started from; undefined in an empty store. */
export function readGenesisOf(store: KeyValueStore): Genesis | undefined {
  const bytes = new Table(store, TABLE.meta).get(GENESIS);
  return bytes === undefined ? undefined : decodeGenesis(bytes);
}

export function readWaveRecord(store: KeyValueStore, waveId: bigint): WaveCommitRecord | undefined {
  const bytes = new Table(store, TABLE.waves).get(u64BigEndian(waveId));
  return bytes === undefined ? undefined : decodeExactly(bytes, readWaveCommitRecord);
}

/** The newest executed wave; undefined in an empty store. */
export function readHeadWave(
  store: KeyValueStore,
): { readonly record: WaveCommitRecord; readonly digest: Hash } | undefined {
  const wave = new Table(store, TABLE.meta).get(HEAD);
  const record = wave === undefined ? undefined : readWaveRecord(store, readHead(wave));
  return record === undefined ? undefined : { record, digest: waveDigest(record) };
}

function readHead(bytes: Uint8Array): bigint {
  if (bytes.length === WAVE_BYTES) return readU64BigEndian(bytes);
  throw new PydeError(
    'execution.head',
    `the record of the newest wave has ${bytes.length} bytes where ${WAVE_BYTES} are needed: ` +
      'the store was written by another program; start from an empty one',
    { length: bytes.length },
  );
}

export function readReceiptOf(store: KeyValueStore, hash: TxHash): Receipt | undefined {
  const bytes = new Table(store, TABLE.receipts).get(hash);
  return bytes === undefined ? undefined : decodeExactly(bytes, readReceipt);
}

export function readTransactionOf(store: KeyValueStore, hash: TxHash): ArchivedTx | undefined {
  const value = new Table(store, TABLE.transactions).get(hash);
  if (value === undefined) return undefined;
  const bytes = value.slice(POSITION_BYTES);
  return { hash, ...readPosition(value), tx: decodeTx(bytes), bytes };
}

/** The wire bytes of one transaction of a wave, by its place among those that got a receipt. */
export function readWaveTransaction(
  store: KeyValueStore,
  waveId: bigint,
  txIndex: number,
): Uint8Array | undefined {
  const position = concatBytes(u64BigEndian(waveId), u32BigEndian(txIndex));
  const hash = new Table(store, TABLE.transactionsByWave).get(position);
  if (hash === undefined) return undefined;
  return new Table(store, TABLE.transactions).get(hash)?.slice(POSITION_BYTES);
}

/** The transactions of a wave that got a receipt, in order, from the cursor on. */
export async function listWaveTransactions(
  store: KeyValueStore,
  waveId: bigint,
  cursor: TxPosition | undefined,
  limit: number,
): Promise<TxPage> {
  const prefix = u64BigEndian(waveId);
  const from = cursor === undefined ? undefined : positionBytes(cursor);
  const range = new Table(store, TABLE.transactionsByWave).range({
    prefix,
    ...(from === undefined ? {} : { from }),
    limit: pageSize(limit) + 1,
  });
  return page(store, range, limit);
}

/** The transactions that touch an account as sender or receiver, newest first. */
export async function listAccountTransactions(
  store: KeyValueStore,
  address: Address,
  cursor: TxPosition | undefined,
  limit: number,
): Promise<TxPage> {
  const until = cursor === undefined ? undefined : concatBytes(address, after(cursor));
  const range = new Table(store, TABLE.transactionsByAccount).range({
    prefix: address,
    ...(until === undefined ? {} : { until }),
    reverse: true,
    limit: pageSize(limit) + 1,
  });
  return page(store, range, limit);
}

/** The receipt of a transaction and its path to the tx_root of its wave. */
export async function proveTransaction(
  store: KeyValueStore,
  hash: TxHash,
): Promise<TxProof | undefined> {
  const receipt = readReceiptOf(store, hash);
  const record = receipt === undefined ? undefined : readWaveRecord(store, receipt.waveId);
  if (receipt === undefined || record === undefined) return undefined;
  const leaves: Uint8Array[] = [];
  const prefix = u64BigEndian(record.waveId);
  const byWave = new Table(store, TABLE.transactionsByWave);
  for await (const [, listed] of byWave.range({ prefix })) {
    const one = readReceiptOf(store, toTxHash(listed.slice()));
    if (one !== undefined) leaves.push(txRootLeaf(one));
  }
  return { record, receipt, proof: merkleListProof(leaves, receipt.txIndex) };
}

/** `tx_hash ‖ receipt_hash` (docs/protocol/encoding.md, "Receipt"). */
export function txRootLeaf(receipt: Receipt): Uint8Array {
  return concatBytes(receipt.txHash, receiptHash(receipt));
}

/** Sender and, where the transaction names another account that gains by it, that one. */
function accountsOf(tx: Tx): Address[] {
  const other = otherAccountOf(tx);
  return other === undefined || equalBytes(other, tx.from) ? [tx.from] : [tx.from, other];
}

function otherAccountOf(tx: Tx): Address | undefined {
  if (tx.type === TX_TYPE.gasTankDeposit) return decodeGasTankDeposit(tx.data).target;
  if (tx.type === TX_TYPE.gasTankWithdraw) return decodeGasTankWithdraw(tx.data).recipient;
  return tx.type === TX_TYPE.standard && !isZeroBytes(tx.to) ? tx.to : undefined;
}

async function page(
  store: KeyValueStore,
  range: AsyncIterable<readonly [suffix: Uint8Array, hash: Uint8Array]>,
  limit: number,
): Promise<TxPage> {
  const transactions: ListedTx[] = [];
  for await (const [suffix, listed] of range) {
    const position = readPosition(suffix.subarray(suffix.length - POSITION_BYTES));
    if (transactions.length === pageSize(limit)) return { transactions, nextCursor: position };
    const hash = toTxHash(listed.slice());
    const archived = readTransactionOf(store, hash);
    const receipt = readReceiptOf(store, hash);
    if (archived !== undefined && receipt !== undefined) {
      transactions.push({ ...archived, receipt });
    }
  }
  return { transactions, nextCursor: undefined };
}

const pageSize = (limit: number): number => Math.max(1, Math.min(limit, MAX_TX_PAGE));

function readPosition(bytes: Uint8Array): TxPosition {
  return { waveId: toWaveId(readU64BigEndian(bytes)), txIndex: readU32BigEndian(bytes, 8) };
}

function positionBytes({ waveId, txIndex }: TxPosition): Uint8Array {
  return concatBytes(u64BigEndian(waveId), u32BigEndian(txIndex));
}

/** The smallest suffix above `position`, for an upper end that takes it in. */
const after = (position: TxPosition): Uint8Array =>
  concatBytes(positionBytes(position), Uint8Array.of(0));
