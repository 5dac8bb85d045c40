/**
 * Memories to be used again. An engine takes tens of microseconds for a new one, and gigabytes of
 * address space that only its garbage collector gives back: a page in Chromium can hold some 120
 * memories at once, in all its threads together. So few idle ones are kept, and one that grew is
 * never kept, for it has no longer the size it was asked for.
 */
import { HostFault } from './host-fault.ts';

export const PAGE_BYTES = 65_536;

/** Above this, fresh pages, which the system zeroes only when touched, are cheaper. */
const POOLED_PAGES = 32;

/** Pages a memory has at the start, and may have at most. */
export interface MemoryShape {
  readonly minPages: number;
  readonly maxPages: number;
}

export interface MemoryPoolOptions {
  /** Idle memories kept. */
  readonly maxMemories?: number;
  /** Pages of all idle memories together. */
  readonly maxPages?: number;
}

interface Idle {
  readonly shape: MemoryShape;
  readonly memory: WebAssembly.Memory;
}

export class MemoryPool {
  readonly #maxMemories: number;
  readonly #maxPages: number;
  /** Oldest first. */
  readonly #idle: Idle[] = [];
  #idlePages = 0;

  constructor({ maxMemories = 32, maxPages = 512 }: MemoryPoolOptions = {}) {
    this.#maxMemories = maxMemories;
    this.#maxPages = maxPages;
  }

  /** Idle memories, and their pages. */
  get idle(): { readonly memories: number; readonly pages: number } {
    return { memories: this.#idle.length, pages: this.#idlePages };
  }

  /**
   * A memory of `shape`, all zero.
   * @throws HostFault where the engine has none left
   */
  take(shape: MemoryShape): WebAssembly.Memory {
    for (let at = this.#idle.length - 1; at >= 0; at--) {
      const entry = this.#idle[at];
      if (entry?.shape.minPages !== shape.minPages) continue;
      if (entry.shape.maxPages !== shape.maxPages) continue;
      this.#idle.splice(at, 1);
      this.#idlePages -= shape.minPages;
      new Uint8Array(entry.memory.buffer).fill(0);
      return entry.memory;
    }
    try {
      return new WebAssembly.Memory({ initial: shape.minPages, maximum: shape.maxPages });
    } catch (error) {
      throw new HostFault(`a memory of ${shape.minPages} pages could not be made`, error);
    }
  }

  /** Hands back what `take(shape)` gave, when nothing uses it any longer. */
  give(memory: WebAssembly.Memory, shape: MemoryShape): void {
    const pages = shape.minPages;
    if (pages > Math.min(POOLED_PAGES, this.#maxPages) || this.#maxMemories === 0) return;
    if (memory.buffer.byteLength !== pages * PAGE_BYTES) return;
    while (this.#idle.length >= this.#maxMemories || this.#idlePages + pages > this.#maxPages) {
      this.#idlePages -= this.#idle.shift()?.shape.minPages ?? 0;
    }
    this.#idle.push({ shape, memory });
    this.#idlePages += pages;
  }
}
