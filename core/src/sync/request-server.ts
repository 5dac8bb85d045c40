/**
 * Answers what anybody asks (design/light-client.md, "Request protocols"), from the store alone: one
 * bounded answer a question, nothing remembered of who asked. How often a peer may ask is decided
 * before the question comes here. The question is hostile; the store is trusted as every store is.
 */
import { invariant, readU64BigEndian } from '../bytes/index.ts';
import { readHeadWave, readWaveRecord } from '../execution/index.ts';
import type { KeyValueStore } from '../platform/index.ts';
import { encodeStateProof, type StateStore, TABLE, Table } from '../state/index.ts';
import type { Epoch, Genesis, HardFinalityCert, WaveCommitRecord } from '../types/index.ts';
import { seatedBy } from './next-committee.ts';
import {
  decodeCertQuestion,
  decodeEpochQuestion,
  decodeProofQuestion,
  encodeCertAnswer,
  encodeEpochAnswer,
  encodeHeadAnswer,
  encodeProofAnswer,
  MAX_LEADING_RECORDS,
  MAX_QUESTION_BYTES,
  type ProofEntry,
  type ProofQuestion,
  type RequestName,
  requestError,
} from './requests.ts';
import { answerWaves, keptCert } from './serve-waves.ts';
import { decodeWantWaves } from './wave-messages.ts';

export interface RequestServerSetup {
  readonly store: KeyValueStore;
  /** As of the newest executed wave; whoever owns it moves it on. */
  readonly state: StateStore;
  readonly genesis: Genesis;
}

/** For so long `head` is answered with the same bytes, however many ask. */
const HEAD_KEPT_MS = 50;
/** An answer with proofs is full at so many bytes; the last value comes on top. */
const FULL_PROOFS_BYTES = 1024 * 1024;

export class RequestServer {
  readonly #setup: RequestServerSetup;
  readonly #oldestWave: bigint;
  #head: { readonly bytes: Uint8Array; readonly atMs: number } | undefined;

  private constructor(setup: RequestServerSetup, oldestWave: bigint) {
    this.#setup = setup;
    this.#oldestWave = oldestWave;
  }

  static async open(setup: RequestServerSetup): Promise<RequestServer> {
    let oldest = 0n;
    for await (const [key] of new Table(setup.store, TABLE.waves).range({ limit: 1 })) {
      oldest = readU64BigEndian(key);
    }
    return new RequestServer(setup, oldest);
  }

  /**
   * @param nowMs monotonic
   * @throws PydeError `request.*`, or `borsh.*`, `sync.*`, `types.*`, `state.*` for a question that
   * is none: to be sent as a refusal. `state.checksum` says that the store is bad
   */
  answer(name: RequestName, question: Uint8Array, nowMs: number): Uint8Array {
    if (question.length > MAX_QUESTION_BYTES) {
      throw requestError('request.size', `a question has at most ${MAX_QUESTION_BYTES} bytes`, {
        bytes: question.length,
      });
    }
    switch (name) {
      case 'head':
        return this.#headAnswer(question, nowMs);
      case 'cert':
        return this.#cert(decodeCertQuestion(question));
      case 'epoch':
        return this.#epoch(decodeEpochQuestion(question));
      case 'proof':
        return this.#proof(decodeProofQuestion(question));
      case 'waves': {
        const want = decodeWantWaves(question);
        if (want.wave < this.#oldestWave) throw notKept('wave', want.wave, this.#oldestWave);
        return answerWaves(this.#setup.store, want);
      }
      case 'peers':
      case 'events':
      case 'manifest':
      case 'chunk':
        throw requestError('request.not-served', `this node does not answer ${name}`);
      default:
        return name satisfies never;
    }
  }

  #headAnswer(question: Uint8Array, nowMs: number): Uint8Array {
    if (question.length > 0) {
      throw requestError('request.size', 'the question for the head is empty', {
        bytes: question.length,
      });
    }
    if (this.#head !== undefined && nowMs < this.#head.atMs + HEAD_KEPT_MS) return this.#head.bytes;
    const head = this.#newest().waveId;
    const bytes = encodeHeadAnswer({
      head,
      oldestWave: this.#oldestWave,
      oldestState: this.#setup.state.oldestVersion ?? head,
      cert: this.#newestCert(head),
    });
    this.#head = { bytes, atMs: nowMs };
    return bytes;
  }

  #newest(): WaveCommitRecord {
    const head = readHeadWave(this.#setup.store);
    invariant(head !== undefined, 'a node that serves holds a chain');
    return head.record;
  }

  #newestCert(head: bigint): HardFinalityCert | undefined {
    for (let back = 0; back < MAX_LEADING_RECORDS; back++) {
      const wave = head - BigInt(back);
      if (wave < this.#oldestWave) return undefined;
      const cert = keptCert(this.#setup.store, wave);
      if (cert !== undefined) return cert;
    }
    return undefined;
  }

  /** Not every wave has one of its own: the next covers it, through the records between them. */
  #cert(wave: bigint): Uint8Array {
    if (wave < this.#oldestWave) throw notKept('wave', wave, this.#oldestWave);
    const { store } = this.#setup;
    const records: WaveCommitRecord[] = [];
    for (let at = wave; ; at++) {
      const record = readWaveRecord(store, at);
      if (record === undefined) {
        throw requestError('request.not-yet', `wave ${wave} is not certified yet`, {
          head: this.#newest().waveId.toString(),
        });
      }
      const cert = keptCert(store, at);
      if (cert !== undefined) return encodeCertAnswer({ records, cert });
      if (records.length === MAX_LEADING_RECORDS) break;
      records.push(record);
    }
    throw requestError(
      'request.not-kept',
      `no certificate is kept of wave ${wave} or the ${MAX_LEADING_RECORDS} after it; follow the ` +
        'records from it on (waves) to the next one that is',
      { oldest: this.#oldestWave.toString() },
    );
  }

  #epoch(epoch: Epoch): Uint8Array {
    const closing = this.#closingOf(epoch);
    const cert = closing === undefined ? undefined : keptCert(this.#setup.store, closing.waveId);
    if (cert === undefined) {
      throw requestError('request.not-yet', `epoch ${epoch} is not closed yet`, {
        epoch: this.#newest().epoch,
      });
    }
    const members = seatedBy(cert.record, this.#setup.genesis);
    return encodeEpochAnswer({ closing: cert, members });
  }

  /** The last wave of the epoch, if it is over: waves are in the order of epochs. */
  #closingOf(epoch: Epoch): WaveCommitRecord | undefined {
    let low = this.#oldestWave;
    let high: bigint = this.#newest().waveId;
    const oldest = this.#recordOf(low).epoch;
    if (epoch < oldest) throw notKept('epoch', BigInt(epoch), BigInt(oldest));
    while (low < high) {
      const middle = (low + high + 1n) / 2n;
      if (this.#recordOf(middle).epoch <= epoch) low = middle;
      else high = middle - 1n;
    }
    const last = this.#recordOf(low);
    return last.epoch === epoch && last.nextCommitteeHash !== undefined ? last : undefined;
  }

  #recordOf(wave: bigint): WaveCommitRecord {
    const record = readWaveRecord(this.#setup.store, wave);
    invariant(record !== undefined, `records are kept from wave ${this.#oldestWave} to the head`);
    return record;
  }

  #proof({ wave, keys }: ProofQuestion): Uint8Array {
    const { state } = this.#setup;
    const oldest = state.oldestVersion ?? 0n;
    const newest = state.version ?? 0n;
    if (wave < oldest) throw notKept('state after wave', wave, oldest);
    if (wave > newest) {
      throw requestError('request.not-yet', `wave ${wave} is not executed here yet`, {
        head: newest.toString(),
      });
    }
    const entries: ProofEntry[] = [];
    let bytes = 0;
    for (const key of keys) {
      if (bytes >= FULL_PROOFS_BYTES) break;
      const entry = { value: state.getAt(key, wave), proof: state.prove(key, wave) };
      bytes += (entry.value?.length ?? 0) + encodeStateProof(entry.proof).length;
      entries.push(entry);
    }
    return encodeProofAnswer({ wave, entries });
  }
}

const notKept = (what: string, asked: bigint, oldest: bigint) =>
  requestError(
    'request.not-kept',
    `${what} ${asked} is no longer kept here; the oldest that is kept is ${oldest}`,
    { oldest: oldest.toString() },
  );
