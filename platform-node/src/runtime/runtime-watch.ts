/**
 * What a node tells whoever measures it: how long each stage took, and what happened that counts.
 * Figures that stand are read from the node instead, when somebody looks.
 */
import type { KeyValueStore, StoreWrite, WorkerPool } from '@pyde/core/platform';
import type { TxHash } from '@pyde/core/types';
import type { DriverParts } from './driver.ts';

/**
 * `execution`: waves handed out together, until they are in the store. `store-write`: a batch of
 * consensus or admission. `signature-check`: a batch, from being queued to its verdicts.
 */
export type RuntimeStage = 'execution' | 'store-write' | 'signature-check';

export interface RuntimeWatch {
  took(stage: RuntimeStage, ms: number): void;
  /** A transaction that was submitted here is admitted, so long after it came. */
  admitted(hash: TxHash, ms: number): void;
  /** Evidence that a validator contradicts itself was found. */
  equivocation(): void;
}

/** The same parts, with their stages timed. */
export function watchedParts(parts: DriverParts, watch: RuntimeWatch | undefined): DriverParts {
  if (watch === undefined) return parts;
  return {
    ...parts,
    store: new WatchedStore(parts.store, watch),
    pool: watchedPool(parts.pool, watch),
    execution: {
      begin: (waves, verified) => {
        const begun = parts.execution.begin(waves, verified);
        const beganMs = performance.now();
        const done = (): void => watch.took('execution', performance.now() - beganMs);
        begun.executed.then(done, () => {});
        return begun;
      },
    },
  };
}

function watchedPool(pool: WorkerPool, watch: RuntimeWatch): WorkerPool {
  return {
    verify: async (checks) => {
      const beganMs = performance.now();
      const verdicts = await pool.verify(checks);
      watch.took('signature-check', performance.now() - beganMs);
      return verdicts;
    },
    close: () => pool.close(),
  };
}

class WatchedStore implements KeyValueStore {
  readonly #store: KeyValueStore;
  readonly #watch: RuntimeWatch;

  constructor(store: KeyValueStore, watch: RuntimeWatch) {
    this.#store = store;
    this.#watch = watch;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#store.get(key);
  }

  range(...options: Parameters<KeyValueStore['range']>): ReturnType<KeyValueStore['range']> {
    return this.#store.range(...options);
  }

  async batch(writes: readonly StoreWrite[], options: { readonly sync: boolean }): Promise<void> {
    const beganMs = performance.now();
    await this.#store.batch(writes, options);
    this.#watch.took('store-write', performance.now() - beganMs);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
