/**
 * What a transaction did, kept for ever under its hash and committed to by `tx_root`
 * (docs/protocol/encoding.md, "Receipt").
 */
import { type BorshReader, type BorshWriter, encode } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import {
  HASH_BYTES,
  type Hash,
  type Quanta,
  type TxHash,
  toHash,
  toQuanta,
  toTxHash,
  toWaveId,
  type WaveId,
} from './brand.ts';

export const RECEIPT_STATUS = ['success', 'reverted', 'out_of_gas'] as const;
export type ReceiptStatus = (typeof RECEIPT_STATUS)[number];

/** Who said no: a rule of the chain, the contract itself, or the virtual machine. */
export const REVERT_CATEGORY = ['EngineValidation', 'Contract', 'Vm'] as const;
export type RevertCategory = (typeof REVERT_CATEGORY)[number];

export interface RevertReason {
  readonly category: RevertCategory;
  readonly message: string;
}

export interface Receipt {
  readonly txHash: TxHash;
  readonly waveId: WaveId;
  /** Place among the wave's transactions that got a receipt, from 0. */
  readonly txIndex: number;
  readonly status: ReceiptStatus;
  readonly gasUsed: bigint;
  readonly feePaid: Quanta;
  readonly returnData: Uint8Array;
  /** How many events it emitted; they lie in the events table under (wave, tx, event). */
  readonly eventCount: number;
  readonly revertReason: RevertReason | undefined;
}

/** Return and revert data of one call end here; longer is cut by the virtual machine. */
export const MAX_RETURN_DATA_BYTES = 1 << 20;
export const MAX_REVERT_MESSAGE_BYTES = 1 << 12;

export function writeReceipt(writer: BorshWriter, receipt: Receipt): void {
  writer
    .fixed(receipt.txHash)
    .u64(receipt.waveId)
    .u32(receipt.txIndex)
    .u8(RECEIPT_STATUS.indexOf(receipt.status))
    .u64(receipt.gasUsed)
    .u128(receipt.feePaid)
    .bytes(receipt.returnData)
    .u32(receipt.eventCount)
    .option(receipt.revertReason, (w, reason) => {
      w.u8(REVERT_CATEGORY.indexOf(reason.category)).string(reason.message);
    });
}

export function readReceipt(reader: BorshReader): Receipt {
  return {
    txHash: toTxHash(reader.fixed(HASH_BYTES)),
    waveId: toWaveId(reader.u64()),
    txIndex: reader.u32(),
    status: RECEIPT_STATUS[reader.tag(RECEIPT_STATUS.length, 'receipt status')] ?? 'success',
    gasUsed: reader.u64(),
    feePaid: toQuanta(reader.u128()),
    returnData: reader.bytes(MAX_RETURN_DATA_BYTES),
    eventCount: reader.u32(),
    revertReason: reader.option((r) => ({
      category:
        REVERT_CATEGORY[r.tag(REVERT_CATEGORY.length, 'revert category')] ?? 'EngineValidation',
      message: r.string(MAX_REVERT_MESSAGE_BYTES),
    })),
  };
}

/** `Blake3("pyde/receipt/1" ‖ borsh(receipt))`: the second half of a tx_root leaf. */
export function receiptHash(receipt: Receipt): Hash {
  const domain = new TextEncoder().encode('pyde/receipt/1');
  return toHash(
    blake3(
      domain,
      encode((w) => writeReceipt(w, receipt)),
    ),
  );
}
