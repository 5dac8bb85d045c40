/**
 * What waits to be written to one link (docs/protocol/network.md, "Sending"): two classes, each
 * bounded in bytes. Consensus goes first; a class that is full drops its oldest, because whoever
 * lacks something asks for it. Frames that keep the link alive go before both.
 */
import { invariant } from '../bytes/index.ts';
import { type MessageKind, messageKind } from '../consensus/index.ts';
import type { Bandwidth } from './bandwidth.ts';
import { encodeFrame, encodeFrameHeader, type Frame } from './link-frames.ts';

export type SendClass = 'consensus' | 'bulk';

export interface SendQueueOptions {
  readonly maxBytes: Readonly<Record<SendClass, number>>;
  /** Shared by all links of a node; absent: as fast as the stream drains. */
  readonly bandwidth?: Bandwidth;
}

export const SEND_QUEUE_BYTES: Readonly<Record<SendClass, number>> = {
  consensus: 8 * 1024 * 1024,
  bulk: 16 * 1024 * 1024,
};

/** Handed to a stream ahead of its drain. */
export const WRITE_AHEAD_BYTES = 256 * 1024;

const CONTROL_FRAMES = 16;

/** What the commit rule waits for; everything else can be asked for again. */
const CONSENSUS_KINDS: ReadonlySet<MessageKind> = new Set([
  'vertex',
  'want-vertices',
  'want-batches',
  'want-accepted',
  'accepted',
  'want-rounds',
  'want-newest',
  'newest',
  'want-waves',
  'want-closing',
  'closing',
]);

export const sendClassOf = (message: Uint8Array): SendClass => {
  const kind = messageKind(message);
  return kind !== undefined && CONSENSUS_KINDS.has(kind) ? 'consensus' : 'bulk';
};

interface Waiting {
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
}

export class SendQueue {
  readonly #classes: Readonly<Record<SendClass, ClassQueue>>;
  readonly #bandwidth: Bandwidth | undefined;
  readonly #control: Uint8Array[] = [];
  /** What is left of a frame whose first part was handed out. */
  #begun: Uint8Array[] = [];
  #begunBytes = 0;

  constructor({ maxBytes, bandwidth }: SendQueueOptions = { maxBytes: SEND_QUEUE_BYTES }) {
    this.#classes = {
      consensus: new ClassQueue(maxBytes.consensus),
      bulk: new ClassQueue(maxBytes.bulk),
    };
    this.#bandwidth = bandwidth;
  }

  /**
   * A message of consensus, its tag first. The bytes are shared, not copied: they must not change.
   * @throws PydeError `net.frame` for one that the other side would refuse
   */
  push(message: Uint8Array): void {
    const header = encodeFrameHeader('message', message);
    this.#classes[sendClassOf(message)].push({ header, payload: message });
  }

  /**
   * A frame of the link itself, before everything that waits. There are never many of them: false
   * when so many wait that the link is to be dropped.
   * @throws PydeError `net.frame`
   */
  pushControl(frame: Frame): boolean {
    if (this.#control.length >= CONTROL_FRAMES) return false;
    this.#control.push(encodeFrame(frame));
    return true;
  }

  /** Bytes that wait, headers among them. */
  get bytes(): number {
    const control = this.#control.reduce((sum, frame) => sum + frame.length, 0);
    return this.#begunBytes + control + this.#classes.consensus.bytes + this.#classes.bulk.bytes;
  }

  bytesOf(sendClass: SendClass): number {
    return this.#classes[sendClass].bytes;
  }

  /** Messages dropped since the link began. */
  dropped(sendClass: SendClass): number {
    return this.#classes[sendClass].dropped;
  }

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /**
   * What to write next, in order, at most `maxBytes` together; none when nothing waits or pacing
   * holds it back. A large frame is handed out in parts, and nothing comes between them.
   * @param nowMs monotonic; only pacing looks at it
   */
  next(maxBytes: number, nowMs: number): Uint8Array[] {
    const out: Uint8Array[] = [];
    let room = maxBytes;
    while (room > 0 && this.#begin(nowMs)) {
      const part = this.#begun[0];
      invariant(part !== undefined, 'a frame that was begun has bytes left');
      const count = Math.min(room, part.length);
      out.push(part.subarray(0, count));
      room -= count;
      this.#begunBytes -= count;
      if (count < part.length) this.#begun[0] = part.subarray(count);
      else this.#begun.shift();
    }
    return out;
  }

  /** Milliseconds until `next` may give something; undefined when nothing waits. */
  waitMs(nowMs: number): number | undefined {
    if (this.isEmpty) return undefined;
    if (this.#begunBytes > 0 || this.#control.length > 0 || this.#bandwidth === undefined) return 0;
    const consensus = this.#classes.consensus.first;
    if (consensus !== undefined) return this.#bandwidth.waitMs('consensus', nowMs);
    return this.#bandwidth.waitMs('bulk', nowMs);
  }

  /** Is there a frame to go on with? */
  #begin(nowMs: number): boolean {
    if (this.#begun.length > 0) return true;
    const control = this.#control.shift();
    if (control !== undefined) {
      this.#bandwidth?.spend(control.length, nowMs);
      this.#begun = [control];
      this.#begunBytes = control.length;
      return true;
    }
    for (const sendClass of ['consensus', 'bulk'] as const) {
      const queue = this.#classes[sendClass];
      if (queue.first === undefined) continue;
      if (this.#bandwidth?.may(sendClass, nowMs) === false) return false;
      const { header, payload } = queue.shift();
      this.#begun = [header, payload];
      this.#begunBytes = header.length + payload.length;
      this.#bandwidth?.spend(this.#begunBytes, nowMs);
      return true;
    }
    return false;
  }
}

/** One class, oldest first. */
class ClassQueue {
  readonly #maxBytes: number;
  #waiting: (Waiting | undefined)[] = [];
  #head = 0;
  bytes = 0;
  dropped = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get first(): Waiting | undefined {
    return this.#waiting[this.#head];
  }

  /** A message that is larger than the whole class is dropped itself. */
  push(entry: Waiting): void {
    const size = entry.header.length + entry.payload.length;
    if (size > this.#maxBytes) {
      this.dropped++;
      return;
    }
    while (this.bytes + size > this.#maxBytes) {
      this.shift();
      this.dropped++;
    }
    this.#waiting.push(entry);
    this.bytes += size;
  }

  shift(): Waiting {
    const entry = this.#waiting[this.#head];
    invariant(entry !== undefined, 'a message waits in the class');
    this.#waiting[this.#head++] = undefined;
    this.bytes -= entry.header.length + entry.payload.length;
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    } else if (this.#head >= COMPACTED_AT && 2 * this.#head >= this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    return entry;
  }
}

/** Emptied places at the front are given back once there are so many. */
const COMPACTED_AT = 1_024;
