/** Proofs: of entries of the state against a wave's roots, of a transaction against its tx_root. */

import { accountKey } from '../../account/index.ts';
import {
  concatBytes,
  encode,
  PydeError,
  toHex,
  toQuantity,
  u32BigEndian,
  u64BigEndian,
} from '../../bytes/index.ts';
import { proveTransaction, txRootLeaf } from '../../execution/index.ts';
import {
  encodeStateProof,
  STATE_KEY_BYTES,
  STATE_KIND,
  type StateKey,
  stateKeyFromBytes,
  TABLE,
  Table,
} from '../../state/index.ts';
import {
  encodeWaveCommitRecord,
  receiptHash,
  type TxHash,
  toTxHash,
  writeReceipt,
} from '../../types/index.ts';
import type { RpcBackend } from '../backend.ts';
import { badParams, type RpcErrorCode } from '../error.ts';
import {
  isObject,
  optional,
  readAddress,
  readArray,
  readHex,
  readObject,
  readSlot,
  readTxHash,
  readU64,
} from '../params.ts';
import type { Json } from '../record-json.ts';
import type { MethodTable } from './method.ts';
import { later } from './method.ts';
import { executedReceipt, readPosition } from './transaction.ts';

const MAX_PROOFS = 256;

export const proofMethods: MethodTable = {
  pyde_getProof: {
    params: ['{keys} or {address, slots}, wave?'],
    run: (backend, [query]) => {
      const asked = readObject(query, 'parameter 1', ['keys', 'address', 'slots', 'wave']);
      const keys = readKeys(asked);
      const waveId = provenWave(backend, asked['wave']);
      const values = keys.map((key) => backend.state.getAt(key, waveId));
      const proofs = keys.map((key) => backend.state.prove(key, waveId));
      return {
        wave_id: toQuantity(waveId),
        values: values.map((value) => (value === undefined ? null : toHex(value))),
        proofs: proofs.map((proof) => toHex(encodeStateProof(proof))),
      };
    },
  },
  pyde_getTxProof: {
    params: ['hash or {wave_id, tx_index}'],
    run: async (backend, [which]) => {
      const hash = isObject(which) ? hashAt(backend, which) : readTxHash(which, 'hash');
      return hash === undefined ? null : txProofJson(backend, hash);
    },
  },
  pyde_getEventProof: later('pyde_getEventProof', 'no transaction of this version emits events'),
};

function readKeys(asked: Readonly<Record<string, unknown>>): StateKey[] {
  if (asked['keys'] !== undefined) {
    if (asked['address'] !== undefined || asked['slots'] !== undefined) {
      throw badParams('give either keys, or address and slots, not both');
    }
    return readArray(asked['keys'], 'keys', MAX_PROOFS).map((key, i) => readKey(key, `keys[${i}]`));
  }
  const address = readAddress(asked['address'], 'address');
  const slots = optional(asked['slots'], 'slots', (value, name) =>
    readArray(value, name, MAX_PROOFS),
  );
  // An address by itself asks for the account.
  if (slots === undefined) return [accountKey(address)];
  return slots.map((slot, i) => ({
    kind: STATE_KIND.contract,
    owner: address,
    slot: readSlot(slot, `slots[${i}]`),
  }));
}

/** kind u8 ‖ owner ‖ slot. */
function readKey(value: unknown, name: string): StateKey {
  const bytes = readHex(value, name, STATE_KEY_BYTES);
  const kinds: readonly number[] = Object.values(STATE_KIND);
  if (bytes.length !== STATE_KEY_BYTES || !kinds.includes(bytes[0] ?? -1)) {
    throw badParams(
      `${name} must be ${STATE_KEY_BYTES} bytes: a kind from 0 to 4, the owner, the slot`,
    );
  }
  return stateKeyFromBytes(bytes);
}

function provenWave(backend: RpcBackend, wave: unknown): bigint {
  const head = backend.head().waveId;
  const waveId = optional(wave, 'wave', readU64) ?? head;
  if (waveId > head) throw badParams(`wave ${waveId} is not executed yet; the newest is ${head}`);
  return waveId;
}

function hashAt(backend: RpcBackend, which: unknown): TxHash | undefined {
  const { waveId, txIndex } = readPosition(which, 'position');
  const key = concatBytes(u64BigEndian(waveId), u32BigEndian(txIndex));
  const hash = new Table(backend.store, TABLE.transactionsByWave).get(key);
  return hash === undefined ? undefined : toTxHash(hash.slice());
}

async function txProofJson(backend: RpcBackend, hash: TxHash): Promise<Json> {
  if (executedReceipt(backend, hash) === undefined) return null;
  const found = await proveTransaction(backend.store, hash);
  if (found === undefined) throw prunedProof(hash);
  const { record, receipt, proof } = found;
  return {
    tx_hash: toHex(hash),
    wave_id: toQuantity(receipt.waveId),
    tx_index: toQuantity(receipt.txIndex),
    receipt_hash: toHex(receiptHash(receipt)),
    receipt: toHex(encode((w) => writeReceipt(w, receipt))),
    leaf: toHex(txRootLeaf(receipt)),
    proof: {
      index: proof.index,
      count: proof.count,
      siblings: proof.siblings.map((sibling) => toHex(sibling)),
    },
    tx_root: toHex(record.txRoot),
    record: toHex(encodeWaveCommitRecord(record)),
  };
}

function prunedProof(hash: TxHash): PydeError<RpcErrorCode> {
  return new PydeError(
    'rpc.wave-pruned',
    `the wave of transaction ${toHex(hash)} is no longer kept here; ask an archive node`,
  );
}
