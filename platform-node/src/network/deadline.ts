/** A signal that ends with a reason of ours after a time, or with the caller's before it. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Must be called when what waited is over: it stops the timer. */
  clear(): void;
}

/** @param late makes the reason; a caller's signal that ends first gives its own */
export function deadline(ms: number, late: () => Error, outer?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(late()), ms);
  const stop = (): void => controller.abort(outer?.reason);
  if (outer?.aborted === true) stop();
  outer?.addEventListener('abort', stop, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', stop);
    },
  };
}

/** What `work` gives, unless the signal ends first; then its reason. `work` itself goes on. */
export function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
