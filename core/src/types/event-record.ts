/** An event as a contract or the engine emitted it (book, HOST_FN_ABI_SPEC §15.3). */
import { type BorshReader, type BorshWriter, PydeError } from '../bytes/index.ts';
import {
  ADDRESS_BYTES,
  type Address,
  HASH_BYTES,
  type Hash,
  toAddress,
  toHash,
  toWaveId,
  type WaveId,
} from './brand.ts';

export const MAX_EVENT_TOPICS = 4;
export const MAX_EVENT_DATA_BYTES = 1 << 16;

export interface EventRecord {
  readonly waveId: WaveId;
  readonly txIndex: number;
  readonly eventIndex: number;
  readonly contract: Address;
  /** 1 … 4; the first is Blake3 of the event's signature. */
  readonly topics: readonly Hash[];
  readonly data: Uint8Array;
}

export function writeEventRecord(writer: BorshWriter, event: EventRecord): void {
  writer
    .u64(event.waveId)
    .u32(event.txIndex)
    .u32(event.eventIndex)
    .fixed(event.contract)
    .vec(event.topics, (w, topic) => w.fixed(topic))
    .bytes(event.data);
}

export function readEventRecord(reader: BorshReader): EventRecord {
  const record = {
    waveId: toWaveId(reader.u64()),
    txIndex: reader.u32(),
    eventIndex: reader.u32(),
    contract: toAddress(reader.fixed(ADDRESS_BYTES)),
    topics: reader.vec(MAX_EVENT_TOPICS, HASH_BYTES, (r) => toHash(r.fixed(HASH_BYTES))),
    data: reader.bytes(MAX_EVENT_DATA_BYTES),
  };
  if (record.topics.length === 0) {
    throw new PydeError('types.event-topics', 'an event has 1 to 4 topics, got none');
  }
  return record;
}
