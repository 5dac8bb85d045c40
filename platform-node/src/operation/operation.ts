/**
 * Everything that shows an operator how a node does: one log line a wave, one when it is not ready,
 * the metrics, and the pages `/metrics`, `/health` and `/ready`. It is made before the node, so that the node's start is
 * measured too, and reads the node once it is attached.
 *
 * It trusts the node and is itself asked by anybody who reaches the pages: what a page costs is
 * bounded, and what it shows holds no secret.
 */
import { toHex } from '@pyde/core/bytes';
import type { Clock, Logger } from '@pyde/core/platform';
import { genesisHash, type HardFinalityCert, type WaveCommitRecord } from '@pyde/core/types';
import { Gauge, Registry } from 'prom-client';
import type { RuntimeWatch } from '../runtime/runtime-watch.ts';
import type { PageAnswer, Pages, ServerWatch } from '../server/index.ts';
import { addChainMetrics } from './chain-metrics.ts';
import { addLoadMetrics, addProcessMetrics } from './load-metrics.ts';
import { addNetworkMetrics } from './network-metrics.ts';
import { hindrancesOf } from './readiness.ts';
import { readCounter } from './reading.ts';
import { LOOK_MS, ReadyLog } from './ready-log.ts';
import { RpcMetrics } from './rpc-metrics.ts';
import type { OperationSource } from './source.ts';
import { StageTimes } from './stage-metrics.ts';
import { countStart } from './starts.ts';
import { WaveCounts } from './wave-counts.ts';
import { WaveLog } from './wave-log.ts';

export interface OperationOptions {
  /** The node's own; counts starts, and its disk is watched. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** However many ask for it, the text is made so often. */
const SCRAPE_MS = 1_000;
/** Figures of the node that belong to one look. */
const FIGURES_MS = 100;
const JSON_TYPE = 'application/json; charset=utf-8';

export class Operation {
  readonly registry = new Registry();
  /** To be given to the node when it is opened. */
  readonly watch: RuntimeWatch;
  /** To be given to the RPC server. */
  readonly rpc: ServerWatch;
  /** To be served by the RPC server or by a `PageServer`. */
  readonly pages: Pages;
  readonly #options: OperationOptions;
  readonly #counts: WaveCounts;
  readonly #stages: StageTimes;
  readonly #waveLog: WaveLog;
  readonly #endings: (() => void)[] = [];
  #source: OperationSource | undefined;
  #text: { readonly body: Promise<string>; readonly madeMs: number } | undefined;
  #epoch: number | undefined;

  constructor(options: OperationOptions) {
    const { clock, logger, folder } = options;
    this.#options = options;
    this.#counts = new WaveCounts(clock.now().unixMs);
    this.#stages = new StageTimes(this.registry, clock);
    this.#waveLog = new WaveLog(logger, clock);
    this.rpc = new RpcMetrics(this.registry);
    this.watch = {
      took: (stage, ms) => this.#stages.took(stage, ms),
      admitted: (hash, ms) => this.#stages.admitted(hash, ms),
      equivocation: () => {
        this.#counts.equivocations++;
      },
    };
    this.pages = new Map([
      ['/metrics', () => this.#metrics()],
      ['/health', async () => this.#health()],
      ['/ready', async () => this.#ready()],
    ]);
    this.#endings.push(addProcessMetrics(this.registry));
    const starts = countStart(folder);
    readCounter(this.registry, 'pyde_starts_total', 'Starts on this folder', () => starts);
  }

  /** The node is open: from here on it is read. Call once. */
  attach(source: OperationSource): void {
    const { clock, folder } = this.#options;
    this.#source = source;
    const figures = within(FIGURES_MS, () => source.metrics());
    this.#addBuildInfo(source);
    addChainMetrics(this.registry, source, this.#counts, clock);
    addLoadMetrics(this.registry, figures, folder);
    addNetworkMetrics(this.registry, figures, () => source.peers());
    this.#endings.push(
      source.onWave((record) => this.#onWave(source, record)),
      source.onFinality((cert) => this.#onFinality(cert)),
    );
    const readyLog = new ReadyLog(this.#options.logger, clock);
    const look = setInterval(
      () => readyLog.look(hindrancesOf(source, clock.now().unixMs)),
      LOOK_MS,
    );
    look.unref();
    this.#endings.push(() => clearInterval(look));
    this.#onEpoch(source);
  }

  /** Writes what waits and listens no more. */
  stop(): void {
    for (const end of this.#endings.splice(0)) end();
    this.#waveLog.flush();
  }

  #onWave(source: OperationSource, record: WaveCommitRecord): void {
    const isFollowing = source.standing().phase === 'following';
    this.#counts.wave(record);
    this.#waveLog.executed(record, isFollowing);
    if (isFollowing) this.#stages.executed(record, (hash) => source.transactionStatus(hash));
    else this.#stages.forget();
    if (record.epoch !== this.#epoch) this.#onEpoch(source);
  }

  #onFinality(cert: HardFinalityCert): void {
    this.#counts.certified(cert);
    this.#stages.certified(cert);
    this.#waveLog.certified(cert);
  }

  /** What an operator must not miss is said again with every epoch. */
  #onEpoch(source: OperationSource): void {
    const { protocol, epoch } = source.standing();
    this.#epoch = source.head().epoch;
    const { unsupported, supported } = protocol;
    if (unsupported === undefined) return;
    this.#options.logger.warn('this software must be replaced before an upgrade of the chain', {
      upgrade_epoch: unsupported.epoch,
      upgrade_version: unsupported.version,
      supported_version: supported,
      epoch,
    });
  }

  #addBuildInfo(source: OperationSource): void {
    const { genesis } = source;
    const labels = {
      version: source.nodeInfo().agentVersion,
      node: process.versions.node,
      chain_id: String(genesis.chainId),
      genesis: toHex(genesisHash(genesis)),
    };
    const gauge = new Gauge({
      name: 'pyde_build_info',
      help: 'What runs, and on which chain',
      labelNames: Object.keys(labels),
      registers: [this.registry],
    });
    gauge.set(labels, 1);
  }

  async #metrics(): Promise<PageAnswer> {
    const nowMs = performance.now();
    if (this.#text === undefined || nowMs - this.#text.madeMs >= SCRAPE_MS) {
      this.#text = { body: this.registry.metrics(), madeMs: nowMs };
    }
    return { status: 200, type: this.registry.contentType, body: await this.#text.body };
  }

  #health(): PageAnswer {
    const standing = this.#source?.standing();
    if (standing?.halted !== undefined) {
      return json(503, { live: false, reason: standing.halted });
    }
    return json(200, { live: true, phase: standing?.phase ?? 'opening' });
  }

  #ready(): PageAnswer {
    const source = this.#source;
    if (source === undefined) {
      const message = 'the node reads its store; wait';
      return json(503, { ready: false, reasons: [{ code: 'opening', message }] });
    }
    const reasons = hindrancesOf(source, this.#options.clock.now().unixMs);
    const { epoch, phase } = source.standing();
    const { waveId } = source.head();
    const certified = source.certifiedHead();
    return json(reasons.length === 0 ? 200 : 503, {
      ready: reasons.length === 0,
      reasons,
      phase,
      epoch,
      wave: Number(waveId),
      certified_wave: certified === undefined ? null : Number(certified),
    });
  }
}

const json = (status: number, value: unknown): PageAnswer => ({
  status,
  type: JSON_TYPE,
  body: `${JSON.stringify(value)}\n`,
});

/** The value that `read` gave at most so long ago. */
function within<T>(ms: number, read: () => T): () => T {
  let last: { readonly value: T; readonly atMs: number } | undefined;
  return () => {
    const nowMs = performance.now();
    if (last === undefined || nowMs - last.atMs >= ms) last = { value: read(), atMs: nowMs };
    return last.value;
  };
}
