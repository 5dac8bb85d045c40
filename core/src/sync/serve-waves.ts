/**
 * Serving executed waves to members that come back (messages want-waves and waves): read from the
 * store, one bounded answer a question. What a store no longer holds is not served; certificates of
 * old waves are gone but for those that close epochs, and the next one kept covers what lies before.
 */
import { decodeExactly, u64BigEndian } from '../bytes/index.ts';
import { readWaveRecord, readWaveTransaction } from '../execution/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import { type HardFinalityCert, readHardFinalityCert } from '../types/index.ts';
import {
  decodeWantWaves,
  encodeWaves,
  FULL_ANSWER_BYTES,
  MAX_PARTS,
  type WantWaves,
  type WavePart,
} from './wave-messages.ts';

/** One peer has no more answers than this in one such time. */
export const MAX_ANSWERS_PER_TIME = 32;
export const ANSWERS_TIME_MS = 250;
const RECORD_BYTES = 640;

export class WaveServer {
  readonly #store: KeyValueStore;
  /** Answers since the time began; peers are validators, so it is bounded. */
  readonly #given = new Map<number, { readonly sinceMs: number; count: number }>();

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /**
   * The answer to `want-waves`; undefined when the peer had too many just now.
   * @throws PydeError `borsh.*` when the bytes are no such message; `state.checksum` for a bad store
   */
  answer(peer: number, bytes: Uint8Array, nowMs: number): Uint8Array | undefined {
    const want = decodeWantWaves(bytes);
    return this.#mayAnswer(peer, nowMs) ? answerWaves(this.#store, want) : undefined;
  }

  #mayAnswer(peer: number, nowMs: number): boolean {
    const given = this.#given.get(peer);
    if (given === undefined || nowMs >= given.sinceMs + ANSWERS_TIME_MS) {
      this.#given.set(peer, { sinceMs: nowMs, count: 1 });
      return true;
    }
    given.count++;
    return given.count <= MAX_ANSWERS_PER_TIME;
  }
}

/** What the store holds of what is wanted. @throws PydeError `state.checksum` for a bad store */
export function answerWaves(store: KeyValueStore, want: WantWaves): Uint8Array {
  if (want.mode === 'transactions') {
    return encodeWaves({ ...want, parts: transactionsFrom(store, want), cert: undefined });
  }
  const parts = recordsFrom(store, want.wave);
  const last = lastCert(store, parts);
  if (last === undefined) return encodeWaves({ ...want, parts, cert: undefined });
  return encodeWaves({ ...want, parts: parts.slice(0, last.at + 1), cert: last.cert });
}

/** The certificate of a wave, if the store keeps one. */
export function keptCert(store: KeyValueStore, wave: bigint): HardFinalityCert | undefined {
  const bytes = new Table(store, TABLE.certs).get(u64BigEndian(wave));
  return bytes === undefined ? undefined : decodeExactly(bytes, readHardFinalityCert);
}

/** Up to the end of an epoch: what comes after is another committee's. */
function recordsFrom(store: KeyValueStore, first: bigint): WavePart[] {
  const parts: WavePart[] = [];
  for (let wave = first; parts.length < MAX_PARTS; wave++) {
    const record = readWaveRecord(store, wave);
    if (record === undefined) break;
    parts.push({ record, transactions: [] });
    if (record.nextCommitteeHash !== undefined) break;
  }
  return parts;
}

function lastCert(
  store: KeyValueStore,
  parts: readonly WavePart[],
): { readonly at: number; readonly cert: HardFinalityCert } | undefined {
  for (let at = parts.length - 1; at >= 0; at--) {
    const cert = keptCert(store, parts[at]?.record.waveId ?? 0n);
    if (cert !== undefined) return { at, cert };
  }
  return undefined;
}

function transactionsFrom(
  store: KeyValueStore,
  want: { readonly wave: bigint; readonly index: number },
): WavePart[] {
  const parts: WavePart[] = [];
  let { wave, index } = want;
  for (let bytes = 0; parts.length < MAX_PARTS && bytes < FULL_ANSWER_BYTES; wave++, index = 0) {
    const record = readWaveRecord(store, wave);
    if (record === undefined) break;
    bytes += RECORD_BYTES;
    const transactions: Uint8Array[] = [];
    for (let at = index; at < record.txCount && bytes < FULL_ANSWER_BYTES; at++) {
      const transaction = readWaveTransaction(store, wave, at);
      if (transaction === undefined) break;
      transactions.push(transaction);
      bytes += transaction.length + 4;
    }
    parts.push({ record, transactions });
    if (index + transactions.length < record.txCount) break;
  }
  return parts;
}
