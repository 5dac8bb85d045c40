/**
 * Events that wait for the machine (design/architecture.md, "Threads"), in three classes: what the
 * node itself is owed (timers, finished work), messages of peers, requests of clients. Own events go
 * first; messages and requests take turns in small runs, messages peer by peer, so that neither a
 * flood of requests nor one peer keeps the others from being heard. Within one peer, and within one
 * class otherwise, order is kept.
 *
 * Everything that comes from outside is bounded in number and bytes; what is over is refused, and a
 * refused message is one that the network lost.
 */
import { isMessageOf } from '@pyde/core/consensus';
import type { NodeEvent } from '@pyde/core/node';

export interface QueueBounds {
  readonly requests: number;
  readonly requestBytes: number;
  readonly messagesPerPeer: number;
  readonly messageBytesPerPeer: number;
  /** Of all peers. */
  readonly messageBytes: number;
}

export const QUEUE_BOUNDS: QueueBounds = {
  requests: 65_536,
  requestBytes: 64 * 1024 * 1024,
  messagesPerPeer: 16_384,
  messageBytesPerPeer: 16 * 1024 * 1024,
  messageBytes: 256 * 1024 * 1024,
};

/** Messages, and then requests, that are taken in a row while the other kind waits. */
const RUN = 32;
const MAX_VERTICES_TOGETHER = 32;

/** First in, first out, without moving what waits. */
class Fifo<T> {
  #items: (T | undefined)[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  peek(): T | undefined {
    return this.#items[this.#first];
  }

  shift(): T | undefined {
    const item = this.#items[this.#first];
    if (item === undefined) return undefined;
    // What was taken is held no longer, however long others wait behind it.
    this.#items[this.#first++] = undefined;
    if (this.#first === this.#items.length || this.#first >= 1_024) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}

type MessageEvent = Extract<NodeEvent, { kind: 'message' }>;

interface PeerQueue {
  readonly events: Fifo<MessageEvent>;
  bytes: number;
}

export class EventQueue {
  readonly #bounds: QueueBounds;
  readonly #own = new Fifo<NodeEvent>();
  readonly #requests = new Fifo<NodeEvent>();
  #requestBytes = 0;
  /** Only peers with something waiting, in the order in which they have their turn. */
  readonly #peers = new Map<number, PeerQueue>();
  #messages = 0;
  #messageBytes = 0;
  /** What is left of the run of messages, then, below zero, of requests. */
  #run = RUN;
  #dropped = 0;

  constructor(bounds: QueueBounds = QUEUE_BOUNDS) {
    this.#bounds = bounds;
  }

  get length(): number {
    return this.#own.length + this.#messages + this.#requests.length;
  }

  /** Messages that found no room, since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Of the node itself: bounded by what it has under way. */
  pushOwn(event: NodeEvent): void {
    this.#own.push(event);
  }

  /** @returns whether there was room */
  pushRequest(event: NodeEvent, bytes: number): boolean {
    const isFull =
      this.#requests.length >= this.#bounds.requests ||
      this.#requestBytes + bytes > this.#bounds.requestBytes;
    if (isFull) return false;
    this.#requests.push(event);
    this.#requestBytes += bytes;
    return true;
  }

  /** @returns whether there was room */
  pushMessage(event: MessageEvent): boolean {
    const { from: peer } = event;
    const bytes = event.bytes.length;
    const queue = this.#peers.get(peer) ?? { events: new Fifo<MessageEvent>(), bytes: 0 };
    const isFull =
      queue.events.length >= this.#bounds.messagesPerPeer ||
      queue.bytes + bytes > this.#bounds.messageBytesPerPeer ||
      this.#messageBytes + bytes > this.#bounds.messageBytes;
    if (isFull) {
      this.#dropped++;
      return false;
    }
    this.#peers.set(peer, queue);
    queue.events.push(event);
    queue.bytes += bytes;
    this.#messageBytes += bytes;
    this.#messages++;
    return true;
  }

  shift(): NodeEvent | undefined {
    const own = this.#own.shift();
    if (own !== undefined) return own;
    if (this.#messages === 0) return this.#shiftRequest();
    if (this.#requests.length === 0) return this.#shiftMessage();
    if (this.#run > 0) {
      this.#run = this.#run === 1 ? -RUN : this.#run - 1;
      return this.#shiftMessage();
    }
    this.#run = this.#run === -1 ? RUN : this.#run + 1;
    return this.#shiftRequest();
  }

  clear(): void {
    while (this.shift() !== undefined);
  }

  #shiftRequest(): NodeEvent | undefined {
    const event = this.#requests.shift();
    this.#requestBytes -= bytesOf(event);
    return event;
  }

  /** Vertices that wait next to each other are one event: one step takes them, and one write. */
  #shiftMessage(): NodeEvent | undefined {
    const first = this.#takeMessage();
    if (first === undefined || !isVertex(first)) return first;
    const messages = [first];
    while (messages.length < MAX_VERTICES_TOGETHER) {
      const next = this.#nextMessage();
      if (next === undefined || !isVertex(next)) break;
      const taken = this.#takeMessage();
      if (taken !== undefined) messages.push(taken);
    }
    return messages.length === 1 ? first : { kind: 'vertices', messages };
  }

  #nextMessage(): MessageEvent | undefined {
    for (const { events } of this.#peers.values()) return events.peek();
    return undefined;
  }

  #takeMessage(): MessageEvent | undefined {
    for (const [peer, queue] of this.#peers) {
      const event = queue.events.shift();
      queue.bytes -= bytesOf(event);
      this.#messageBytes -= bytesOf(event);
      this.#messages--;
      // To the end of the line, or out of it.
      this.#peers.delete(peer);
      if (queue.events.length > 0) this.#peers.set(peer, queue);
      return event;
    }
    return undefined;
  }
}

const isVertex = ({ bytes }: MessageEvent): boolean => isMessageOf('vertex', bytes);

const bytesOf = (event: NodeEvent | undefined): number =>
  event !== undefined && 'bytes' in event ? (event.bytes?.length ?? 0) : 0;
