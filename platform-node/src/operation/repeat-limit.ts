/**
 * Bounds how often one message is logged, so that a peer or a caller who can cause a line cannot
 * fill a disk with it. Counted by the message's text, in windows; what was left out is told at the
 * end of its window, in one line with the count and the fields of the last one.
 */
import type { LogFields } from '@pyde/core/platform';

export const WINDOW_MS = 10_000;
/** Texts that are counted apart; any further ones share a count. */
const MAX_TEXTS = 256;
const ALL_OTHERS = '';

interface Count {
  endMs: number;
  written: number;
  omitted: number;
  last: (() => void) | undefined;
}

/** Writes one line. */
export type WriteLine = (message: string, fields: LogFields) => void;

export class RepeatLimit {
  readonly #perWindow: number;
  readonly #nowMs: () => number;
  readonly #counts = new Map<string, Count>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param perWindow lines of one text in {@link WINDOW_MS}
   * @param nowMs monotonic
   */
  constructor(perWindow: number, nowMs: () => number = () => performance.now()) {
    this.#perWindow = perWindow;
    this.#nowMs = nowMs;
  }

  /** Writes the line, or counts it. */
  pass(write: WriteLine, message: string, fields: LogFields): void {
    const now = this.#nowMs();
    const count = this.#countOf(message, now);
    if (count.written < this.#perWindow) {
      count.written++;
      write(message, fields);
      return;
    }
    count.omitted++;
    const { omitted } = count;
    count.last = () => write(message, { ...fields, repeated: omitted });
    // Only a window with something to tell needs a timer: a quiet node has none.
    this.#timer ??= setTimeout(() => this.#onTimer(), WINDOW_MS).unref();
  }

  /** Tells now what was left out so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const count of this.#counts.values()) tell(count);
    this.#counts.clear();
  }

  #countOf(message: string, now: number): Count {
    let text = message;
    if (!this.#counts.has(text) && this.#counts.size >= MAX_TEXTS) {
      this.#dropOver(now);
      if (this.#counts.size >= MAX_TEXTS) text = ALL_OTHERS;
    }
    const known = this.#counts.get(text);
    if (known !== undefined && now < known.endMs) return known;
    if (known !== undefined) tell(known);
    const fresh = { endMs: now + WINDOW_MS, written: 0, omitted: 0, last: undefined };
    this.#counts.set(text, fresh);
    return fresh;
  }

  #onTimer(): void {
    this.#timer = undefined;
    this.#dropOver(this.#nowMs());
    const isAnyLeft = [...this.#counts.values()].some(({ omitted }) => omitted > 0);
    if (isAnyLeft) this.#timer = setTimeout(() => this.#onTimer(), WINDOW_MS).unref();
  }

  #dropOver(now: number): void {
    for (const [text, count] of this.#counts) {
      if (now < count.endMs) continue;
      tell(count);
      this.#counts.delete(text);
    }
  }
}

function tell(count: Count): void {
  count.last?.();
  count.last = undefined;
  count.omitted = 0;
}
