/**
 * Lines of a node that is not ready: once when it happens, again every minute that it lasts, and one
 * when it is over. Whoever only reads the log sees no waves and would have to guess why.
 */
import type { Clock, Logger } from '@pyde/core/platform';
import type { Hindrance } from './readiness.ts';

/** How often a node is looked at. */
export const LOOK_MS = 5_000;
const AGAIN_MS = 60_000;

export class ReadyLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  /** Undefined while the node is ready. */
  #since: { readonly atMs: number; saidMs: number; said: string } | undefined;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** @param hindrances what keeps it from being ready now */
  look(hindrances: readonly Hindrance[]): void {
    const nowMs = this.#clock.now().monotonicMs;
    if (hindrances.length === 0) {
      if (this.#since === undefined) return;
      this.#logger.info('ready again', { after_s: Math.round((nowMs - this.#since.atMs) / 1_000) });
      this.#since = undefined;
      return;
    }
    const codes = hindrances.map(({ code }) => code).join(', ');
    const last = this.#since;
    if (last !== undefined && last.said === codes && nowMs - last.saidMs < AGAIN_MS) return;
    this.#since = { atMs: last?.atMs ?? nowMs, saidMs: nowMs, said: codes };
    this.#logger.warn('the node is not ready', {
      codes,
      reasons: hindrances.map(({ message }) => message).join('; '),
      since_s: Math.round((nowMs - this.#since.atMs) / 1_000),
    });
  }
}
