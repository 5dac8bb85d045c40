/**
 * Waves out of committed anchors (design/consensus.md, "Waves"): each committed anchor is one wave,
 * numbered without gaps; its transactions run by vertex, batch, position. Once the epoch's last
 * transactions are ordered, waves carry none, and after the closing wave there are none.
 */
import { invariant } from '../bytes/index.ts';
import type { Epoch, Hash, Round, VertexHash, WaveCommitRecord, WaveId } from '../types/index.ts';
import { toRound, toWaveId } from '../types/index.ts';
import {
  type EpochPhase,
  type EpochSpan,
  epochEndMs,
  epochPhase,
  isEpochSettled,
} from '../validators/index.ts';
import type { BatchStore } from './batch-store.ts';
import type { Dag, DagVertex } from './dag.ts';
import { gcRoundAfter, takeWaveVertices } from './linearizer.ts';
import { lowerMedian } from './proposer.ts';

/** All that execution needs of a wave, but for the digest of the record before it. */
export interface CommittedWave {
  readonly chainId: bigint;
  readonly epoch: Epoch;
  readonly waveId: WaveId;
  readonly anchorRound: Round;
  readonly priorAnchorRound: Round;
  readonly anchorHash: VertexHash;
  readonly timestampMs: bigint;
  readonly priorTimestampMs: bigint;
  /** What the wave is within its epoch; execution comes to the same by itself. */
  readonly phase: EpochPhase;
  /** Wire bytes in committed order. */
  readonly transactions: readonly Uint8Array[];
  /** Of a wave that others executed: nothing of it is written unless this comes out. */
  readonly expectedDigest?: Hash;
}

type WaveHead = Pick<WaveCommitRecord, 'waveId' | 'anchorRound' | 'timestampMs'>;
type PriorRecord = WaveHead & Pick<WaveCommitRecord, 'epoch' | 'nextBeacon'>;

export interface WaveBuilderOptions {
  readonly chainId: bigint;
  readonly epoch: Epoch;
  readonly gcRounds: number;
  readonly span: EpochSpan;
}

export class WaveBuilder {
  readonly #options: WaveBuilderOptions;
  #head: WaveHead;

  #isClosed: boolean;

  /** @param head the wave after which to go on; that which closed the epoch before in a new one */
  constructor(options: WaveBuilderOptions, head: PriorRecord) {
    const isOfEpoch = head.epoch === options.epoch;
    this.#options = options;
    this.#head = isOfEpoch ? head : { ...head, anchorRound: toRound(0) };
    this.#isClosed = isOfEpoch && head.nextBeacon !== undefined;
  }

  /** The last transactions of the epoch are ordered: batches wait for the next one. */
  get isEnding(): boolean {
    return this.#head.timestampMs >= epochEndMs(this.#options.span);
  }

  /** The closing wave is built; anchors after it are no waves. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get head(): WaveHead {
    return this.#head;
  }

  /** Vertices at or below it are in no later wave. */
  get gcRound(): number {
    return gcRoundAfter(this.#head.anchorRound, this.#options.gcRounds);
  }

  /** The next wave, of this anchor. */
  build(dag: Dag, batches: BatchStore, anchor: DagVertex): CommittedWave {
    const { chainId, epoch, span } = this.#options;
    const prior = this.#head;
    invariant(!this.#isClosed, 'no wave of an epoch comes after the one that closes it');
    const vertices = takeWaveVertices(dag, anchor, this.gcRound);
    const refs = vertices.flatMap((vertex) => vertex.batches);
    const medianMs = lowerMedian(anchor.parents.map(({ timestampMs }) => timestampMs));
    const nextMs = prior.timestampMs + 1n;
    const timestampMs = medianMs > nextMs ? medianMs : nextMs;
    const priorTimestampMs = prior.timestampMs;
    const phase = epochPhase(span, { timestampMs, priorTimestampMs }, isEpochSettled());
    const transactions = refs.flatMap((ref) => [...batches.take(ref)]);
    const wave: CommittedWave = {
      chainId,
      epoch,
      waveId: toWaveId(prior.waveId + 1n),
      anchorRound: toRound(anchor.round),
      priorAnchorRound: prior.anchorRound,
      anchorHash: anchor.name,
      timestampMs,
      priorTimestampMs,
      phase,
      transactions: phase === 'open' || phase === 'last' ? transactions : [],
    };
    this.#head = wave;
    this.#isClosed = phase === 'closing';
    return wave;
  }
}
