/**
 * What every attack on a node has in common: a target, an end, and counts of what it managed. An
 * attacker keeps to no rule. Thrown out, it comes back; refused a few times, it comes back as
 * somebody else, which costs it nothing but a key.
 */
import { identify } from '@libp2p/identify';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { FalconSignature, Genesis, Hash, ValidatorIndex } from '@pyde/core/types';
import { createLibp2p } from 'libp2p';
import type { GossipFactory } from '../../libp2p-node.ts';

export interface AttackTarget {
  /** A TCP multiaddr with the target's peer id at its end. */
  readonly address: string;
  readonly genesis: Genesis;
  /** Local address to come from, such as 127.0.0.66, so that a ban hits nobody else. */
  readonly from?: string;
  /** A validator that once dialled the attacker, which kept what it said: only for replays. */
  readonly recorded?: Recorded;
}

export interface Recorded {
  readonly validator: ValidatorIndex;
  /** Makes the record: with the key of that validator. */
  sign(digest: Hash): FalconSignature;
}

/** By name; they only grow while an attack runs, so they can be read at any time. */
export type AttackCounts = Record<string, number>;

/** Runs until the signal ends; never fails. */
export type Attack = (
  target: AttackTarget,
  signal: AbortSignal,
  counts?: AttackCounts,
) => Promise<AttackCounts>;

const DIAL_MS = 5_000;
const REFUSALS_BEFORE_A_NEW_NAME = 3;
const AFTER_REFUSAL_MS = 50;
const MANY = 1_000_000;

export function count(counts: AttackCounts, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}

/** A libp2p node that listens nowhere. */
export async function attackNode(
  { from }: Pick<AttackTarget, 'from'>,
  gossip?: GossipFactory,
): Promise<Libp2p> {
  return await createLibp2p({
    transports: [tcp({ dialOpts: { noDelay: true, ...(from === undefined ? {} : local(from)) } })],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ maxOutboundStreams: MANY, enableKeepAlive: false })],
    connectionManager: { reconnectRetries: 0, maxParallelDials: 100 },
    connectionMonitor: { enabled: false },
    services: { identify: identify(), ...(gossip === undefined ? {} : { gossip }) },
  });
}

/**
 * Connects, does its worst until the connection is gone, and connects again, until the signal ends.
 * Counts `identities`, `connected`, `refused` and `cut`.
 */
export async function overConnections(
  target: AttackTarget,
  signal: AbortSignal,
  counts: AttackCounts,
  worst: (connection: Connection, node: Libp2p) => Promise<void>,
  open: () => Promise<Libp2p> = () => attackNode(target),
): Promise<void> {
  const address = multiaddr(target.address);
  while (!signal.aborted) {
    const node = await open();
    count(counts, 'identities');
    let refusals = 0;
    while (!signal.aborted && refusals < REFUSALS_BEFORE_A_NEW_NAME) {
      const connection = await dialled(node, address, signal);
      if (connection === undefined) {
        refusals++;
        count(counts, 'refused');
        await pause(AFTER_REFUSAL_MS, signal);
        continue;
      }
      count(counts, 'connected');
      try {
        await worst(connection, node);
      } catch {
        // Whatever the target did to it: the attacker goes on.
      }
      if (!signal.aborted) count(counts, 'cut');
      connection.abort(new Error('the attacker turns away'));
      // Cut at once is as good as refused.
      if (Date.now() - connection.timeline.open < DIAL_MS) refusals++;
    }
    await node.stop();
  }
}

/** Is there anybody left to attack? */
export const alive = (connection: Connection, signal: AbortSignal): boolean =>
  connection.status === 'open' && !signal.aborted;

/** A stream, or nothing when the target refuses. */
export async function opened(
  connection: Connection,
  protocol: string,
  signal: AbortSignal,
): Promise<Stream | undefined> {
  try {
    return await connection.newStream(protocol, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS)]),
      maxOutboundStreams: MANY,
      negotiateFully: false,
    });
  } catch (error) {
    // The library may not have noticed that nothing is behind the connection any more.
    if (error instanceof Error && error.name === 'ConnectionClosedError') connection.abort(error);
    return undefined;
  }
}

/** Sends as far as the stream still takes it. */
export function push(stream: Stream, bytes: Uint8Array): boolean {
  try {
    stream.send(bytes);
    return true;
  } catch {
    return false;
  }
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}

/** Lets the event loop turn, so that an attack at full speed still sees what happens to it. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function dialled(
  node: Libp2p,
  address: Multiaddr,
  signal: AbortSignal,
): Promise<Connection | undefined> {
  try {
    return await node.dial(address, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS)]),
    });
  } catch {
    return undefined;
  }
}

/** Of node:net; the transport hands it through, though its types do not say so. */
const local = (from: string): object => ({ localAddress: from });
