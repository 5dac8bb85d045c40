/**
 * The messages by which members come by each other's vertices and batches: what arrives goes to
 * whoever takes it, what is missing is asked for, what is asked for is given. Nothing of it is
 * trusted; a refusal is counted by its code and never throws past this file.
 */
import { isPydeError } from '../bytes/index.ts';
import type { Instant, StoreWrite } from '../platform/index.ts';
import { decodeVertex, type MemberIndex } from '../types/index.ts';
import { Answers } from './answers.ts';
import type { Equivocation } from './equivocation.ts';
import { consensusError } from './error.ts';
import { decodeRefs, decodeRounds } from './fetch-message.ts';
import { Intake, type IntakeOptions, type IntakeParts } from './intake.ts';
import { isMessageOf, openMessage } from './message.ts';
import { RoundCatchUp, type RoundsAnswer } from './round-catch-up.ts';
import { type Request, Synchroniser } from './synchroniser.ts';
import type { BufferedVertex } from './vertex-buffer.ts';
import type { VertexDoor } from './vertex-door.ts';

export interface ExchangeOptions extends Omit<IntakeOptions, 'onEquivocation'> {
  readonly size: number;
  /** f + 1. */
  readonly witnesses: number;
  gcRound(): number;
}

/** What comes of messages, besides vertices that can be accepted. */
export interface Gathered {
  readonly requests: readonly Request[];
  readonly writes: readonly StoreWrite[];
  readonly equivocations: readonly Equivocation[];
}

export class Exchange {
  readonly #door: VertexDoor;
  readonly #intake: Intake;
  readonly #synchroniser: Synchroniser;
  readonly #catchUp: RoundCatchUp;
  readonly #answers: Answers;
  readonly #refused = new Map<string, number>();
  #requests: Request[] = [];
  #writes: StoreWrite[] = [];
  #equivocations: Equivocation[] = [];

  constructor(options: ExchangeOptions, parts: Omit<IntakeParts, 'observer'>) {
    const { dag, held } = parts;
    const { size, self, witnesses } = options;
    this.#door = options.door;
    this.#synchroniser = new Synchroniser({
      size,
      self,
      witnesses,
      edges: () => ({
        highestRound: dag.highestRound,
        lowestRound: dag.lowestRound,
        gcRound: options.gcRound(),
      }),
      onVouched: (ref) => {
        this.#writes.push(...held.vouch(ref));
        this.#intake.hold(ref);
      },
    });
    this.#catchUp = new RoundCatchUp({ size, self, highestRound: () => dag.highestRound });
    this.#intake = new Intake(
      { ...options, onEquivocation: (found) => this.#equivocations.push(found) },
      { ...parts, observer: this.#synchroniser },
    );
    this.#answers = new Answers({
      ...parts,
      door: options.door,
      waiting: (ref) => this.#intake.find(ref),
    });
  }

  /** Messages not taken, by error code. */
  get refused(): ReadonlyMap<string, number> {
    return this.#refused;
  }

  /** Valid vertices that wait. */
  get waiting(): number {
    return this.#intake.waiting;
  }

  /** Missing ancestors and batches that somebody waits for. */
  get wanted(): number {
    return this.#synchroniser.wanted;
  }

  /** A message of another member, in its frame. */
  receive(message: Uint8Array, from: MemberIndex, nowMs: number): void {
    try {
      if (isMessageOf('vertex', message)) this.#receiveVertex(message, from);
      else this.#receive(message, from, nowMs);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Takes in something else that a member sent; a refusal is counted by its code. */
  guard(receive: () => void): void {
    this.#countRefusal(receive);
  }

  /** Hands every vertex that may be accepted now to `accept`, lowest round first. */
  drain(now: Instant, accept: (entry: BufferedVertex) => void): void {
    this.#intake.drain(now, accept);
  }

  /** An own vertex was accepted, which others' may have waited for. */
  accepted({ vertex, name }: BufferedVertex): void {
    this.#intake.hold({ round: vertex.round, author: vertex.author, name });
  }

  /** What is to be sent, kept and told after this step. */
  gather(nowMs: number): Gathered {
    const requests = [...this.#requests, ...this.#synchroniser.poll(nowMs)];
    const catchUp = this.#catchUp.poll(nowMs);
    if (catchUp !== undefined) requests.push(catchUp);
    const gathered = { requests, writes: this.#writes, equivocations: this.#equivocations };
    this.#requests = [];
    this.#writes = [];
    this.#equivocations = [];
    return gathered;
  }

  /** When something is due here by itself; undefined while nothing is. */
  nextDueMs(now: Instant): number | undefined {
    const times: number[] = [];
    const clockMs = this.#intake.nextDueMs(now);
    if (clockMs !== undefined) times.push(now.monotonicMs + clockMs);
    for (const dueMs of [this.#synchroniser.nextDueMs, this.#catchUp.nextDueMs]) {
      if (dueMs !== undefined) times.push(dueMs);
    }
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Forgets waiting vertices whose parents can come no more. */
  dropBelow(round: number): void {
    this.#intake.dropBelow(round);
  }

  #receive(message: Uint8Array, from: MemberIndex, nowMs: number): void {
    const { kind, bytes } = openMessage(message);
    switch (kind) {
      case 'batch':
        this.#intake.receiveBatch(bytes, from);
        break;
      case 'want-vertices':
      case 'want-batches':
      case 'want-accepted':
      case 'want-rounds':
        for (const answer of this.#answers.to(kind, bytes, from, nowMs)) {
          this.#requests.push({ to: from, message: answer });
        }
        break;
      case 'accepted':
        this.#synchroniser.accepted(decodeRefs(bytes), from);
        break;
      case 'rounds':
        this.#receiveRounds(bytes, from, nowMs);
        break;
      default:
        throw consensusError('consensus.message', `nothing here takes a message ${kind}`);
    }
  }

  #receiveVertex(message: Uint8Array, from: MemberIndex): void {
    const vertex = this.#intake.receiveOpened(this.#door.openMessage(message), from);
    if (vertex !== undefined) this.#catchUp.saw(vertex.round, from);
  }

  /** Vertices of whole rounds, of which each is judged for itself. */
  #receiveRounds(bytes: Uint8Array, from: MemberIndex, nowMs: number): void {
    if (!this.#catchUp.expects(from)) {
      throw consensusError('consensus.message', `member ${from} was not asked for rounds`);
    }
    const { complete, vertices } = decodeRounds(bytes);
    let news = 0;
    for (const vertex of vertices) {
      this.#countRefusal(() => {
        if (this.#intake.receiveVertex(vertex, from) !== undefined) news++;
      });
    }
    this.#catchUp.answered({ complete, news: news > 0, last: lastPlace(vertices) }, nowMs);
  }

  #countRefusal(receive: () => void): void {
    try {
      receive();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown): void {
    if (!isPydeError(error)) throw error;
    this.#refused.set(error.code, (this.#refused.get(error.code) ?? 0) + 1);
  }
}

/** Of bytes that need not be a vertex. */
function lastPlace(vertices: readonly Uint8Array[]): RoundsAnswer['last'] {
  const bytes = vertices.at(-1);
  if (bytes === undefined) return undefined;
  try {
    return decodeVertex(bytes);
  } catch (error) {
    if (isPydeError(error)) return undefined;
    throw error;
  }
}
