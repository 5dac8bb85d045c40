/**
 * Ancestors that cannot be had any more (design/consensus.md, "Vertex"): a vertex at or below the GC
 * round that nobody serves, or that lies below what is kept, counts as held once f + 1 members say
 * that they accepted it. One of them is honest, so it is no invention. All are asked at once, again
 * and again while somebody waits; each member that made a waiting vertex has its share of a request.
 */
import type { MemberIndex } from '../types/index.ts';
import { encodeRefs, MAX_NAMES_PER_MESSAGE, type VertexRef } from './fetch-message.ts';
import { frameMessage } from './message.ts';
import { refKey } from './name-key.ts';

/** All members are asked for what they accepted, this often. */
export const ASK_ACCEPTED_MS = 500;

interface Question {
  readonly ref: VertexRef;
  readonly acceptedBy: Set<MemberIndex>;
}

export class Vouching {
  readonly #witnesses: number;
  readonly #onVouched: (ref: VertexRef) => void;
  /** By author of the vertex that waits, in order of the next asking. */
  readonly #questions: readonly Map<string, Question>[];
  readonly #blamed = new Map<string, MemberIndex>();
  #askMs = 0;

  /** @param witnesses f + 1 */
  constructor(size: number, witnesses: number, onVouched: (ref: VertexRef) => void) {
    this.#witnesses = witnesses;
    this.#onVouched = onVouched;
    this.#questions = Array.from({ length: size }, () => new Map<string, Question>());
  }

  /** Others shall be asked for it, for the sake of a vertex of `blamed`. */
  ask(ref: VertexRef, blamed: MemberIndex): void {
    const key = refKey(ref);
    if (this.#blamed.has(key)) return;
    this.#blamed.set(key, blamed);
    this.#questions[blamed]?.set(key, { ref, acceptedBy: new Set() });
  }

  /** Nobody waits for it any more. */
  forget(ref: VertexRef): void {
    const key = refKey(ref);
    const blamed = this.#blamed.get(key);
    if (blamed === undefined) return;
    this.#blamed.delete(key);
    this.#questions[blamed]?.delete(key);
  }

  /** A member says that it accepted these; what was not asked is passed over. */
  accepted(refs: readonly VertexRef[], by: MemberIndex): void {
    for (const ref of refs) {
      const key = refKey(ref);
      const question = this.#questions[this.#blamed.get(key) ?? -1]?.get(key);
      if (question === undefined) continue;
      question.acceptedBy.add(by);
      if (question.acceptedBy.size < this.#witnesses) continue;
      this.forget(ref);
      this.#onVouched(ref);
    }
  }

  /** A message for all others, when one is due. */
  poll(nowMs: number): Uint8Array | undefined {
    if (this.#blamed.size === 0 || nowMs < this.#askMs) return undefined;
    this.#askMs = nowMs + ASK_ACCEPTED_MS;
    const asking = this.#questions.filter(({ size }) => size > 0);
    const share = Math.max(1, Math.floor(MAX_NAMES_PER_MESSAGE / asking.length));
    const refs = asking.flatMap((questions) => takeTurns(questions, share));
    return frameMessage('want-accepted', encodeRefs(refs));
  }

  get nextDueMs(): number | undefined {
    return this.#blamed.size === 0 ? undefined : this.#askMs;
  }
}

/** The first `count`, which go to the end. */
function takeTurns(questions: Map<string, Question>, count: number): VertexRef[] {
  const taken = [...questions].slice(0, count);
  for (const [key, question] of taken) {
    questions.delete(key);
    questions.set(key, question);
  }
  return taken.map(([, { ref }]) => ref);
}
