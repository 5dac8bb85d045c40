import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/index.ts';
import { frameMessage, type MessageKind } from '../consensus/index.ts';
import { Bandwidth } from './bandwidth.ts';
import { FrameReader } from './frame-reader.ts';
import { FRAME_HEADER_BYTES, type Frame, LINK_FRAMES } from './link-frames.ts';
import { type SendClass, SendQueue, sendClassOf } from './send-queue.ts';

const of = (kind: MessageKind, mark: number, size = 8): Uint8Array =>
  frameMessage(kind, new Uint8Array(size).fill(mark));
const marksOf = (frames: readonly Frame[]): number[] =>
  frames.map(({ payload }) => payload[1] ?? -1);

function read(pieces: readonly Uint8Array[]): Frame[] {
  const out: Frame[] = [];
  const reader = new FrameReader(LINK_FRAMES);
  reader.feed(concatBytes(...pieces), (frame) => out.push(frame));
  return out;
}

const everything = (queue: SendQueue, nowMs = 0): Frame[] =>
  read(queue.next(Number.MAX_SAFE_INTEGER, nowMs));

describe('a send queue', () => {
  it('gives consensus before bulk, and each class in order', () => {
    const queue = new SendQueue();
    queue.push(of('batch', 1));
    queue.push(of('vertex', 2));
    queue.push(of('transaction', 3));
    queue.push(of('want-batches', 4));
    expect(marksOf(everything(queue))).toEqual([2, 4, 1, 3]);
    expect(queue.isEmpty).toBe(true);
  });

  it('knows the class of every kind', () => {
    const classes = (kinds: readonly MessageKind[]) =>
      new Set(kinds.map((kind) => sendClassOf(of(kind, 0))));
    expect(classes(['batch', 'rounds', 'waves', 'transaction'])).toEqual(new Set(['bulk']));
    expect(
      classes(['vertex', 'want-vertices', 'want-newest', 'newest', 'accepted', 'closing']),
    ).toEqual(new Set(['consensus']));
  });

  it('gives the frames of the link before both, and never many of them', () => {
    const queue = new SendQueue();
    queue.push(of('vertex', 1));
    const ping = { kind: 'ping' as const, payload: new Uint8Array(8) };
    for (let i = 0; i < 16; i++) expect(queue.pushControl(ping)).toBe(true);
    expect(queue.pushControl(ping)).toBe(false);
    expect(everything(queue).map(({ kind }) => kind)).toEqual([
      ...Array<string>(16).fill('ping'),
      'message',
    ]);
  });

  it('drops the oldest of a class that is full, and leaves the other alone', () => {
    const size = FRAME_HEADER_BYTES + 1 + 8;
    const queue = new SendQueue({ maxBytes: { consensus: 3 * size, bulk: 2 * size } });
    queue.push(of('vertex', 9));
    for (const mark of [1, 2, 3, 4]) queue.push(of('batch', mark));
    expect([queue.dropped('bulk'), queue.dropped('consensus')]).toEqual([2, 0]);
    expect(marksOf(everything(queue))).toEqual([9, 3, 4]);
  });

  it('drops a message that is larger than its class, and nothing for it', () => {
    const queue = new SendQueue({ maxBytes: { consensus: 100, bulk: 100 } });
    queue.push(of('batch', 1));
    queue.push(of('batch', 2, 200));
    expect(queue.dropped('bulk')).toBe(1);
    expect(marksOf(everything(queue))).toEqual([1]);
  });

  it('hands a large frame out in parts, with nothing in between', () => {
    const queue = new SendQueue();
    queue.push(of('batch', 1, 10_000));
    const pieces = queue.next(100, 0);
    queue.push(of('vertex', 2));
    queue.pushControl({ kind: 'ping', payload: new Uint8Array(8) });
    while (!queue.isEmpty) {
      const more = queue.next(700, 0);
      expect(more.reduce((sum, piece) => sum + piece.length, 0)).toBeLessThanOrEqual(700);
      pieces.push(...more);
    }
    expect(read(pieces).map(({ kind }) => kind)).toEqual(['message', 'ping', 'message']);
  });

  it('loses nothing, doubles nothing and counts every byte, below its bounds', () => {
    const step = fc.oneof(
      fc.record({
        push: fc.constantFrom<MessageKind>('vertex', 'batch', 'closing', 'waves'),
        size: fc.integer({ min: 1, max: 300 }),
      }),
      fc.record({ next: fc.integer({ min: 1, max: 500 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new SendQueue();
        const pushed: Record<SendClass, number[]> = { consensus: [], bulk: [] };
        const pieces: Uint8Array[] = [];
        let waiting = 0;
        let mark = 0;
        for (const one of steps) {
          if ('push' in one) {
            const message = of(one.push, mark % 256, one.size);
            pushed[sendClassOf(message)].push(mark++ % 256);
            queue.push(message);
            waiting += FRAME_HEADER_BYTES + message.length;
          } else {
            const next = queue.next(one.next, 0);
            pieces.push(...next);
            waiting -= next.reduce((sum, piece) => sum + piece.length, 0);
          }
          expect(queue.bytes).toBe(waiting);
        }
        pieces.push(...queue.next(Number.MAX_SAFE_INTEGER, 0));
        const got: Record<SendClass, number[]> = { consensus: [], bulk: [] };
        for (const { payload } of read(pieces)) {
          got[sendClassOf(payload)].push(payload[1] ?? -1);
        }
        expect(got).toEqual(pushed);
      }),
    );
  });

  it('stays below its bounds whatever is pushed', () => {
    const maxBytes = { consensus: 2_000, bulk: 3_000 };
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom<MessageKind>('vertex', 'batch'),
            fc.integer({ min: 1, max: 4_000 }),
          ),
          { maxLength: 50 },
        ),
        (pushes) => {
          const queue = new SendQueue({ maxBytes });
          for (const [kind, size] of pushes) {
            queue.push(of(kind, 1, size));
            expect(queue.bytesOf('consensus')).toBeLessThanOrEqual(maxBytes.consensus);
            expect(queue.bytesOf('bulk')).toBeLessThanOrEqual(maxBytes.bulk);
          }
          const left = everything(queue).length;
          expect(left + queue.dropped('consensus') + queue.dropped('bulk')).toBe(pushes.length);
        },
      ),
    );
  });

  it('gives memory of what was sent back, however long it runs', () => {
    const queue = new SendQueue();
    for (let i = 0; i < 5_000; i++) {
      queue.push(of('batch', i % 256));
      queue.push(of('batch', (i + 1) % 256));
      queue.next(FRAME_HEADER_BYTES + 9, 0);
    }
    expect(everything(queue)).toHaveLength(5_000);
    expect(queue.bytes).toBe(0);
  });
});

describe('a send queue with little bandwidth', () => {
  const RATE = 32 * 1024;

  it('lets bulk wait while consensus goes on', () => {
    const queue = new SendQueue({
      maxBytes: { consensus: 1 << 20, bulk: 1 << 20 },
      bandwidth: new Bandwidth(RATE, 0),
    });
    for (let i = 0; i < 4; i++) queue.push(of('batch', i, 10_000));
    expect(everything(queue)).toHaveLength(2);
    expect(queue.next(1 << 20, 0)).toEqual([]);
    queue.push(of('vertex', 9, 1_000));
    expect(marksOf(everything(queue))).toEqual([9]);
    const waitMs = queue.waitMs(0) ?? 0;
    expect(waitMs).toBeGreaterThan(0);
    expect(queue.next(1 << 20, waitMs - 1)).toEqual([]);
    expect(everything(queue, waitMs)).toHaveLength(1);
  });

  it('sends no more than its rate over time, whatever waits', () => {
    const bandwidth = new Bandwidth(RATE, 0);
    const queues = [0, 1].map(
      () => new SendQueue({ maxBytes: { consensus: 1 << 22, bulk: 1 << 22 }, bandwidth }),
    );
    for (const queue of queues) {
      for (let i = 0; i < 400; i++) queue.push(of(i % 2 === 0 ? 'batch' : 'vertex', 1, 3_000));
    }
    let sent = 0;
    for (let nowMs = 0; nowMs <= 10_000; nowMs += 10) {
      for (const queue of queues) {
        for (const piece of queue.next(1 << 20, nowMs)) sent += piece.length;
      }
    }
    // One full bucket, ten seconds, and one frame beyond.
    expect(sent).toBeLessThanOrEqual(11 * RATE + 3_100);
    expect(sent).toBeGreaterThan(9 * RATE);
  });

  it('says when there is nothing to wait for', () => {
    const queue = new SendQueue();
    expect(queue.waitMs(0)).toBeUndefined();
    queue.push(of('batch', 1));
    expect(queue.waitMs(0)).toBe(0);
  });
});
