/**
 * A faulty member: an honest node, and behaviours between it and the network. Where its own vertices
 * go out changed, everything that it says of them is changed alike, so that it keeps its story: what
 * it sends again, what it answers, and what later vertices of its own refer to.
 *
 * What it plans dies with the process, as everything in memory does.
 */
import { isPydeError, toHex } from '../../bytes/index.ts';
import {
  decodeNewest,
  decodeRefs,
  decodeRounds,
  encodeNewest,
  encodeRounds,
  frameMessage,
  newestDigest,
  openMessage,
} from '../../consensus/index.ts';
import { quorum } from '../../finality/index.ts';
import type { NodeEffect, NodeEvent, OpenNode } from '../../node/index.ts';
import type { Instant } from '../../platform/index.ts';
import {
  decodeVertex,
  encodeVertex,
  toAddress,
  toValidatorIndex,
  type UnsignedVertex,
  type Vertex,
  type VertexHash,
  vertexHash,
} from '../../types/index.ts';
import type { Member, Seat } from '../sim-node.ts';
import type { Behaviour, Draft, Outgoing, Stage, Version } from './behaviour.ts';
import { Heard, vertexOf } from './heard.ts';

interface Made extends Version {
  readonly name: VertexHash;
  readonly bytes: Uint8Array;
}

interface Waiting {
  readonly own: UnsignedVertex;
  readonly name: string;
}

interface Delayed {
  readonly dueMs: number;
  readonly out: Outgoing;
}

/** Drafts that no behaviour has an answer to yet; the oldest is then never sent. */
const MAX_WAITING = 4;
const MAX_DELAYED = 4_096;
/** Own vertices whose versions are remembered. */
const KEPT_DRAFTS = 256;

/** What of a seat a faulty member works with. */
type PlayedSeat = Pick<Seat, 'index' | 'members' | 'signer' | 'prng'>;

export class ByzantineMember implements Member, Stage {
  readonly self: number;
  readonly members: number;
  readonly quorum: number;
  readonly heard: Heard;
  readonly faulty: ReadonlySet<number>;
  nowMs = 0;
  newest: UnsignedVertex | undefined;
  readonly #node: OpenNode;
  readonly #seat: PlayedSeat;
  readonly #behaviours: readonly Behaviour[];
  /** By name of the draft. */
  readonly #made = new Map<string, readonly Made[]>();
  /** By its own name. */
  readonly #byName = new Map<string, Made>();
  #waiting: Waiting[] = [];
  #delayed: Delayed[] = [];

  constructor(
    node: OpenNode,
    seat: PlayedSeat,
    behaviours: readonly Behaviour[],
    faulty: ReadonlySet<number>,
  ) {
    this.self = seat.index;
    this.members = seat.members;
    this.quorum = quorum(seat.members);
    this.heard = new Heard(seat.prng);
    this.faulty = faulty;
    this.#node = node;
    this.#seat = seat;
    this.#behaviours = behaviours;
  }

  get signer(): Seat['signer'] {
    return this.#seat.signer;
  }

  get prng(): Seat['prng'] {
    return this.#seat.prng;
  }

  get gcRounds(): number {
    return this.#node.genesis.parameters.gcRounds;
  }

  get chainId(): bigint {
    return this.#node.genesis.chainId;
  }

  get highestRound(): number {
    return this.#node.epochs.consensus.status.highestRound;
  }

  anchorOf(epoch: number, round: number): number | undefined {
    return this.#node.machine.anchorOf(epoch, round);
  }

  address(member: number): Uint8Array | undefined {
    return this.#node.genesis.validators[member]?.address;
  }

  signed(vertex: UnsignedVertex): Uint8Array {
    return frameMessage('vertex', encodeVertex(this.#sign(vertex, vertexHash(vertex))));
  }

  step(event: NodeEvent, now: Instant): NodeEffect[] {
    this.nowMs = now.monotonicMs;
    const sent: Outgoing[] = [];
    const effects: NodeEffect[] = [];
    if (event.kind === 'message') {
      this.heard.take(event.bytes);
      sent.push(...this.#serve(event.from, event.bytes));
    }
    let isHeard = true;
    for (const behaviour of this.#behaviours) {
      if (behaviour.hear?.(event, this) === false) isHeard = false;
    }
    for (const effect of isHeard ? this.#node.machine.step(event, now) : []) {
      if (effect.kind === 'send')
        effects.push(...this.#emit(this.#told(effect.peer, effect.message)));
      else if (effect.kind === 'broadcast') {
        effects.push(...this.#emit(this.#told(undefined, effect.message)));
      } else effects.push(effect);
    }
    sent.push(...this.#retry());
    const acts = this.#behaviours.flatMap((behaviour) => behaviour.act?.(this) ?? []);
    return [...effects, ...this.#emit(sent), ...this.#carry(acts), ...this.#release()];
  }

  /** What the honest node says, in the words of the story. */
  #told(to: number | undefined, message: Uint8Array): Outgoing[] {
    const vertex = vertexOf(message);
    if (vertex !== undefined) return this.#toldVertex(to, message, vertex);
    if (to === undefined || this.#made.size === 0) return [{ to, message }];
    try {
      const { kind, bytes } = openMessage(message);
      if (kind === 'rounds') return [{ to, message: this.#retoldRounds(bytes) }];
      if (kind === 'newest') return [{ to, message: this.#retoldNewest(bytes, to) }];
    } catch (error) {
      if (!isPydeError(error)) throw error;
    }
    return [{ to, message }];
  }

  #toldVertex(to: number | undefined, message: Uint8Array, vertex: Vertex): Outgoing[] {
    const name = toHex(vertexHash(vertex));
    const isOwn = to === undefined || this.#made.has(name);
    if (!isOwn || !this.#behaviours.some(({ versions }) => versions !== undefined)) {
      if (to === undefined) this.#note(vertex);
      return [{ to, message }];
    }
    const made = this.#made.get(name) ?? this.#make({ own: vertex, name });
    if (made === undefined) return [];
    return made.flatMap((version) => this.#addressed(version, to));
  }

  #note(vertex: UnsignedVertex): void {
    this.newest = vertex;
    this.heard.takeVertex(vertex);
  }

  /** Undefined when the behaviour wants to see more first. */
  #make(draft: Waiting): readonly Made[] | undefined {
    const { own, name } = draft;
    if (this.#waiting.some((other) => other.name === name)) return undefined;
    this.#note(own);
    const made = this.#versions(own, name);
    if (made === undefined) {
      this.#waiting.push(draft);
      if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
    }
    return made;
  }

  #versions(own: UnsignedVertex, name: string): readonly Made[] | undefined {
    const behaviour = this.#behaviours.find(({ versions }) => versions !== undefined);
    const draft: Draft = { own, on: (line) => this.#onLine(own, line) };
    const versions = behaviour?.versions?.(draft, this);
    if (versions === undefined) return undefined;
    const made = versions.map((version): Made => {
      const versionName = vertexHash(version.vertex);
      const bytes = encodeVertex(this.#sign(version.vertex, versionName));
      return { ...version, name: versionName, bytes };
    });
    this.#made.set(name, made);
    for (const version of made) this.#byName.set(toHex(version.name), version);
    for (const [oldest, versionsOfIt] of this.#made) {
      if (this.#made.size <= KEPT_DRAFTS) break;
      this.#made.delete(oldest);
      for (const version of versionsOfIt) this.#byName.delete(toHex(version.name));
    }
    return made;
  }

  /** References to own vertices that never left are left out where enough others remain. */
  #onLine(own: UnsignedVertex, line: number): UnsignedVertex {
    const told = <T extends { readonly name: VertexHash }>(ref: T): T | undefined => {
      const made = this.#made.get(toHex(ref.name));
      if (made === undefined) return this.#isWaiting(ref.name) ? undefined : ref;
      const live = made.filter(({ isDeadEnd }) => isDeadEnd !== true);
      const version = live.find((one) => one.line === line) ?? live[0];
      return version === undefined ? undefined : { ...ref, name: version.name };
    };
    const parents = own.parents.flatMap((ref) => told(ref) ?? []);
    return {
      ...own,
      parents: parents.length >= this.quorum ? parents : own.parents,
      weakParents: own.weakParents.flatMap((ref) => told(ref) ?? []),
    };
  }

  #isWaiting(name: VertexHash): boolean {
    const hex = toHex(name);
    return this.#waiting.some((draft) => draft.name === hex);
  }

  #retry(): Outgoing[] {
    const out: Outgoing[] = [];
    for (const { own, name } of [...this.#waiting]) {
      const made = this.#versions(own, name);
      if (made === undefined) continue;
      this.#waiting = this.#waiting.filter((draft) => draft.name !== name);
      out.push(...made.flatMap((version) => this.#addressed(version, undefined)));
    }
    return out;
  }

  /** A version on its way to one of those that it is for, or to all of them. */
  #addressed({ bytes, to: audience, afterMs }: Made, to: number | undefined): Outgoing[] {
    const message = frameMessage('vertex', bytes);
    const later = afterMs === undefined ? {} : { afterMs };
    if (to !== undefined) {
      return audience === undefined || audience.includes(to) ? [{ to, message, ...later }] : [];
    }
    if (audience === undefined) return [{ to: undefined, message, ...later }];
    return audience.map((member) => ({ to: member, message, ...later }));
  }

  /** Versions that the honest node does not hold, for whoever asks for them by name. */
  #serve(from: number, message: Uint8Array): Outgoing[] {
    try {
      const { kind, bytes } = openMessage(message);
      if (kind !== 'want-vertices' || this.#byName.size === 0) return [];
      return decodeRefs(bytes).flatMap(({ name }) => {
        const made = this.#byName.get(toHex(name));
        return made === undefined
          ? []
          : [{ to: from, message: frameMessage('vertex', made.bytes) }];
      });
    } catch (error) {
      if (isPydeError(error)) return [];
      throw error;
    }
  }

  #retoldRounds(bytes: Uint8Array): Uint8Array {
    const { complete, vertices } = decodeRounds(bytes);
    const retold = vertices.map((vertex) => this.#retold(vertex) ?? vertex);
    return frameMessage('rounds', encodeRounds({ complete, vertices: retold }));
  }

  #retoldNewest(bytes: Uint8Array, to: number): Uint8Array {
    const newest = decodeNewest(bytes);
    const asker = this.address(to);
    const own = newest.own === undefined ? undefined : this.#retold(newest.own);
    if (own === undefined || asker === undefined) return frameMessage('newest', bytes);
    const changed = { ...newest, own };
    const digest = newestDigest(this.chainId, toAddress(asker), changed);
    return frameMessage(
      'newest',
      encodeNewest({ ...changed, signature: this.signer.sign(digest) }),
    );
  }

  #retold(vertex: Uint8Array): Uint8Array | undefined {
    return this.#made.get(toHex(vertexHash(decodeVertex(vertex))))?.[0]?.bytes;
  }

  #sign(vertex: UnsignedVertex, name: VertexHash): Vertex {
    return { ...vertex, signature: this.signer.sign(name) };
  }

  #emit(messages: readonly Outgoing[]): NodeEffect[] {
    let left: readonly Outgoing[] = messages;
    for (const { send } of this.#behaviours) {
      if (send !== undefined) left = left.flatMap((out) => send(out, this));
    }
    return this.#carry(left);
  }

  #carry(messages: readonly Outgoing[]): NodeEffect[] {
    return messages.flatMap((out): NodeEffect[] => {
      const { to, message, afterMs = 0 } = out;
      if (afterMs > 0) {
        if (this.#delayed.length < MAX_DELAYED) {
          this.#delayed.push({ dueMs: this.nowMs + afterMs, out: { to, message } });
        }
        return [];
      }
      if (to === this.self) return [];
      if (to === undefined) return [{ kind: 'broadcast', message }];
      return [{ kind: 'send', peer: toValidatorIndex(to), message }];
    });
  }

  #release(): NodeEffect[] {
    if (this.#delayed.length === 0) return [];
    const due = this.#delayed.filter(({ dueMs }) => dueMs <= this.nowMs);
    if (due.length === 0) return [];
    this.#delayed = this.#delayed.filter(({ dueMs }) => dueMs > this.nowMs);
    return this.#carry(due.map(({ out }) => out));
  }
}
