/**
 * Asking for what waiting vertices miss (design/consensus.md, "Vertex"): first the member that sent
 * the child, at once, then others after 500 ms each, the authors of the children before the rest,
 * at most eight requests in flight, and no longer than somebody waits.
 *
 * Whoever invents ancestors must not keep others waiting. Each missing thing is put down to the
 * author of the first vertex that needs it; authors whose things were found go first, and those
 * whose were not come after them in turn.
 */
import { type MemberIndex, toMemberIndex } from '../types/index.ts';
import {
  encodeHashes,
  encodeRefs,
  MAX_NAMES_PER_MESSAGE,
  type VertexRef,
} from './fetch-message.ts';
import { frameMessage } from './message.ts';
import type { Missing, MissingObserver } from './vertex-buffer.ts';
import { Vouching } from './vouching.ts';

export const MAX_REQUESTS_IN_FLIGHT = 8;
/** After so long without it a missing thing is asked of another member. */
export const ASK_NEXT_MS = 500;
/** What everybody was asked for in vain rests for so long. */
export const ASK_AGAIN_MS = 2_000;
/** Ancestors further above the highest accepted round come by whole rounds (`round-catch-up.ts`). */
export const ANCESTOR_LEAD_ROUNDS = 2;
/** Not served by so many and at or below the GC round: all are asked whether they accepted it. */
export const UNSERVED_ATTEMPTS = 3;
/** Things of one author that are looked at for one request. */
const MAX_SCANNED = 1_024;

export interface Request {
  /** Undefined: all others. */
  readonly to: MemberIndex | undefined;
  readonly message: Uint8Array;
}

/** How far the DAG is. */
export interface DagEdges {
  readonly highestRound: number;
  /** Vertices at or below it cannot be accepted any more. */
  readonly lowestRound: number;
  readonly gcRound: number;
}

export interface SynchroniserOptions {
  readonly size: number;
  readonly self: MemberIndex | undefined;
  /** f + 1. */
  readonly witnesses: number;
  edges(): DagEdges;
  /** Enough members accepted a vertex that cannot be had. */
  onVouched(ref: VertexRef): void;
}

interface Want {
  readonly missing: Missing;
  /** Author of the first vertex that needs it. */
  readonly blamed: MemberIndex;
  /** Members asked since the last rest. */
  asked: MemberIndex[];
  attempts: number;
  /** The queue or request that holds it. */
  place: Set<Want> | undefined;
  /** While it rests. */
  dueMs: number;
}

interface InFlight {
  readonly wants: Set<Want>;
  readonly deadlineMs: number;
}

export class Synchroniser implements MissingObserver {
  readonly #options: SynchroniserOptions;
  readonly #vouching: Vouching;
  readonly #wants = new Map<Missing, Want>();
  /** By blamed author, what is to be asked next. */
  readonly #queues: readonly Set<Want>[];
  #queued = 0;
  /** Requests in a row that found nothing, by blamed author. */
  readonly #unserved: number[];
  #lastBlamed = 0;
  /** Ancestors above what is asked for, by round. */
  readonly #distant = new Map<number, Set<Want>>();
  /** In order of `dueMs`. */
  readonly #resting = new Set<Want>();
  #inFlight: InFlight[] = [];

  constructor(options: SynchroniserOptions) {
    const { size, witnesses, onVouched } = options;
    this.#options = options;
    this.#vouching = new Vouching(size, witnesses, onVouched);
    this.#queues = Array.from({ length: size }, () => new Set<Want>());
    this.#unserved = Array.from({ length: size }, () => 0);
  }

  /** Missing things that somebody waits for. */
  get wanted(): number {
    return this.#wants.size;
  }

  get requestsInFlight(): number {
    return this.#inFlight.length;
  }

  want(missing: Missing): void {
    const [child] = missing.children;
    const blamed = child?.vertex.author ?? toMemberIndex(0);
    const want = { missing, blamed, asked: [], attempts: 0, place: undefined, dueMs: 0 };
    this.#wants.set(missing, want);
    this.#queue(want);
  }

  settle(missing: Missing): void {
    const want = this.#wants.get(missing);
    if (want === undefined) return;
    this.#wants.delete(missing);
    // Held, and not only given up.
    if (missing.children.size > 0 && want.attempts > 0) this.#unserved[want.blamed] = 0;
    this.#leave(want);
    if (missing.kind === 'vertex') this.#vouching.forget(missing.ref);
  }

  /** A member says that it accepted these. */
  accepted(refs: readonly VertexRef[], by: MemberIndex): void {
    this.#vouching.accepted(refs, by);
  }

  /** What is to be sent now. */
  poll(nowMs: number): Request[] {
    if (this.#wants.size === 0) return [];
    const edges = this.#options.edges();
    this.#expire(nowMs);
    this.#wake(nowMs, edges.highestRound + ANCESTOR_LEAD_ROUNDS);
    const requests: Request[] = [];
    while (this.#inFlight.length < MAX_REQUESTS_IN_FLIGHT && this.#queued > 0) {
      const request = this.#nextRequest(nowMs, edges);
      if (request !== undefined) requests.push(request);
    }
    const message = this.#vouching.poll(nowMs);
    if (message !== undefined) requests.push({ to: undefined, message });
    return requests;
  }

  /** When {@link poll} has something to do by itself. */
  get nextDueMs(): number | undefined {
    let dueMs = this.#vouching.nextDueMs ?? Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#inFlight) dueMs = Math.min(dueMs, deadlineMs);
    for (const want of this.#resting) {
      dueMs = Math.min(dueMs, want.dueMs);
      break;
    }
    return dueMs === Number.POSITIVE_INFINITY ? undefined : dueMs;
  }

  #queue(want: Want): void {
    const { missing } = want;
    const { highestRound } = this.#options.edges();
    if (missing.kind === 'vertex' && missing.ref.round > highestRound + ANCESTOR_LEAD_ROUNDS) {
      const distant = this.#distant.get(missing.ref.round) ?? new Set();
      this.#distant.set(missing.ref.round, distant);
      this.#move(want, distant);
      return;
    }
    const queue = this.#queues[want.blamed];
    if (queue === undefined) return;
    this.#move(want, queue);
    this.#queued++;
  }

  #move(want: Want, to: Set<Want>): void {
    this.#leave(want);
    to.add(want);
    want.place = to;
  }

  #leave(want: Want): void {
    const { place, missing } = want;
    want.place = undefined;
    if (place?.delete(want) !== true) return;
    if (place === this.#queues[want.blamed]) this.#queued--;
    if (place.size > 0) return;
    this.#inFlight = this.#inFlight.filter(({ wants }) => wants !== place);
    if (missing.kind === 'vertex' && this.#distant.get(missing.ref.round) === place) {
      this.#distant.delete(missing.ref.round);
    }
  }

  /** Requests that were not answered in time: what they asked is asked of others. */
  #expire(nowMs: number): void {
    for (const { wants, deadlineMs } of [...this.#inFlight]) {
      if (deadlineMs > nowMs) continue;
      let blamed: MemberIndex | undefined;
      for (const want of [...wants]) {
        blamed = want.blamed;
        if (this.#nextMember(want) !== undefined) {
          this.#queue(want);
          continue;
        }
        want.asked = [];
        want.dueMs = nowMs + ASK_AGAIN_MS;
        this.#move(want, this.#resting);
      }
      if (blamed !== undefined) this.#unserved[blamed] = (this.#unserved[blamed] ?? 0) + 1;
    }
  }

  #wake(nowMs: number, askedRound: number): void {
    for (const want of this.#resting) {
      if (want.dueMs > nowMs) break;
      this.#queue(want);
    }
    for (const [round, wants] of this.#distant) {
      if (round <= askedRound) for (const want of [...wants]) this.#queue(want);
    }
  }

  /** The next things of the author whose turn it is, asked of one member. */
  #nextRequest(nowMs: number, edges: DagEdges): Request | undefined {
    const blamed = this.#nextBlamed();
    this.#lastBlamed = blamed;
    const taken: Want[] = [];
    let to: MemberIndex | undefined;
    let scanned = 0;
    for (const want of this.#queues[blamed] ?? []) {
      if (taken.length === MAX_NAMES_PER_MESSAGE || scanned++ === MAX_SCANNED) break;
      if (taken[0] !== undefined && taken[0].missing.kind !== want.missing.kind) continue;
      const next = this.#isFetchable(want, edges) ? this.#nextMember(want) : undefined;
      if (next === undefined) this.#leave(want);
      else if (to === undefined || to === next) {
        to = next;
        taken.push(want);
      }
    }
    if (to === undefined) return undefined;
    const wants = new Set<Want>();
    for (const want of taken) {
      want.asked.push(to);
      want.attempts++;
      this.#move(want, wants);
    }
    this.#inFlight.push({ wants, deadlineMs: nowMs + ASK_NEXT_MS });
    return { to, message: requestFor(taken) };
  }

  /** Below what the DAG keeps nothing can be fetched, and what is old may be served no more. */
  #isFetchable({ missing, attempts, blamed }: Want, edges: DagEdges): boolean {
    if (missing.kind === 'batch') return true;
    const { ref } = missing;
    const isGone = ref.round <= edges.lowestRound;
    // Vertices of round 1 are taken only where round 0 is, which every member makes by itself: another
    // name of it is of other rules, and none vouches for it.
    if (ref.round === 0) return !isGone;
    const isUnserved = ref.round <= edges.gcRound && attempts >= UNSERVED_ATTEMPTS;
    if (isGone || isUnserved) this.#vouching.ask(ref, blamed);
    return !isGone;
  }

  /** The sender of the child, then authors of children, then the rest by seat. */
  #nextMember({ missing, asked }: Want): MemberIndex | undefined {
    const { size, self } = this.#options;
    const canBeAsked = (member: MemberIndex): boolean =>
      member !== self && member < size && !asked.includes(member);
    const [first] = missing.children;
    if (first === undefined) return undefined;
    if (canBeAsked(first.from)) return first.from;
    for (const { vertex } of missing.children) if (canBeAsked(vertex.author)) return vertex.author;
    for (let i = 1; i < size; i++) {
      const member = toMemberIndex((first.from + i) % size);
      if (canBeAsked(member)) return member;
    }
    return undefined;
  }

  #nextBlamed(): number {
    const { size } = this.#options;
    let best = -1;
    for (let i = 1; i <= size; i++) {
      const author = (this.#lastBlamed + i) % size;
      if ((this.#queues[author]?.size ?? 0) === 0) continue;
      if (best < 0 || (this.#unserved[author] ?? 0) < (this.#unserved[best] ?? 0)) best = author;
    }
    return best;
  }
}

function requestFor(wants: readonly Want[]): Uint8Array {
  const refs: VertexRef[] = [];
  const hashes = [];
  for (const { missing } of wants) {
    if (missing.kind === 'vertex') refs.push(missing.ref);
    else hashes.push(missing.hash);
  }
  return refs.length > 0
    ? frameMessage('want-vertices', encodeRefs(refs))
    : frameMessage('want-batches', encodeHashes(hashes));
}
