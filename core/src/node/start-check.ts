/**
 * Whether the tables of a store are of one moment, as far as that shows in a moment: every wave is
 * one atomic batch, so tables that disagree were mixed by hand or by a failing disk. What costs a
 * look at everything is left to `checkDatabase`.
 */
import {
  concatBytes,
  equalBytes,
  invariant,
  PydeError,
  readU64BigEndian,
  toHex,
  u32BigEndian,
  u64BigEndian,
} from '../bytes/index.ts';
import {
  FEE_STATE_KEY,
  hasOurLayout,
  readHeadWave,
  readReceiptOf,
  readTransactionOf,
  readWaveRecord,
  txRootLeaf,
} from '../execution/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import { type StateStore, stateKeyBytes, TABLE, Table } from '../state/index.ts';
import { merkleListRoot } from '../tx/index.ts';
import { toTxHash, type WaveCommitRecord } from '../types/index.ts';

/** Newest waves whose transactions and receipts are looked at, until so many have been. */
const WAVES_CHECKED = 64n;
const TRANSACTIONS_CHECKED = 500;

/** @throws PydeError `node.store-layout`, `node.mixed-store` naming table and key */
export async function checkStart(store: KeyValueStore, state: StateStore): Promise<void> {
  const newest = await endKey(store, TABLE.waves, true);
  const head = readHeadWave(store)?.record;
  if (head === undefined || newest === undefined || newest !== head.waveId) {
    throw mixed(
      'waves',
      newest === undefined ? '' : toHex(u64BigEndian(newest)),
      `table waves ends at ${newest ?? 'nothing'}, and the record execution/head of table meta ` +
        `names ${head === undefined ? 'a wave that is not there' : `wave ${head.waveId}`}`,
    );
  }
  if (!hasOurLayout(store)) {
    throw new PydeError(
      'node.store-layout',
      'another version of this software wrote the store, and its records are laid out differently; ' +
        'move the folder away and start with an empty one, which synchronises, or use that version',
    );
  }
  checkState(state, head);
  for (const name of ['certs', 'transactionsByWave'] as const) {
    const wave = await endKey(store, TABLE[name], true);
    if (wave === undefined || wave <= head.waveId) continue;
    const key = toHex(u64BigEndian(wave));
    throw mixed(
      name,
      key,
      `table ${name} has one of wave ${wave}, and waves end at ${head.waveId}`,
    );
  }
  const oldest = (await endKey(store, TABLE.waves, false)) ?? 0n;
  let transactions = 0;
  for (let wave = head.waveId; wave > oldest; wave--) {
    if (wave + WAVES_CHECKED <= head.waveId || transactions >= TRANSACTIONS_CHECKED) return;
    const record = readWaveRecord(store, wave);
    if (record === undefined) {
      throw mixed('waves', toHex(u64BigEndian(wave)), `table waves has no wave ${wave}`);
    }
    transactions += record.txCount;
    await checkTransactionsOf(store, record);
  }
}

/** Version and root that the tree names, against those of the newest wave. */
export function checkState(state: StateStore, head: WaveCommitRecord): void {
  const key = toHex(u64BigEndian(head.waveId));
  if (state.version !== head.waveId) {
    throw mixed(
      'meta',
      'state/newest',
      `the state is that of wave ${state.version ?? 'none'}, and waves end at ${head.waveId}`,
    );
  }
  for (const hash of ['blake3', 'poseidon2'] as const) {
    if (equalBytes(state.root[hash], head.stateRoot[hash])) continue;
    throw mixed('jmt', key, `the ${hash} root of version ${head.waveId} is not that of its wave`);
  }
  // Written by nearly every wave, so that a flat table of another moment shows here first.
  const flat = state.get(FEE_STATE_KEY);
  const leaf = state.getAt(FEE_STATE_KEY, head.waveId);
  const isSame = flat === undefined || leaf === undefined ? flat === leaf : equalBytes(flat, leaf);
  if (isSame) return;
  const stateKey = toHex(stateKeyBytes(FEE_STATE_KEY));
  throw mixed('state', stateKey, `it is not what the tree has at version ${head.waveId}`);
}

/** The tables that a wave's transactions are in, against its `tx_root`. */
export async function checkTransactionsOf(
  store: KeyValueStore,
  record: WaveCommitRecord,
): Promise<void> {
  if (record.txCount === 0) return;
  const wave = u64BigEndian(record.waveId);
  const byAccount = new Table(store, TABLE.transactionsByAccount);
  const leaves: Uint8Array[] = [];
  for await (const [key, listed] of new Table(store, TABLE.transactionsByWave).range({
    prefix: wave,
  })) {
    const hash = toTxHash(listed.slice());
    const receipt = readReceiptOf(store, hash);
    if (receipt === undefined) throw lacks('receipts', toHex(hash), record);
    const transaction = readTransactionOf(store, hash);
    if (transaction === undefined) throw lacks('transactions', toHex(hash), record);
    const position = concatBytes(wave, u32BigEndian(receipt.txIndex));
    if (receipt.waveId !== record.waveId || !equalBytes(position, key)) {
      throw mixed('receipts', toHex(hash), `its receipt is not of wave ${record.waveId}`);
    }
    const account = concatBytes(transaction.tx.from, position);
    if (byAccount.get(account) === undefined) {
      throw lacks('transactionsByAccount', toHex(account), record);
    }
    leaves.push(txRootLeaf(receipt));
  }
  if (leaves.length !== record.txCount) {
    throw lacks('transactionsByWave', toHex(wave), record);
  }
  if (!equalBytes(merkleListRoot(leaves), record.txRoot)) {
    throw mixed(
      'receipts',
      toHex(wave),
      `receipts of wave ${record.waveId} do not make its tx_root`,
    );
  }
}

/** The wave with which the first or last key of a table begins. */
async function endKey(
  store: KeyValueStore,
  prefix: number,
  reverse: boolean,
): Promise<bigint | undefined> {
  for await (const [key] of new Table(store, prefix).range({ reverse, limit: 1 })) {
    invariant(key.length >= 8, 'keys of this table begin with a wave');
    return readU64BigEndian(key);
  }
  return undefined;
}

function lacks(table: string, key: string, { waveId, txCount }: WaveCommitRecord): PydeError {
  return mixed(
    table,
    key,
    `wave ${waveId} has ${txCount} transactions, and table ${table} lacks one`,
  );
}

function mixed(table: string, key: string, what: string): PydeError {
  return new PydeError(
    'node.mixed-store',
    `the tables of the store are of different moments, at record ${key} of table ${table}: ${what}. ` +
      'Put back a whole copy of the folder, or start from an empty one',
    { table, key },
  );
}
