/** Attacks on streams: slow, too many, too often, and with frames that are too large or cut short. */
import { randomBytes } from 'node:crypto';
import type { Connection, Stream } from '@libp2p/interface';
import {
  COMMITTEE_PROTOCOL,
  REQUEST_LIMITS,
  REQUEST_PROTOCOLS,
  type RequestProtocol,
  requestProtocolId,
} from '@pyde/core/net';
import {
  type Attack,
  type AttackCounts,
  alive,
  count,
  opened,
  overConnections,
  pause,
  push,
  turn,
} from './attack.ts';

/** As many as a node lets one peer have, or nearly. */
const SLOW_STREAMS = 12;
const SLOW_BYTE_MS = 500;
const AT_ONCE = 64;
const HELLO = 0;
const MESSAGE = 5;

/** Questions and hellos that come a byte at a time and never end. */
export const slowStreams: Attack = async (target, signal, counts = {}) => {
  await overConnections(target, signal, counts, async (connection) => {
    const streams = await some(connection, SLOW_STREAMS, protocolAt, signal);
    count(counts, 'streams', streams.length);
    // A length of 60, and then its bytes.
    for (let at = 0; alive(connection, signal); at++) {
      for (const stream of streams) {
        if (push(stream, Uint8Array.of(at === 0 ? 60 : 0))) count(counts, 'bytes');
      }
      await pause(SLOW_BYTE_MS, signal);
    }
  });
  return counts;
};

/** Lengths above every table, headers of no kind, and messages cut in the middle, at full speed. */
export const brokenFrames: Attack = async (target, signal, counts = {}) => {
  await overConnections(target, signal, counts, async (connection) => {
    for (let at = 0; alive(connection, signal); at++) {
      await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          const frames = at % 2 === 0 ? questionFrames() : committeeFrames();
          const protocol = at % 2 === 0 ? protocolAt(i) : COMMITTEE_PROTOCOL;
          const bytes = frames[i % frames.length] ?? new Uint8Array(0);
          const stream = await opened(connection, protocol, signal);
          if (stream === undefined) return;
          count(counts, 'frames');
          push(stream, bytes);
          await stream.close({ signal: AbortSignal.timeout(1_000) }).catch(() => {});
        }),
      );
      await turn();
    }
  });
  return counts;
};

/** As many streams as the connection takes, of every protocol, and none is ever used. */
export const streamExhaustion: Attack = async (target, signal, counts = {}) => {
  await overConnections(target, signal, counts, async (connection) => {
    for (let at = 0; alive(connection, signal); at += AT_ONCE) {
      const streams = await some(connection, AT_ONCE, (i) => anyProtocol(at + i), signal);
      count(counts, 'streams', streams.length);
      count(counts, 'streams_refused', AT_ONCE - streams.length);
      counts.held_most = Math.max(counts.held_most ?? 0, connection.streams.length);
      await turn();
    }
  });
  return counts;
};

/** Every question there is, as fast as they go out; answers are read to their end. */
export const requestFlood: Attack = async (target, signal, counts = {}) => {
  await overConnections(target, signal, counts, async (connection) => {
    for (let at = 0; alive(connection, signal); at += AT_ONCE) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, i) => {
          const protocol = REQUEST_PROTOCOLS[(at + i) % REQUEST_PROTOCOLS.length] ?? 'head';
          await ask(connection, protocol, signal, counts);
        }),
      );
      await turn();
    }
  });
  return counts;
};

async function ask(
  connection: Connection,
  protocol: RequestProtocol,
  signal: AbortSignal,
  counts: AttackCounts,
): Promise<void> {
  const stream = await opened(connection, requestProtocolId(protocol), signal);
  if (stream === undefined) return count(counts, 'streams_refused');
  count(counts, 'questions');
  const question = new Uint8Array(REQUEST_LIMITS[protocol].maxQuestionBytes);
  push(stream, Buffer.concat([u32(question.length), question]));
  void stream.close({ signal: AbortSignal.timeout(5_000) }).catch(() => {});
  let status: number | undefined;
  try {
    for await (const chunk of stream) status ??= chunk.subarray()[0];
  } catch {
    // Reset: counted by having no status.
  }
  count(counts, status === 0 ? 'answers' : status === 1 ? 'refusals' : 'resets');
}

/** Those that came of so many attempts at once. */
async function some(
  connection: Connection,
  attempts: number,
  protocol: (i: number) => string,
  signal: AbortSignal,
): Promise<Stream[]> {
  const streams = await Promise.all(
    Array.from({ length: attempts }, (_, i) => opened(connection, protocol(i), signal)),
  );
  return streams.filter((stream) => stream !== undefined);
}

function questionFrames(): Uint8Array[] {
  return [
    u32(0xffff_ffff),
    u32(2 ** 20),
    Buffer.concat([u32(64), new Uint8Array(10)]),
    u32(1).subarray(0, 3),
    Buffer.concat([u32(4), randomBytes(64 * 1024)]),
    randomBytes(1_000),
  ];
}

function committeeFrames(): Uint8Array[] {
  return [
    Buffer.concat([u32(0xffff_ffff), Uint8Array.of(HELLO, 1)]),
    Buffer.concat([u32(100), Uint8Array.of(HELLO), randomBytes(50)]),
    Buffer.concat([u32(200), Uint8Array.of(HELLO), randomBytes(200)]),
    Buffer.concat([u32(16 * 2 ** 20), Uint8Array.of(MESSAGE, 1)]),
    Buffer.concat([u32(10), Uint8Array.of(99), randomBytes(10)]),
    randomBytes(1_000),
  ];
}

const protocolAt = (i: number): string =>
  requestProtocolId(REQUEST_PROTOCOLS[i % REQUEST_PROTOCOLS.length] ?? 'head');

const OTHER_PROTOCOLS = [COMMITTEE_PROTOCOL, '/meshsub/1.1.0', '/ipfs/ping/1.0.0', '/none/1.0.0'];

const anyProtocol = (i: number): string =>
  i % 2 === 0 ? protocolAt(i / 2) : (OTHER_PROTOCOLS[(i >> 1) % OTHER_PROTOCOLS.length] ?? '');

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
