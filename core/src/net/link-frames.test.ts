import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { frameMessage, MAX_MESSAGE_BYTES } from '../consensus/index.ts';
import { FrameReader } from './frame-reader.ts';
import {
  decodeFrameHeader,
  encodeFrame,
  encodeFrameHeader,
  FRAME_KINDS,
  type Frame,
  HANDSHAKE_FRAMES,
  LINK_FRAMES,
} from './link-frames.ts';

const ALL = new Set(FRAME_KINDS);

const message = fc
  .tuple(fc.constantFrom('vertex', 'batch', 'want-rounds'), fc.uint8Array({ maxLength: 64 }))
  .map(
    ([kind, bytes]): Frame => ({
      kind: 'message',
      payload: frameMessage(kind as 'vertex', bytes),
    }),
  );
const ping = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((payload): Frame => ({ kind: 'ping', payload }));
const refuse = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((payload): Frame => ({ kind: 'refuse', payload }));

const header = (length: number, kind: number, first = 0): Uint8Array => {
  const bytes = new Uint8Array(6);
  new DataView(bytes.buffer).setUint32(0, length, true);
  bytes[4] = kind;
  bytes[5] = first;
  return bytes;
};
const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!isPydeError(error)) throw error;
    return error.code;
  }
};

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(message, ping, refuse), { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
        (frames, cuts) => {
          const stream = Uint8Array.from(frames.flatMap((frame) => [...encodeFrame(frame)]));
          const reader = new FrameReader(ALL);
          const out: Frame[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = cuts[i % cuts.length] ?? 1;
            reader.feed(stream.slice(at, at + size), (frame) => out.push(frame));
            at += size;
          }
          expect(out).toEqual(frames);
          expect(reader.heldBytes).toBe(0);
          reader.end();
        },
      ),
    );
  });

  it('are no views of the chunk', () => {
    const chunk = encodeFrame({ kind: 'ping', payload: new Uint8Array(8).fill(3) });
    const out: Frame[] = [];
    new FrameReader(ALL).feed(chunk, (frame) => out.push(frame));
    chunk.fill(0xff);
    expect(out[0]?.payload).toEqual(new Uint8Array(8).fill(3));
  });

  const VERTEX = 0;
  const BATCH = 1;
  const WANT_ROUNDS = 6;
  const refused: readonly [string, Uint8Array][] = [
    ['a kind that is none', header(8, 6)],
    ['a hello above 256 bytes', header(257, 0)],
    ['a proof of another length', header(667, 1)],
    ['a refusal above 512 bytes', header(513, 2)],
    ['a ping of another length', header(9, 3)],
    ['an empty message', header(0, 5)],
    ['an empty hello', header(0, 0)],
    ['a message whose tag is none', header(9, 5, 15)],
    ['a vertex above its limit', header(64 * 1024 + 2, 5, VERTEX)],
    ['a question above its limit', header(66, 5, WANT_ROUNDS)],
    ['a batch above its limit', header(MAX_MESSAGE_BYTES + 1, 5, BATCH)],
    ['a length of 4 GiB', header(0xffff_ffff, 5, BATCH)],
  ];
  it.each(refused)('refuses %s before anything is allocated', (_what, bytes) => {
    expect(codeOf(() => decodeFrameHeader(bytes, ALL))).toBe('net.frame');
    const reader = new FrameReader(ALL);
    expect(codeOf(() => reader.feed(bytes, () => undefined))).toBe('net.frame');
    expect(reader.allocatedBytes).toBe(0);
  });

  it('takes each message up to its own limit', () => {
    for (const [tag, most] of [
      [VERTEX, 64 * 1024 + 1],
      [WANT_ROUNDS, 65],
      [BATCH, MAX_MESSAGE_BYTES],
    ] as const) {
      expect(decodeFrameHeader(header(most, 5, tag), ALL)).toEqual({
        kind: 'message',
        length: most,
      });
    }
  });

  it('tells what is too large from what is malformed', () => {
    const oversized = (bytes: Uint8Array): unknown => {
      try {
        return decodeFrameHeader(bytes, ALL);
      } catch (error) {
        return isPydeError(error) ? error.details.oversized : error;
      }
    };
    expect(oversized(header(0xffff_ffff, 5, BATCH))).toBe(true);
    expect(oversized(header(5, 3))).toBe(false);
    expect(oversized(header(5, 9))).toBeUndefined();
  });

  it('refuses to send what would be refused', () => {
    expect(codeOf(() => encodeFrameHeader('ping', new Uint8Array(9)))).toBe('net.frame');
    expect(codeOf(() => encodeFrameHeader('message', new Uint8Array(0)))).toBe('net.frame');
  });
});

describe('a reader', () => {
  it('takes no message before the proof, not even in the same chunk', () => {
    const hello = encodeFrame({ kind: 'hello', payload: new Uint8Array(100) });
    const vertex = encodeFrame({ kind: 'message', payload: Uint8Array.of(0, 1, 2) });
    const out: Frame[] = [];
    const reader = new FrameReader(HANDSHAKE_FRAMES);
    const both = Uint8Array.of(...hello, ...vertex);
    expect(codeOf(() => reader.feed(both, (frame) => out.push(frame)))).toBe('net.frame');
    expect(out.map(({ kind }) => kind)).toEqual(['hello']);
  });

  it('takes messages from the frame on that proves the other side', () => {
    const proof = encodeFrame({ kind: 'proof', payload: new Uint8Array(666) });
    const vertex = encodeFrame({ kind: 'message', payload: Uint8Array.of(0, 1, 2) });
    const out: Frame[] = [];
    const reader = new FrameReader(HANDSHAKE_FRAMES);
    reader.feed(Uint8Array.of(...proof, ...vertex), (frame) => {
      out.push(frame);
      if (frame.kind === 'proof') reader.allow(LINK_FRAMES);
    });
    expect(out.map(({ kind }) => kind)).toEqual(['proof', 'message']);
  });

  it('takes nothing after a breach, nor after it was closed', () => {
    const ping = encodeFrame({ kind: 'ping', payload: new Uint8Array(8) });
    const out: Frame[] = [];
    const broken = new FrameReader(LINK_FRAMES);
    expect(codeOf(() => broken.feed(header(1, 9), () => undefined))).toBe('net.frame');
    broken.feed(ping, (frame) => out.push(frame));
    const closed = new FrameReader(LINK_FRAMES);
    closed.feed(Uint8Array.of(...ping, ...ping), (frame) => {
      out.push(frame);
      closed.close();
    });
    expect(out).toHaveLength(1);
  });

  it('holds one frame at most, and says when a stream was cut in it', () => {
    const frame = encodeFrame({
      kind: 'message',
      payload: frameMessage('batch', new Uint8Array(1000)),
    });
    const reader = new FrameReader(LINK_FRAMES);
    reader.feed(frame.subarray(0, 3), () => undefined);
    expect([reader.heldBytes, reader.allocatedBytes]).toEqual([3, 0]);
    reader.feed(frame.subarray(3, 500), () => undefined);
    expect([reader.heldBytes, reader.allocatedBytes]).toEqual([500, 1001]);
    expect(codeOf(() => reader.end())).toBe('net.frame');
    expect(reader.allocatedBytes).toBe(0);
  });

  it('passes on what the taker throws, and closes', () => {
    const reader = new FrameReader(LINK_FRAMES);
    const ping = encodeFrame({ kind: 'ping', payload: new Uint8Array(8) });
    const boom = () => {
      throw new RangeError('boom');
    };
    expect(() => reader.feed(ping, boom)).toThrow(RangeError);
    expect(reader.heldBytes).toBe(0);
  });
});
