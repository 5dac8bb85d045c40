/**
 * The wire form of a transaction (spec/wire.md, "Transaction") and its one door: what `decodeTx`
 * returns has a known type, and every size within its bound. Bytes come from anywhere and are not
 * trusted; whether the transaction makes sense is `checkTx`'s question.
 */
import { MAX_SIGNATURE_FIELD_BYTES } from '../account/index.ts';
import { BorshReader, type BorshWriter, encode, isPydeError, PydeError } from '../bytes/index.ts';
import {
  type AccessEntry,
  ADDRESS_BYTES,
  type FeePayer,
  HASH_BYTES,
  MAX_TX_BYTES,
  TX_TYPE,
  type Tx,
  type TxType,
  toAddress,
  toNonce,
  toQuanta,
  toSlotHash,
} from '../types/index.ts';
import { txTypeName } from './type-name.ts';

/** Of every transaction that does not carry a module. */
export const MAX_PLAIN_TX_BYTES = 128 * 1024;
/** Of `data`, in every transaction that does not carry a module. */
export const MAX_CALLDATA_BYTES = 64 * 1024;
export const MAX_ACCESS_ENTRIES = 1024;
export const MAX_ACCESS_KEYS = 4096;

const ACCESS_ENTRY_MIN_BYTES = ADDRESS_BYTES + 4 + 1;
/** Place of the Lifecycle enum's tag, after the contract's address; 0 is Upgrade. */
const LIFECYCLE_TAG_AT = ADDRESS_BYTES;

export type TxCodecErrorCode = 'tx.size' | 'tx.calldata' | 'tx.type' | 'tx.access-list';

export function encodeTx(tx: Tx): Uint8Array {
  return encode((w) => {
    w.fixed(tx.from)
      .fixed(tx.to)
      .u128(tx.value)
      .bytes(tx.data)
      .u64(tx.gasLimit)
      .u64(tx.nonce)
      .bytes(tx.signature);
    writeFeePayer(w, tx.feePayer);
    writeAccessList(w, tx.accessList);
    writeDeadline(w, tx.deadline);
    w.u64(tx.chainId).u8(tx.type);
  });
}

/**
 * Reads exactly one transaction.
 * @throws PydeError of {@link TxCodecErrorCode} or `borsh.*`
 */
export function decodeTx(bytes: Uint8Array): Tx {
  // The type is the last byte, so the size is judged before anything is read.
  const claimed = bytes.at(-1) ?? 0;
  const carriesModule = claimed === TX_TYPE.deploy || claimed === TX_TYPE.lifecycle;
  requireSize(bytes.length, carriesModule ? MAX_TX_BYTES : MAX_PLAIN_TX_BYTES);
  const tx = readTx(bytes, carriesModule);
  if (tx.type === TX_TYPE.lifecycle && tx.data[LIFECYCLE_TAG_AT] !== 0) {
    requireSize(bytes.length, MAX_PLAIN_TX_BYTES);
    requireCalldata(tx.data.length);
  }
  return tx;
}

function readTx(bytes: Uint8Array, carriesModule: boolean): Tx {
  try {
    const reader = new BorshReader(bytes);
    const tx = readFields(reader, carriesModule);
    reader.end();
    return tx;
  } catch (error) {
    if (!isPydeError(error) || error.code.startsWith('tx.')) throw error;
    throw new PydeError(
      error.code,
      `these ${bytes.length} bytes are no transaction: ${error.message}; send exactly the bytes ` +
        'that the client signed',
      error.details,
    );
  }
}

function readFields(reader: BorshReader, carriesModule: boolean): Tx {
  return {
    from: toAddress(reader.fixed(ADDRESS_BYTES)),
    to: toAddress(reader.fixed(ADDRESS_BYTES)),
    value: toQuanta(reader.u128()),
    data: readData(reader, carriesModule),
    gasLimit: reader.u64(),
    nonce: toNonce(reader.u64()),
    signature: reader.bytes(MAX_SIGNATURE_FIELD_BYTES),
    feePayer: readFeePayer(reader),
    accessList: readAccessList(reader),
    deadline: reader.option((r) => r.u64()),
    chainId: reader.u64(),
    type: readType(reader),
  };
}

/** 0 Sender, 1 GasTank, 2 Paymaster + address. */
export function writeFeePayer(writer: BorshWriter, payer: FeePayer): void {
  switch (payer.kind) {
    case 'sender':
      writer.u8(0);
      return;
    case 'gas-tank':
      writer.u8(1);
      return;
    case 'paymaster':
      writer.u8(2).fixed(payer.address);
      return;
    default:
      payer satisfies never;
  }
}

export function writeAccessList(writer: BorshWriter, entries: readonly AccessEntry[]): void {
  writer.vec(entries, (w, entry) =>
    w
      .fixed(entry.address)
      .vec(entry.storageKeys, (v, key) => v.fixed(key))
      .u8(entry.access === 'read' ? 0 : 1),
  );
}

export function writeDeadline(writer: BorshWriter, deadline: bigint | undefined): void {
  writer.option(deadline, (w, wave) => w.u64(wave));
}

function readData(reader: BorshReader, carriesModule: boolean): Uint8Array {
  const data = reader.bytes(MAX_TX_BYTES);
  if (!carriesModule) requireCalldata(data.length);
  return data;
}

function readFeePayer(reader: BorshReader): FeePayer {
  switch (reader.tag(3, 'FeePayer')) {
    case 0:
      return { kind: 'sender' };
    case 1:
      return { kind: 'gas-tank' };
    default:
      return { kind: 'paymaster', address: toAddress(reader.fixed(ADDRESS_BYTES)) };
  }
}

function readAccessList(reader: BorshReader): AccessEntry[] {
  let keys = 0;
  return reader.vec(MAX_ACCESS_ENTRIES, ACCESS_ENTRY_MIN_BYTES, (r) => {
    const address = toAddress(r.fixed(ADDRESS_BYTES));
    const storageKeys = r.vec(MAX_ACCESS_KEYS, HASH_BYTES, (v) => toSlotHash(v.fixed(HASH_BYTES)));
    keys += storageKeys.length;
    if (keys > MAX_ACCESS_KEYS) {
      throw new PydeError(
        'tx.access-list',
        `an access list names at most ${MAX_ACCESS_KEYS} storage keys; leave some out, it is a hint`,
        { keys },
      );
    }
    return { address, storageKeys, access: r.tag(2, 'access type') === 0 ? 'read' : 'read-write' };
  });
}

function readType(reader: BorshReader): TxType {
  const type = reader.u8();
  if (txTypeName(type) === undefined) {
    throw new PydeError(
      'tx.type',
      `there is no transaction type ${type}; update the client, or use one that exists`,
      { type },
    );
  }
  return type;
}

function requireSize(size: number, max: number): void {
  if (size > max) {
    throw new PydeError(
      'tx.size',
      `a transaction of ${size} bytes is above the ${max} that its type allows; send less data`,
      { size, max },
    );
  }
}

function requireCalldata(size: number): void {
  if (size > MAX_CALLDATA_BYTES) {
    throw new PydeError(
      'tx.calldata',
      `${size} bytes of data are above the ${MAX_CALLDATA_BYTES} that a call may carry; split it`,
      { size, max: MAX_CALLDATA_BYTES },
    );
  }
}
