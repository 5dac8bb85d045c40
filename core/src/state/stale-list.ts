/**
 * The nodes that a version makes stale, as the pages in which they are kept: `Vec<Vec<u8>>` of keys
 * in table jmt (docs/protocol/encoding-state.md, "Tree records"). A wave has tens of thousands.
 */
import { decodeExactly } from '../bytes/index.ts';
import { MAX_NODE_SUFFIX_BYTES, writeNodeSuffix } from './node-suffix.ts';

const NODES_PER_PAGE = 256;
const COUNT_BYTES = 4;
const PAGE_BYTES = COUNT_BYTES + NODES_PER_PAGE * (COUNT_BYTES + MAX_NODE_SUFFIX_BYTES);

export class StaleList {
  readonly #pages: Uint8Array[] = [];
  #page = new Uint8Array(0);
  #used = 0;
  #count = 0;

  /** The node of `version` at the first `depth` nibbles of `key`; a leaf has depth 64. */
  add(version: bigint, key: Uint8Array, depth: number): void {
    if (this.#used === 0) {
      this.#page = new Uint8Array(PAGE_BYTES);
      this.#used = COUNT_BYTES;
    }
    const at = this.#used + COUNT_BYTES;
    const length = writeNodeSuffix(this.#page, at, version, key, depth);
    // A suffix has at most 41 bytes, a page at most 256 of them: the other bytes of both are zero.
    this.#page[this.#used] = length;
    this.#used = at + length;
    this.#count++;
    if (this.#count === NODES_PER_PAGE) this.#endPage();
  }

  /** Nothing can be added afterwards. */
  pages(): readonly Uint8Array[] {
    if (this.#count > 0) this.#endPage();
    return this.#pages;
  }

  #endPage(): void {
    this.#page[0] = this.#count & 0xff;
    this.#page[1] = this.#count >> 8;
    this.#pages.push(this.#page.subarray(0, this.#used));
    this.#used = 0;
    this.#count = 0;
  }
}

/** The keys of one page. */
export function readStalePage(page: Uint8Array): Uint8Array[] {
  return decodeExactly(page, (reader) =>
    reader.vec(NODES_PER_PAGE, COUNT_BYTES, (r) => r.bytes(MAX_NODE_SUFFIX_BYTES)),
  );
}
