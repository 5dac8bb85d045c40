/**
 * Waves out of committed anchors (design/consensus.md, "Waves"): each committed anchor is one wave,
 * numbered without gaps; its transactions run by vertex, batch, position.
 */
import type { Epoch, Round, VertexHash, WaveCommitRecord, WaveId } from '../types/index.ts';
import { toRound, toWaveId } from '../types/index.ts';
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
  /** Wire bytes in committed order. */
  readonly transactions: readonly Uint8Array[];
}

type WaveHead = Pick<WaveCommitRecord, 'waveId' | 'anchorRound' | 'timestampMs'>;

export interface WaveBuilderOptions {
  readonly chainId: bigint;
  readonly epoch: Epoch;
  readonly gcRounds: number;
}

export class WaveBuilder {
  readonly #options: WaveBuilderOptions;
  #head: WaveHead;

  /** @param head the wave after which to go on */
  constructor(options: WaveBuilderOptions, head: WaveHead) {
    this.#options = options;
    this.#head = head;
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
    const { chainId, epoch } = this.#options;
    const prior = this.#head;
    const vertices = takeWaveVertices(dag, anchor, this.gcRound);
    const refs = vertices.flatMap((vertex) => vertex.batches);
    const medianMs = lowerMedian(anchor.parents.map(({ timestampMs }) => timestampMs));
    const nextMs = prior.timestampMs + 1n;
    const wave: CommittedWave = {
      chainId,
      epoch,
      waveId: toWaveId(prior.waveId + 1n),
      anchorRound: toRound(anchor.round),
      priorAnchorRound: prior.anchorRound,
      anchorHash: anchor.name,
      timestampMs: medianMs > nextMs ? medianMs : nextMs,
      priorTimestampMs: prior.timestampMs,
      transactions: refs.flatMap((ref) => [...batches.take(ref)]),
    };
    this.#head = wave;
    return wave;
  }
}
