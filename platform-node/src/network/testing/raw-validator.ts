/**
 * The other end of a committee link, by hand: a libp2p node that says hello and proves what it is
 * told to, and then sends whatever bytes a test wants. For what no honest node does.
 */
import type { Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { falconVerifyBatch } from '@pyde/core/crypto';
import {
  COMMITTEE_PROTOCOL,
  encodeFrame,
  type Frame,
  FrameReader,
  HANDSHAKE_FRAMES,
  Handshake,
  type HandshakeEffect,
  type HandshakeOptions,
  LINK_FRAMES,
} from '@pyde/core/net';
import { type Genesis, genesisHash, toHash, toValidatorIndex } from '@pyde/core/types';
import { systemRandom } from '../../runtime/system-clock.ts';
import { type LoopbackNode, until } from './loopback-node.ts';
import { addressOf, signerOf, type TestNode, testKeys } from './test-network.ts';

export class RawValidator {
  readonly stream: Stream;
  readonly frames: Frame[] = [];
  readonly effects: HandshakeEffect[] = [];
  /** Answers pings when set. */
  answersPings = true;

  private constructor(stream: Stream) {
    this.stream = stream;
  }

  /** Dials and begins the handshake as validator `index` with its key, unless `changes` differ. */
  static async dial(
    node: LoopbackNode,
    target: TestNode,
    genesis: Genesis,
    index: number,
    changes: Partial<HandshakeOptions> = {},
  ): Promise<RawValidator> {
    const connection = await node.dial(multiaddr(addressOf(target)));
    const stream = await connection.newStream(COMMITTEE_PROTOCOL);
    const raw = new RawValidator(stream);
    const key = testKeys[index];
    if (key === undefined) throw new Error(`there is no test key ${index}`);
    raw.#run({
      role: 'dialler',
      genesisHash: toHash(genesisHash(genesis)),
      validator: toValidatorIndex(index),
      session: systemRandom.bytes(16),
      nonce: systemRandom.bytes(32),
      peerId: node.peerId.toString(),
      remotePeerId: connection.remotePeer.toString(),
      publicKeyOf: (i) => genesis.validators[i]?.publicKey,
      sign: (digest) => signerOf(key).sign(digest),
      verify: falconVerifyBatch,
      ...changes,
    });
    return raw;
  }

  get isProven(): boolean {
    return this.effects.some(({ kind }) => kind === 'proven');
  }

  /** Why the handshake failed, whichever side said so first. */
  get refusal(): string | undefined {
    for (const effect of this.effects) {
      if (effect.kind === 'refused' || effect.kind === 'failed') return effect.code;
    }
    return undefined;
  }

  get isOpen(): boolean {
    return this.stream.status === 'open' && this.stream.remoteWriteStatus !== 'closed';
  }

  async proven(): Promise<this> {
    await until('the handshake', () => this.isProven);
    return this;
  }

  send(frame: Frame): void {
    if (this.isOpen) this.stream.send(encodeFrame(frame));
  }

  #run(options: HandshakeOptions): void {
    const handshake = new Handshake(options);
    const reader = new FrameReader(HANDSHAKE_FRAMES);
    const apply = (effects: readonly HandshakeEffect[]): void => {
      for (const effect of effects) {
        this.effects.push(effect);
        if (effect.kind === 'send') this.send(effect.frame);
        if (effect.kind === 'proven') reader.allow(LINK_FRAMES);
      }
    };
    this.stream.addEventListener('message', ({ data }) => {
      reader.feed(data.subarray(), (frame) => {
        const { state } = handshake;
        if (state === 'hello' || state === 'proof') apply(handshake.receive(frame));
        else if (frame.kind === 'ping' && this.answersPings) {
          this.send({ kind: 'pong', payload: frame.payload });
        } else this.frames.push(frame);
      });
    });
    apply(handshake.begin());
  }
}
