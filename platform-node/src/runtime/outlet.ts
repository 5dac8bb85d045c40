/**
 * Where the node's machine and its network meet. The machine knows validators by index and other
 * peers by a number that each connection gets anew; the network knows connections by peer id. What
 * comes in goes to the driver, what peers ask is answered from the store.
 */
import { PydeError } from '@pyde/core/bytes';
import type { GossipTopic, PeerOffence } from '@pyde/core/node';
import type { Transport } from '@pyde/core/platform';
import {
  FIRST_PEER_NUMBER,
  type PeerNumber,
  toPeerNumber,
  type ValidatorIndex,
} from '@pyde/core/types';
import type { NetworkUser, NodeNetwork, RequestProtocol } from '../network/index.ts';
import type { Driver } from './driver.ts';

/** Everything that a node says to others. */
export interface Outlet extends Transport {
  /** Rejects when there is no answer. */
  ask(peer: PeerNumber, protocol: 'waves', question: Uint8Array): Promise<Uint8Array>;
  report(peer: PeerNumber, offence: PeerOffence): void;
  publish(topic: GossipTopic, message: Uint8Array): void;
}

/** Of a node that is alone: a committee of one has nobody to talk to. */
export const noOutlet: Outlet = {
  send: () => {},
  broadcast: () => {},
  ask: () => Promise.reject(new PydeError('network.unreachable', 'this node has no network')),
  report: () => {},
  publish: () => {},
};

/** Answers a peer's question. @throws PydeError, which the peer is told */
export type Answer = (protocol: RequestProtocol, question: Uint8Array) => Uint8Array;

export interface InletParts {
  readonly driver: Pick<
    Driver,
    'message' | 'connected' | 'peerConnected' | 'peerDisconnected' | 'gossip'
  >;
  readonly answer: Answer;
  failed(error: PydeError): void;
}

export class NetworkOutlet implements Outlet {
  readonly #network: NodeNetwork;
  readonly #numbers = new Map<string, PeerNumber>();
  readonly #peerIds = new Map<PeerNumber, string>();
  #next = FIRST_PEER_NUMBER;

  constructor(network: NodeNetwork) {
    this.#network = network;
  }

  send(validator: ValidatorIndex, message: Uint8Array): void {
    this.#network.send(validator, message);
  }

  broadcast(message: Uint8Array): void {
    this.#network.broadcast(message);
  }

  publish(topic: GossipTopic, message: Uint8Array): void {
    this.#network.publish(topic, message);
  }

  async ask(peer: PeerNumber, protocol: 'waves', question: Uint8Array): Promise<Uint8Array> {
    const peerId = this.#peerIds.get(peer);
    if (peerId === undefined) {
      throw new PydeError('network.unreachable', `peer ${peer} is connected no more`);
    }
    return this.#network.ask(peerId, protocol, question);
  }

  report(peer: PeerNumber, offence: PeerOffence): void {
    const peerId = this.#peerIds.get(peer);
    // Silence is not told apart from slowness: both cost a little, and only a lie costs much.
    const reported = offence === 'no-answer' ? 'slow-answer' : offence;
    if (peerId !== undefined) this.#network.report(peerId, reported);
  }

  /** Starts the network, which from then on hands to the driver what comes. */
  start({ driver, answer, failed }: InletParts): Promise<void> {
    const user: NetworkUser = {
      message: (from, bytes) => driver.message(from, bytes),
      connected: (peer) => driver.connected(peer),
      peerConnected: (peerId) => {
        if (!this.#numbers.has(peerId)) driver.peerConnected(this.#number(peerId));
      },
      peerDisconnected: (peerId) => {
        const peer = this.#numbers.get(peerId);
        if (peer === undefined) return;
        this.#numbers.delete(peerId);
        this.#peerIds.delete(peer);
        driver.peerDisconnected(peer);
      },
      gossip: (topic, _peerId, bytes) => driver.gossip(topic, bytes),
      answer: async (_peerId, protocol, question) => answer(protocol, question),
      failed,
    };
    return this.#network.start(user);
  }

  #number(peerId: string): PeerNumber {
    const peer = toPeerNumber(this.#next++);
    this.#numbers.set(peerId, peer);
    this.#peerIds.set(peer, peerId);
    return peer;
  }
}
