/**
 * Callers that wait for a pending transaction. Whoever asks for the receipt of one is answered when
 * the wave that settles it is durable, or after a moment without it: a client that asks in a loop
 * would otherwise take the processor from the very wave that it waits for.
 */
import { toHex } from '@pyde/core/bytes';
import type { TxHash } from '@pyde/core/types';

/** The longest that an answer is held back. */
export const MAX_HOLD_MS = 25;
/** Callers at a time; more are answered at once. */
export const MAX_HELD = 1_024;

interface Held {
  readonly hash: TxHash;
  end(): void;
}

export class Settlements {
  readonly #isPending: (hash: TxHash) => boolean;
  readonly #held = new Map<string, Set<Held>>();
  #count = 0;

  constructor(isPending: (hash: TxHash) => boolean) {
    this.#isPending = isPending;
  }

  /** Callers that wait. */
  get held(): number {
    return this.#count;
  }

  /** Resolves when the transaction is pending no more, and soon in any case. */
  of(hash: TxHash): Promise<void> {
    if (this.#count >= MAX_HELD || !this.#isPending(hash)) return Promise.resolve();
    return new Promise((resolve) => {
      const key = toHex(hash);
      const together = this.#held.get(key) ?? new Set();
      this.#held.set(key, together);
      const held: Held = {
        hash,
        end: () => {
          clearTimeout(timer);
          if (!together.delete(held)) return;
          if (together.size === 0) this.#held.delete(key);
          this.#count--;
          resolve();
        },
      };
      const timer = setTimeout(held.end, MAX_HOLD_MS);
      together.add(held);
      this.#count++;
    });
  }

  /** A wave was executed, or the node ends: lets go whoever has nothing to wait for any more. */
  look(): void {
    for (const together of this.#held.values()) {
      const [first] = together;
      if (first === undefined || this.#isPending(first.hash)) continue;
      for (const held of together) held.end();
    }
  }

  /** The node ends. */
  end(): void {
    for (const together of this.#held.values()) for (const held of together) held.end();
  }
}
