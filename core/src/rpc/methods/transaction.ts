/** Transactions: sending one, and what became of it. */
import { isPydeError, toHex, toQuantity } from '../../bytes/index.ts';
import {
  listAccountTransactions,
  listWaveTransactions,
  MAX_TX_PAGE,
  readReceiptOf,
  readTransactionOf,
  type TxPage,
  type TxPosition,
} from '../../execution/index.ts';
import { decodeTx, txHash } from '../../tx/index.ts';
import { MAX_TX_BYTES, type Receipt, type TxHash, toWaveId } from '../../types/index.ts';
import type { RpcBackend } from '../backend.ts';
import {
  optional,
  type Reader,
  readAddress,
  readHex,
  readNumber,
  readObject,
  readTxHash,
  readU64,
} from '../params.ts';
import { type Json, listedTxJson, positionJson, receiptJson, txJson } from '../record-json.ts';
import type { MethodTable, RpcMethod } from './method.ts';
import { waveRecord } from './wave.ts';

const U32_MAX = 0xffff_ffff;

/** Of a pending transaction the answer waits a moment for its wave, so that nobody asks in a loop. */
const receipt: RpcMethod = {
  params: ['hash'],
  overlaps: true,
  run: async (backend, [value]) => {
    const hash = readTxHash(value, 'hash');
    if (backend.transactionStatus(hash)?.state === 'pending') await backend.settled(hash);
    const found = executedReceipt(backend, hash);
    return found === undefined ? null : receiptJson(found);
  },
};

export const transactionMethods: MethodTable = {
  pyde_sendRawTransaction: {
    params: ['signed transaction'],
    overlaps: true,
    run: async (backend, [hex]) => {
      const bytes = readHex(hex, 'signed transaction', MAX_TX_BYTES);
      try {
        return toHex(await backend.submit(bytes));
      } catch (error) {
        const hash = hashOfExecuted(backend, bytes, error);
        if (hash === undefined) throw error;
        return toHex(hash);
      }
    },
  },
  pyde_getTransactionReceipt: receipt,
  pyde_getReceipt: receipt,
  pyde_getTx: {
    params: ['hash'],
    run: (backend, [value]) => {
      const hash = readTxHash(value, 'hash');
      const archived = readTransactionOf(backend.store, hash);
      if (archived !== undefined && archived.waveId <= backend.head().waveId) {
        return txJson(archived.tx, archived);
      }
      const pending = backend.submittedTx(hash);
      return pending === undefined ? null : txJson(pending, undefined);
    },
  },
  pyde_getTransactionStatus: {
    params: ['hash'],
    run: (backend, [value]) => statusJson(backend, readTxHash(value, 'hash')),
  },
  pyde_getWaveTransactions: {
    params: ['wave', 'cursor?', 'limit?'],
    run: async (backend, [wave, cursor, limit]) => {
      const waveId = readU64(wave, 'wave');
      const from = optional(cursor, 'cursor', readPosition);
      const size = optional(limit, 'limit', readLimit) ?? MAX_TX_PAGE;
      if ((await waveRecord(backend, waveId)) === undefined) return { transactions: [] };
      return pageJson(await listWaveTransactions(backend.store, waveId, from, size));
    },
  },
  pyde_getAccountTransactions: {
    params: ['address', 'cursor?', 'limit?'],
    run: async (backend, [value, cursor, limit]) => {
      const address = readAddress(value, 'address');
      const from = optional(cursor, 'cursor', readPosition);
      const size = optional(limit, 'limit', readLimit) ?? MAX_TX_PAGE;
      return pageJson(await listAccountTransactions(backend.store, address, from, size));
    },
  },
};

const OF_EXECUTED: ReadonlySet<string> = new Set([
  'account.nonce-past',
  'account.nonce-used',
  'account.registered',
]);

/**
 * The hash of a transaction that was refused only because it ran: the pool forgets what it knew
 * when the node stops, and a client that sends again, unsure of the first time, gets its hash.
 */
function hashOfExecuted(
  backend: RpcBackend,
  bytes: Uint8Array,
  refusal: unknown,
): TxHash | undefined {
  if (!isPydeError(refusal) || !OF_EXECUTED.has(refusal.code)) return undefined;
  const hash = txHash(decodeTx(bytes));
  return executedReceipt(backend, hash) === undefined ? undefined : hash;
}

/**
 * The receipt of a transaction in an executed wave. One that lies in the store ahead of the head is
 * not shown yet: whoever sees a receipt finds its wave, its nonce and its balances with it.
 */
export function executedReceipt(backend: RpcBackend, hash: TxHash): Receipt | undefined {
  const found = readReceiptOf(backend.store, hash);
  return found !== undefined && found.waveId <= backend.head().waveId ? found : undefined;
}

function statusJson(backend: RpcBackend, hash: TxHash): Json {
  const found = executedReceipt(backend, hash);
  if (found !== undefined) {
    const { waveId, txIndex, status } = found;
    return { status: 'executed', ...positionOf({ waveId, txIndex }), receipt_status: status };
  }
  const pool = backend.transactionStatus(hash);
  if (pool === undefined) return null;
  if (pool.state === 'pending') return { status: 'pending' };
  return { status: 'dropped', reason: { code: pool.reason, message: pool.message } };
}

const positionOf = ({ waveId, txIndex }: TxPosition) => ({
  wave_id: toQuantity(waveId),
  tx_index: toQuantity(txIndex),
});

function pageJson({ transactions, nextCursor }: TxPage): Json {
  return {
    transactions: transactions.map(listedTxJson),
    ...(nextCursor === undefined ? {} : { next_cursor: positionJson(nextCursor) }),
  };
}

const readLimit: Reader<number> = (value, name) => readNumber(value, name, 1, MAX_TX_PAGE);

/** A cursor as it was given out, or with numbers. */
export const readPosition: Reader<TxPosition> = (value, name) => {
  const cursor = readObject(value, name, ['wave_id', 'tx_index']);
  return {
    waveId: toWaveId(readU64(cursor['wave_id'], `${name}.wave_id`)),
    txIndex: readNumber(cursor['tx_index'], `${name}.tx_index`, 0, U32_MAX),
  };
};
