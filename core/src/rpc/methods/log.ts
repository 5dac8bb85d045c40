/**
 * Logs. No transaction that is served emits events, so there are none to find; what is asked is
 * checked as it will be.
 */
import {
  type Address,
  type Hash,
  MAX_EVENT_TOPICS,
  toWaveId,
  type WaveId,
} from '../../types/index.ts';
import { badParams } from '../error.ts';
import {
  type JsonObject,
  optional,
  type Reader,
  readAddress,
  readArray,
  readHash,
  readNumber,
  readObject,
  readU64,
} from '../params.ts';
import type { MethodTable } from './method.ts';

/** spec/rpc.md; book, HOST_FN_ABI_SPEC §15.4. */
export const MAX_LOG_WAVES = 5_000n;
const MAX_LOGS = 1_000;
/** Of one topic position. */
const MAX_TOPIC_CHOICES = 8;
const MAX_CONTRACTS = 64;
const U32_MAX = 0xffff_ffff;

/** The last log that was delivered. */
export interface LogCursor {
  readonly waveId: WaveId;
  readonly txIndex: number;
  readonly eventIndex: number;
}

export interface LogFilter {
  /** By position; undefined passes anything, a list any of its entries. */
  readonly topics: readonly (readonly Hash[] | undefined)[];
  /** undefined passes every contract. */
  readonly contracts: readonly Address[] | undefined;
  /** Only what follows. */
  readonly cursor: LogCursor | undefined;
}

const FILTER_KEYS = ['topics', 'contracts', 'cursor'] as const;

export const logMethods: MethodTable = {
  pyde_getLogs: {
    params: ['filter'],
    run: (_backend, [value]) => {
      const query = readObject(value, 'filter', [...FILTER_KEYS, 'from_wave', 'to_wave', 'limit']);
      const from = readU64(query['from_wave'], 'from_wave');
      const to = readU64(query['to_wave'], 'to_wave');
      checkSpan(from, to);
      readFilter(query);
      optional(query['limit'], 'limit', (limit, name) => readNumber(limit, name, 1, MAX_LOGS));
      return { entries: [] };
    },
  },
  pyde_getEvents: {
    params: ['{fromWave?, toWave?, contract?}?'],
    run: (_backend, [value]) => {
      const query = optional(value, 'parameter 1', (query, name) =>
        readObject(query, name, ['fromWave', 'toWave', 'contract']),
      );
      // Any span: clients ask this method for all waves at once.
      optional(query?.['fromWave'], 'fromWave', readU64);
      optional(query?.['toWave'], 'toWave', readU64);
      optional(query?.['contract'], 'contract', readAddress);
      return [];
    },
  },
};

/** The filter of `pyde_subscribe`: that of `pyde_getLogs` without the waves and the limit. */
export function readLogSubscription(value: unknown): LogFilter {
  const query = optional(value, 'filter', (filter, name) =>
    readObject(filter, name, [...FILTER_KEYS, 'from_wave', 'to_wave']),
  );
  const from = optional(query?.['from_wave'], 'from_wave', readU64);
  const to = optional(query?.['to_wave'], 'to_wave', readU64);
  if (from !== undefined && to !== undefined) checkSpan(from, to);
  return readFilter(query ?? {});
}

function readFilter(query: JsonObject): LogFilter {
  const topics = optional(query['topics'], 'topics', (value, name) =>
    readArray(value, name, MAX_EVENT_TOPICS).map((choices, i) =>
      optional(choices, `topics[${i}]`, readChoices(readHash, MAX_TOPIC_CHOICES)),
    ),
  );
  return {
    topics: topics ?? [],
    contracts: optional(query['contracts'], 'contracts', readChoices(readAddress, MAX_CONTRACTS)),
    cursor: optional(query['cursor'], 'cursor', readCursor),
  };
}

function readChoices<T>(read: Reader<T>, max: number): Reader<readonly T[]> {
  return (value, name) => {
    const choices = readArray(value, name, max).map((one, i) => read(one, `${name}[${i}]`));
    if (choices.length === 0) throw badParams(`${name} is empty; use null to pass everything`);
    return choices;
  };
}

const readCursor: Reader<LogCursor> = (value, name) => {
  const cursor = readObject(value, name, ['wave_id', 'tx_index', 'event_index']);
  return {
    waveId: toWaveId(readU64(cursor['wave_id'], `${name}.wave_id`)),
    txIndex: readNumber(cursor['tx_index'], `${name}.tx_index`, 0, U32_MAX),
    eventIndex: readNumber(cursor['event_index'], `${name}.event_index`, 0, U32_MAX),
  };
};

function checkSpan(from: bigint, to: bigint): void {
  if (from > to) throw badParams(`the range ends at wave ${to}, before it begins at ${from}`);
  if (to - from > MAX_LOG_WAVES) {
    throw badParams(
      `waves ${from} to ${to} are more than the ${MAX_LOG_WAVES} of one call; ask in parts`,
    );
  }
}
