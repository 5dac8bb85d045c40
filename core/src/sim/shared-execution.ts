/**
 * Waves executed once for many nodes: what a wave comes to is a function of the state before it, which
 * the digest of the record before it names, and of what the wave holds. A node that stands elsewhere,
 * or orders another wave, executes alone. Of every wave one node in turn executes alone as well, so
 * that results are still compared (`ledger.ts`).
 */
import { toHex } from '../bytes/index.ts';
import type { CommittedWave } from '../consensus/index.ts';
import type { WaveExecutor, WaveOutcome } from '../execution/index.ts';
import type { StoreWrite } from '../platform/index.ts';
import { differenceOf } from './ledger.ts';

/** Nodes further behind execute alone. */
const KEPT_WAVES = 64;

interface KnownOutcome {
  readonly wave: CommittedWave;
  readonly outcome: WaveOutcome;
}

export class SharedExecution {
  readonly #nodes: number;
  /** By the digest of the record before. */
  readonly #known = new Map<string, KnownOutcome>();

  constructor(nodes: number) {
    this.#nodes = nodes;
  }

  /** As `WaveExecutor.compute`, by the executor of a node. */
  compute(
    executor: WaveExecutor,
    wave: CommittedWave,
    node: number,
  ): readonly StoreWrite[] | undefined {
    const isAlone = wave.expectedDigest !== undefined || this.#isTurnOf(node, wave.waveId);
    const before = toHex(executor.head.digest);
    const known = isAlone ? undefined : this.#known.get(before);
    if (known !== undefined && differenceOf(known.wave, wave) === undefined) {
      return executor.follow(known.outcome);
    }
    const writes = executor.compute(wave);
    const { outcome } = executor;
    if (!isAlone && known === undefined && outcome !== undefined) {
      this.#remember(before, { wave, outcome });
    }
    return writes;
  }

  #isTurnOf(node: number, waveId: bigint): boolean {
    return waveId % BigInt(this.#nodes) === BigInt(node);
  }

  #remember(before: string, known: KnownOutcome): void {
    this.#known.set(before, known);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT_WAVES) break;
      this.#known.delete(oldest);
    }
  }
}
