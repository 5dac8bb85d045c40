/**
 * When a long-running command ends: at the first SIGINT or SIGTERM it stops cleanly, at the second it
 * ends at once, with what a shell shows for a process that its signal ended.
 */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Keys pressed within so long are one wish: npm and a terminal both pass Ctrl-C on. */
const SAME_WISH_MS = 500;

/**
 * @param onForce called right before the process ends at once
 * @returns resolves at the first signal, or at `stop`
 */
export function stopSignal(onForce: () => void = () => {}): {
  readonly signalled: Promise<void>;
  stop(): void;
} {
  const { promise: signalled, resolve } = Promise.withResolvers<void>();
  let firstMs: number | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const nowMs = performance.now();
      if (firstMs !== undefined && nowMs - firstMs > SAME_WISH_MS) {
        onForce();
        process.exit(128 + constants.signals[signal]);
      }
      firstMs ??= nowMs;
      resolve();
    });
  }
  return { signalled, stop: resolve };
}
