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
  type WavePart,
} from './wave-messages.ts';

/** One peer has no more answers than this in one such time. */
export const MAX_ANSWERS_PER_TIME = 32;
export const ANSWERS_TIME_MS = 250;
const RECORD_BYTES = 640;

export class WaveServer {
  readonly #store: KeyValueStore;
  readonly #certs: Table;
  /** Answers since the time began; peers are validators, so it is bounded. */
  readonly #given = new Map<number, { readonly sinceMs: number; count: number }>();

  constructor(store: KeyValueStore) {
    this.#store = store;
    this.#certs = new Table(store, TABLE.certs);
  }

  /**
   * The answer to `want-waves`; undefined when the peer had too many just now.
   * @throws PydeError `borsh.*` when the bytes are no such message; `state.checksum` for a bad store
   */
  answer(peer: number, bytes: Uint8Array, nowMs: number): Uint8Array | undefined {
    const want = decodeWantWaves(bytes);
    if (!this.#mayAnswer(peer, nowMs)) return undefined;
    if (want.mode === 'transactions') {
      return encodeWaves({ ...want, parts: this.#transactions(want), cert: undefined });
    }
    const parts = this.#records(want.wave);
    const last = this.#lastCert(parts);
    if (last === undefined) return encodeWaves({ ...want, parts, cert: undefined });
    return encodeWaves({ ...want, parts: parts.slice(0, last.at + 1), cert: last.cert });
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

  /** Up to the end of an epoch: what comes after is another committee's. */
  #records(first: bigint): WavePart[] {
    const parts: WavePart[] = [];
    for (let wave = first; parts.length < MAX_PARTS; wave++) {
      const record = readWaveRecord(this.#store, wave);
      if (record === undefined) break;
      parts.push({ record, transactions: [] });
      if (record.nextCommitteeHash !== undefined) break;
    }
    return parts;
  }

  #lastCert(
    parts: readonly WavePart[],
  ): { readonly at: number; readonly cert: HardFinalityCert } | undefined {
    for (let at = parts.length - 1; at >= 0; at--) {
      const waveId = parts[at]?.record.waveId ?? 0n;
      const bytes = this.#certs.get(u64BigEndian(waveId));
      if (bytes !== undefined) return { at, cert: decodeExactly(bytes, readHardFinalityCert) };
    }
    return undefined;
  }

  #transactions(want: { readonly wave: bigint; readonly index: number }): WavePart[] {
    const parts: WavePart[] = [];
    let { wave, index } = want;
    for (let bytes = 0; parts.length < MAX_PARTS && bytes < FULL_ANSWER_BYTES; wave++, index = 0) {
      const record = readWaveRecord(this.#store, wave);
      if (record === undefined) break;
      bytes += RECORD_BYTES;
      const transactions: Uint8Array[] = [];
      for (let at = index; at < record.txCount && bytes < FULL_ANSWER_BYTES; at++) {
        const transaction = readWaveTransaction(this.#store, wave, at);
        if (transaction === undefined) break;
        transactions.push(transaction);
        bytes += transaction.length + 4;
      }
      parts.push({ record, transactions });
      if (index + transactions.length < record.txCount) break;
    }
    return parts;
  }
}
