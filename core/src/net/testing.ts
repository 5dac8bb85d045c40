/** Validators with real keys, their ends of a link and their records, for tests of this folder. */
import { falconVerifyBatch } from '../crypto/index.ts';
import type { VerifySignatures } from '../platform/index.ts';
import { publicKeyOf, signatureOf } from '../tx/testing.ts';
import {
  type FalconSignature,
  type Hash,
  toFalconSignature,
  toHash,
  toValidatorIndex,
} from '../types/index.ts';
import { FrameReader } from './frame-reader.ts';
import { Handshake, type HandshakeEffect, type HandshakeOptions } from './handshake.ts';
import { encodeFrame, type Frame, HANDSHAKE_FRAMES } from './link-frames.ts';
import { type PeerRecord, signPeerRecord, type UnsignedPeerRecord } from './peer-record.ts';

export const GENESIS_HASH: Hash = toHash(new Uint8Array(32).fill(7));
export const VALIDATORS = 4;

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** A name that no key has; the same for the same number. */
export function peerIdOf(i: number): string {
  let rest = i + 1;
  let tail = '';
  while (tail.length < 12) {
    tail += BASE58[rest % 58];
    rest = Math.floor(rest / 58) + 17 * (rest % 58) + 1;
  }
  return `12D3KooW${String(i).replaceAll('0', 'z').padStart(32, 'x')}${tail}`;
}

export const verify: VerifySignatures = falconVerifyBatch;

export const signAs =
  (i: number) =>
  (message: Uint8Array): FalconSignature =>
    toFalconSignature(signatureOf(i, message));

export const validatorKey = (i: number) => (i < VALIDATORS ? publicKeyOf(i) : undefined);

/** Validator `i` on a connection whose other end noise says to be that of `remote`. */
export const endOf = (
  i: number,
  role: 'dialler' | 'listener',
  remote: number,
  changes: Partial<HandshakeOptions> = {},
): HandshakeOptions => ({
  role,
  genesisHash: GENESIS_HASH,
  validator: toValidatorIndex(i),
  session: new Uint8Array(16).fill(0x10 + i),
  nonce: new Uint8Array(32).fill(0x80 + i),
  peerId: peerIdOf(i),
  remotePeerId: peerIdOf(remote),
  publicKeyOf: validatorKey,
  sign: signAs(i),
  verify,
  ...changes,
});

export interface Outcome {
  readonly effects: readonly HandshakeEffect[];
  readonly machine: Handshake;
  /** Code of what the reader refused. */
  readonly unreadable: boolean;
}

/**
 * Two ends against each other over the wire format, until nobody has anything more to say.
 * @param onWire may change the bytes of the n-th frame that is sent
 */
export function shakeHands(
  dialler: HandshakeOptions,
  listener: HandshakeOptions,
  onWire: (bytes: Uint8Array, n: number) => Uint8Array = (bytes) => bytes,
): readonly [Outcome, Outcome] {
  const ends = [dialler, listener].map((options) => ({
    machine: new Handshake(options),
    reader: new FrameReader(HANDSHAKE_FRAMES),
    effects: [] as HandshakeEffect[],
    unreadable: false,
  }));
  const wire: { readonly to: 0 | 1; readonly bytes: Uint8Array }[] = [];
  let sent = 0;
  const carryOut = (at: 0 | 1, effects: readonly HandshakeEffect[]): void => {
    ends[at]?.effects.push(...effects);
    for (const effect of effects) {
      if (effect.kind !== 'send') continue;
      wire.push({ to: at === 0 ? 1 : 0, bytes: onWire(encodeFrame(effect.frame), sent++) });
    }
  };
  for (const at of [0, 1] as const) carryOut(at, ends[at]?.machine.begin() ?? []);
  for (let next = wire.shift(); next !== undefined; next = wire.shift()) {
    const { to, bytes } = next;
    const end = ends[to];
    if (end === undefined || end.unreadable) continue;
    try {
      end.reader.feed(bytes, (frame: Frame) => {
        const { state } = end.machine;
        if (state === 'hello' || state === 'proof') carryOut(to, end.machine.receive(frame));
      });
    } catch {
      end.unreadable = true;
    }
  }
  const [first, second] = ends;
  if (first === undefined || second === undefined) throw new Error('two ends');
  return [first, second];
}

export const recordOf = (
  i: number,
  sequence: bigint,
  changes: Partial<UnsignedPeerRecord> = {},
): PeerRecord =>
  signPeerRecord(
    GENESIS_HASH,
    {
      validator: toValidatorIndex(i),
      ends: [{ peerId: peerIdOf(i), addresses: [`/ip4/192.0.2.${i + 1}/tcp/9000`] }],
      sequence,
      ...changes,
    },
    signAs(i),
  );
