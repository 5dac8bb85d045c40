/** What waits, and what memory and disk are used for. */
import { statfsSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import { readCounter, readGauge, readGauges } from './reading.ts';
import type { OperationSource } from './source.ts';

/** The loop is woken so often to be measured, without running anything. */
const SAMPLE_MS = 50;
/** Between two looks at the delay; further ones within it see the same span. */
const LEAST_SPAN_MS = 5_000;
const NANOSECONDS = 1e9;

/** From the flat figures of the node, by queue. */
const QUEUES: Readonly<Record<string, string>> = {
  events: 'events_queued',
  admission: 'transactions_in_check',
  signatures: 'signature_checks_queued',
  waves: 'waves_waiting',
};

/** @param figures of the node, flat */
export function addLoadMetrics(
  registry: Registry,
  figures: OperationSource['metrics'],
  folder: string,
): void {
  const figure = (name: string) => (): number | undefined => figures()[name];
  readGauges(registry, 'pyde_queue_length', 'Entries that wait, by queue', 'queue', () => {
    const now = figures();
    return Object.entries(QUEUES).map(([queue, name]) => [queue, now[name] ?? 0]);
  });
  readCounter(
    registry,
    'pyde_messages_dropped_total',
    'Messages of peers that came while too many waited; whoever needs them asks again',
    figure('messages_dropped'),
  );
  readGauge(
    registry,
    'pyde_mempool_transactions',
    'Transactions that are pending',
    figure('transactions_pending'),
  );
  readGauge(registry, 'pyde_mempool_bytes', 'Wire bytes of them', figure('pool_bytes'));
  readGauge(
    registry,
    'pyde_database_memory_bytes',
    "The database's write buffers and block cache",
    figure('database_memory_bytes'),
  );
  readGauge(
    registry,
    'pyde_execution_heap_bytes',
    'JavaScript heap of the execution thread',
    figure('execution_heap_bytes'),
  );
  readGauge(
    registry,
    'pyde_disk_free_bytes',
    "Free on the disk of the node's folder; the node stops below 16 MiB",
    () => freeBytes(folder),
  );
}

/** Of the process; needs no node. @returns ends the measuring */
export function addProcessMetrics(registry: Registry): () => void {
  readGauges(registry, 'pyde_memory_bytes', 'Memory of the process, by kind', 'kind', () => {
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    return [
      ['resident', rss],
      ['heap-used', heapUsed],
      ['heap-total', heapTotal],
      ['external', external],
      ['array-buffers', arrayBuffers],
    ];
  });
  readCounter(
    registry,
    'pyde_cpu_seconds_total',
    'Processor time of the process, all threads',
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  );
  const startSeconds = Date.now() / 1_000 - process.uptime();
  readGauge(
    registry,
    'pyde_start_time_seconds',
    'When the process started, Unix time',
    () => startSeconds,
  );
  const delay = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  delay.enable();
  let sinceMs = performance.now();
  readGauges(
    registry,
    'pyde_event_loop_delay_seconds',
    'By how much the event loop is late, since somebody last looked',
    'quantile',
    () => {
      const seen = quantiles(delay);
      if (performance.now() - sinceMs >= LEAST_SPAN_MS) {
        delay.reset();
        sinceMs = performance.now();
      }
      return seen;
    },
  );
  return () => delay.disable();
}

function quantiles(delay: ReturnType<typeof monitorEventLoopDelay>): [string, number][] {
  const late = (nanoseconds: number): number =>
    delay.count === 0 ? 0 : Math.max(0, nanoseconds / NANOSECONDS - SAMPLE_MS / 1_000);
  return [
    ['0.5', late(delay.percentile(50))],
    ['0.99', late(delay.percentile(99))],
    ['1', late(delay.max)],
  ];
}

/** Undefined where the folder cannot be looked at. */
function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
