/**
 * How executed waves travel (design/light-client.md, "Full replay"): messages want-waves and waves.
 *
 * want-waves { mode u8, wave u64, index u32 }: records alone (0), or with their transactions (1) from
 * transaction `index` of `wave` on.
 * waves { mode u8, wave u64, index u32, parts: Vec<{ record, transactions: Vec<Vec<u8>> }>,
 * cert: Option<HardFinalityCert> }: consecutive waves from `wave` on; the certificate, when there is
 * one, is that of the last. Whether any of it is true is asked of `wave-sync.ts`.
 */
import { type BorshReader, decodeExactly, encode } from '../bytes/index.ts';
import { MAX_MESSAGE_BYTES } from '../consensus/index.ts';
import {
  type HardFinalityCert,
  MAX_TX_BYTES,
  readHardFinalityCert,
  readWaveCommitRecord,
  type WaveCommitRecord,
  writeHardFinalityCert,
  writeWaveCommitRecord,
} from '../types/index.ts';
import { syncError } from './error.ts';

export type WavesMode = 'records' | 'transactions';
const MODES: readonly WavesMode[] = ['records', 'transactions'];

export interface WantWaves {
  readonly mode: WavesMode;
  /** First wave that is wanted. */
  readonly wave: bigint;
  /** Of that wave, the first transaction that is. */
  readonly index: number;
}

export interface WavePart {
  readonly record: WaveCommitRecord;
  /** Wire bytes of those that were executed, in order; none in mode `records`. */
  readonly transactions: readonly Uint8Array[];
}

export interface Waves extends WantWaves {
  readonly parts: readonly WavePart[];
  readonly cert: HardFinalityCert | undefined;
}

/** Waves in one answer. */
export const MAX_PARTS = 1_024;
/** Of records and transactions in one answer, the last transaction not counted: ≤ 4 MiB with it. */
export const FULL_ANSWER_BYTES = 2_500_000;
/** Transactions of one wave in one answer: what the bytes leave room for. */
const MAX_PART_TRANSACTIONS = 1 << 16;
const LEAST_RECORD_BYTES = 500;

export const encodeWantWaves = ({ mode, wave, index }: WantWaves): Uint8Array =>
  encode((w) => w.u8(MODES.indexOf(mode)).u64(wave).u32(index));

/** @throws PydeError `borsh.*` */
export const decodeWantWaves = (bytes: Uint8Array): WantWaves => decodeExactly(bytes, readWant);

export const encodeWaves = ({ mode, wave, index, parts, cert }: Waves): Uint8Array =>
  encode((w) =>
    w
      .u8(MODES.indexOf(mode))
      .u64(wave)
      .u32(index)
      .vec(parts, (v, { record, transactions }) => {
        writeWaveCommitRecord(v, record);
        v.vec(transactions, (t, bytes) => t.bytes(bytes));
      })
      .option(cert, writeHardFinalityCert),
  );

/** Size and shape only. @throws PydeError `sync.size`, `borsh.*`, `cert.bitmap` */
export function decodeWaves(bytes: Uint8Array): Waves {
  if (bytes.length >= MAX_MESSAGE_BYTES) {
    throw syncError('sync.size', `an answer has less than ${MAX_MESSAGE_BYTES} bytes`, {
      bytes: bytes.length,
    });
  }
  return decodeExactly(bytes, (r) => ({
    ...readWant(r),
    parts: r.vec(MAX_PARTS, LEAST_RECORD_BYTES, (p) => ({
      record: readWaveCommitRecord(p),
      transactions: p.vec(MAX_PART_TRANSACTIONS, 4, (t) => t.bytes(MAX_TX_BYTES)),
    })),
    cert: r.option(readHardFinalityCert),
  }));
}

function readWant(reader: BorshReader): WantWaves {
  return {
    mode: MODES[reader.tag(MODES.length, 'mode')] ?? 'records',
    wave: reader.u64(),
    index: reader.u32(),
  };
}
