/** Attacks on a running node over the network, by name; each runs until it is told to end. */
import type { Attack } from './attack.ts';
import { gossipFlood, gossipFrames } from './gossip-attacks.ts';
import { forgedProofs, replayedHandshakes } from './handshake-attacks.ts';
import { brokenFrames, requestFlood, slowStreams, streamExhaustion } from './stream-attacks.ts';
import { connectionCrowd, rubbishConnections, slowConnections } from './tcp-attacks.ts';

export type { Attack, AttackCounts, AttackTarget, Recorded } from './attack.ts';

export const ATTACKS = {
  'connection-crowd': connectionCrowd,
  'slow-connections': slowConnections,
  'rubbish-connections': rubbishConnections,
  'slow-streams': slowStreams,
  'broken-frames': brokenFrames,
  'forged-proofs': forgedProofs,
  'replayed-handshakes': replayedHandshakes,
  'gossip-flood': gossipFlood,
  'gossip-frames': gossipFrames,
  'request-flood': requestFlood,
  'stream-exhaustion': streamExhaustion,
} as const satisfies Readonly<Record<string, Attack>>;

export type AttackName = keyof typeof ATTACKS;
