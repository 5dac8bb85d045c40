/**
 * LevelDB's log format (its doc/log_format.md), of which both the write-ahead log and the MANIFEST
 * are made: blocks of 32 KiB, in them fragments of checksum u32, length u16, type u8, bytes.
 *
 * LevelDB skips damaged fragments of a write-ahead log without a word and goes on behind them. So it
 * is read here first, and what a power cut leaves (an unfinished end) is told from damage.
 */
import { maskedCrc32c } from './crc32c.ts';

export interface LogRecord {
  /** Of its first fragment. */
  readonly offset: number;
  readonly payload: Uint8Array;
}

export interface LogScan {
  /** Intact, up to the end or the first damage. */
  readonly records: readonly LogRecord[];
  readonly damage: LogDamage | undefined;
}

export interface LogDamage {
  /** Where the first record that is lost begins. */
  readonly offset: number;
  /** The file ends inside it: what an interrupted write leaves. */
  readonly cut: boolean;
  /** Intact records behind it. */
  readonly later: readonly LogRecord[];
}

const BLOCK_BYTES = 32_768;
const HEADER_BYTES = 7;
const FULL = 1;
const FIRST = 2;
/** Fragments between have 3. */
const LAST = 4;

export function scanLog(bytes: Uint8Array): LogScan {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: LogRecord[] = [];
  const later: LogRecord[] = [];
  let damagedAt: number | undefined;
  let cut = false;
  let open: { readonly offset: number; readonly parts: Uint8Array[] } | undefined;
  const lose = (offset: number): void => {
    damagedAt ??= open?.offset ?? offset;
    open = undefined;
  };
  const found = (offset: number, payload: Uint8Array): void => {
    (damagedAt === undefined ? records : later).push({ offset, payload });
    open = undefined;
  };
  for (let at = 0; at < bytes.length; ) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      at += left;
      continue;
    }
    const blockEnd = Math.min(at + left, bytes.length);
    const start = at + HEADER_BYTES;
    const end = start <= bytes.length ? start + view.getUint16(at + 4, true) : start;
    if (start > bytes.length || end > blockEnd) {
      // A length that points out of the last block is an unfinished write, out of another damage.
      if (damagedAt === undefined && blockEnd === bytes.length) cut = true;
      lose(at);
      at = blockEnd;
      continue;
    }
    const type = view.getUint8(at + 6);
    const whole = maskedCrc32c(bytes, at + 6, end) === view.getUint32(at, true);
    if (!whole || type < FULL || type > LAST) {
      lose(at);
      // Of a block that was never written nothing but zeros is left.
      at = type === 0 && end === start ? blockEnd : end;
      continue;
    }
    const fragment = bytes.subarray(start, end);
    if (type === FULL || type === FIRST) {
      if (open !== undefined) lose(at);
      if (type === FULL) found(at, fragment);
      else open = { offset: at, parts: [fragment] };
    } else if (open === undefined) lose(at);
    else {
      open.parts.push(fragment);
      if (type === LAST) found(open.offset, Buffer.concat(open.parts));
    }
    at = end;
  }
  if (open !== undefined) {
    cut = damagedAt === undefined;
    lose(bytes.length);
  }
  const damage = damagedAt === undefined ? undefined : { offset: damagedAt, cut, later };
  return { records, damage };
}
