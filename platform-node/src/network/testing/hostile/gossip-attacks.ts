/** Attacks on gossip: rubbish on every topic through the library, and floods of its own frames. */
import { randomBytes } from 'node:crypto';
import { type GossipSub, gossipsub, StrictNoSign } from '@libp2p/gossipsub';
import { GOSSIP_LIMITS, GOSSIP_TOPICS, gossipTopicId } from '@pyde/core/net';
import { genesisHash } from '@pyde/core/types';
import {
  type Attack,
  alive,
  attackNode,
  count,
  opened,
  overConnections,
  push,
  turn,
} from './attack.ts';

const PER_TURN = 16;
const SMALL_BYTES = 200;
/** Every so many messages one as large as its topic allows. */
const LARGE_EVERY = 64;
/** An RPC of nothing but an empty list of control messages, behind its length. */
const EMPTY_RPC = Uint8Array.of(2, 0x1a, 0);
const RAW_BYTES = 60_000;
const STALLED_MS = 1_000;

/** Messages on both topics that mean nothing, each a new one. */
export const gossipFlood: Attack = async (target, signal, counts = {}) => {
  const hash = genesisHash(target.genesis);
  const topics = GOSSIP_TOPICS.map((name) => ({ name, id: gossipTopicId(name, hash) }));
  let service: GossipSub | undefined;
  const open = () =>
    attackNode(target, (components) => {
      service = gossipsub({
        globalSignaturePolicy: StrictNoSign,
        allowPublishToZeroTopicPeers: true,
        floodPublish: true,
      })(components);
      return service;
    });
  await overConnections(
    target,
    signal,
    counts,
    async (connection) => {
      for (const { id } of topics) service?.subscribe(id);
      for (let at = 0; alive(connection, signal); at++) {
        const { name, id } = topics[at % topics.length] ?? { name: 'tx', id: '' };
        const large = at % LARGE_EVERY === 0;
        const bytes = randomBytes(large ? GOSSIP_LIMITS[name].maxBytes : SMALL_BYTES);
        const sent = await service?.publish(id, bytes).catch(() => undefined);
        if ((sent?.recipients.length ?? 0) > 0) {
          count(counts, 'messages');
          count(counts, 'bytes', bytes.length);
        }
        if (at % PER_TURN === 0) await turn();
      }
    },
    open,
  );
  return counts;
};

/** Tiny RPCs as fast as the stream takes them: work without bytes. */
export const gossipFrames: Attack = async (target, signal, counts = {}) => {
  const chunk = Buffer.alloc(RAW_BYTES, EMPTY_RPC);
  await overConnections(target, signal, counts, async (connection) => {
    while (alive(connection, signal)) {
      const stream = await opened(connection, '/meshsub/1.1.0', signal);
      count(counts, stream === undefined ? 'streams_refused' : 'streams');
      let tookMs = Date.now();
      while (stream?.status === 'open' && alive(connection, signal)) {
        if (!stream.writableNeedsDrain && push(stream, chunk)) {
          tookMs = Date.now();
          count(counts, 'rpcs', chunk.length / EMPTY_RPC.length);
        }
        // It is no longer read: perhaps by another name.
        if (Date.now() - tookMs > STALLED_MS) return count(counts, 'stalled');
        await turn();
      }
      await turn();
    }
  });
  return counts;
};
