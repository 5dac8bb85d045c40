/** How far the node is, and how far behind: rounds, waves, certificates, epochs, versions. */
import type { Clock } from '@pyde/core/platform';
import type { Registry } from 'prom-client';
import { quorumLinks } from './readiness.ts';
import { readCounter, readCounters, readGauge, readGauges } from './reading.ts';
import type { OperationSource } from './source.ts';
import type { WaveCounts } from './wave-counts.ts';

/** @param counts of this run */
export function addChainMetrics(
  registry: Registry,
  source: OperationSource,
  counts: WaveCounts,
  clock: Clock,
): void {
  const gauge = (name: string, help: string, read: () => number | undefined): void =>
    readGauge(registry, name, help, read);
  const counter = (name: string, help: string, read: () => number): void =>
    readCounter(registry, name, help, read);
  const secondsSince = (timestampMs: bigint): number =>
    Math.max(0, clock.now().unixMs - Number(timestampMs)) / 1_000;

  gauge('pyde_wave', 'Newest executed wave', () => Number(source.head().waveId));
  gauge('pyde_certified_wave', 'Newest wave with a certificate', () => certified(source));
  gauge('pyde_epoch', 'Epoch that the node is in', () => source.standing().epoch);
  gauge(
    'pyde_anchor_round',
    'Round of the newest executed anchor',
    () => source.head().anchorRound,
  );
  gauge('pyde_own_round', 'Round of the newest own vertex', () => consensus(source).ownRound);
  gauge('pyde_round', 'Highest round that was accepted', () => consensus(source).highestRound);
  gauge('pyde_wave_age_seconds', 'Time since the timestamp of the newest executed wave', () =>
    secondsSince(source.head().timestampMs),
  );
  gauge('pyde_finality_lag_waves', 'Executed waves without a certificate', () =>
    Math.max(0, Number(source.head().waveId) - certified(source)),
  );
  gauge(
    'pyde_finality_lag_seconds',
    'Time since the timestamp of the newest certified wave, or since the start',
    () => secondsSince(counts.certifiedMs),
  );
  readGauges(
    registry,
    'pyde_phase',
    '1 for what the node does: following, or how it comes back',
    'phase',
    () => [[source.standing().phase, 1]],
  );
  gauge('pyde_validator', '1 with a validator key', () => Number(source.standing().isValidator));
  gauge('pyde_seat', '1 while the validator is a member of the epoch', () =>
    Number(source.standing().hasSeat),
  );
  gauge('pyde_links_needed', 'Links with which a validator has a quorum', () =>
    quorumLinks(source.genesis.validators.length),
  );
  gauge('pyde_halted', '1 when the node takes part no more', () =>
    Number(source.standing().halted !== undefined),
  );
  gauge('pyde_protocol_version', 'Protocol version of the epoch', () => protocol(source).active);
  gauge(
    'pyde_protocol_version_supported',
    'Newest protocol version that the software knows',
    () => protocol(source).supported,
  );
  gauge(
    'pyde_upgrade_required_epoch',
    'Epoch before which this software halts; absent while none is known',
    () => protocol(source).unsupported?.epoch,
  );

  counter('pyde_waves_total', 'Waves executed in this run', () => counts.waves);
  counter(
    'pyde_transactions_total',
    'Transactions executed in this run',
    () => counts.transactions,
  );
  counter('pyde_gas_used_total', 'Gas used in this run', () => counts.gasUsed);
  counter(
    'pyde_skipped_anchors_total',
    'Rounds whose anchor no wave has, up to the newest wave of this run',
    () => counts.skippedAnchors,
  );
  counter(
    'pyde_equivocations_total',
    'Proofs found in this run that a validator contradicts itself',
    () => counts.equivocations,
  );
  gauge(
    'pyde_vertices_waiting',
    'Vertices that lack an ancestor or a batch',
    () => consensus(source).bufferedVertices,
  );
  gauge(
    'pyde_vertices_missing',
    'Ancestors and batches that are asked for',
    () => consensus(source).missing,
  );
  gauge(
    'pyde_batches',
    'Batches of transactions in memory',
    () => consensus(source).batchesInMemory,
  );
  readCounters(
    registry,
    'pyde_messages_refused_total',
    'Messages of validators not taken in this epoch, by error code',
    'code',
    () => consensus(source).refused,
  );
}

const certified = (source: OperationSource): number => Number(source.certifiedHead() ?? 0n);
const consensus = (source: OperationSource) => source.standing().consensus;
const protocol = (source: OperationSource) => source.standing().protocol;
