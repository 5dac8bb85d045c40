/** Attacks on the handshake between validators: forged proofs, and somebody else's. */
import { randomBytes } from 'node:crypto';
import type { Connection, Libp2p } from '@libp2p/interface';
import { falconVerifyBatch } from '@pyde/core/crypto';
import {
  COMMITTEE_PROTOCOL,
  encodeFrame,
  FrameReader,
  HANDSHAKE_FRAMES,
  Handshake,
  type HandshakeEffect,
} from '@pyde/core/net';
import {
  type FalconSignature,
  genesisHash,
  type Hash,
  toFalconSignature,
  toHash,
  toValidatorIndex,
  type ValidatorIndex,
} from '@pyde/core/types';
import {
  type Attack,
  type AttackCounts,
  type AttackTarget,
  alive,
  count,
  opened,
  overConnections,
  pause,
  push,
  type Recorded,
} from './attack.ts';

/** A peer id that is neither end's. */
const STRANGER = '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo';
const AT_ONCE = 4;
const ANSWER_MS = 2_000;
const SIGNATURE_BYTES = 666;
/** The header byte of a padded FALCON-512 signature: so that the target has to look at the rest. */
const SIGNATURE_HEADER = 0x39;

/** Claims to be each validator in turn, with signatures that are none, as fast as it can. */
export const forgedProofs: Attack = async (target, signal, counts = {}) => {
  const validators = target.genesis.validators.length;
  await overConnections(target, signal, counts, async (connection, node) => {
    for (let at = 0; alive(connection, signal); at += AT_ONCE) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, i) =>
          shakeHands(target, connection, node, signal, counts, {
            validator: toValidatorIndex((at + i) % validators),
            sign: forged,
          }),
        ),
      );
    }
  });
  return counts;
};

/**
 * Says again, byte for byte, what a validator said in a handshake that was recorded: with the peer
 * id that it had then, and with the attacker's in its place, so that only the nonce is old. Without
 * a record it says the target's own words.
 */
export const replayedHandshakes: Attack = async (target, signal, counts = {}) => {
  await overConnections(target, signal, counts, async (connection, node) => {
    const { recorded } = target;
    const remote = connection.remotePeer.toString();
    const own = node.peerId.toString();
    const records: readonly (readonly Uint8Array[])[] =
      recorded === undefined
        ? [[]]
        : [record(target, recorded, STRANGER, remote), record(target, recorded, own, remote)];
    for (let at = 0; alive(connection, signal); at++) {
      await replay(target, connection, signal, counts, records[at % records.length] ?? []);
    }
  });
  return counts;
};

/** What the recorded validator said when it dialled the attacker, who posed as any other one. */
function record(
  { genesis }: AttackTarget,
  { validator, sign }: Recorded,
  peerId: string,
  remotePeerId: string,
): Uint8Array[] {
  const other = toValidatorIndex(validator === 0 ? 1 : 0);
  const common = {
    genesisHash: toHash(genesisHash(genesis)),
    publicKeyOf: (index: ValidatorIndex) => genesis.validators[index]?.publicKey,
    sign,
    verify: falconVerifyBatch,
  };
  const ends = (mine: string, theirs: string) => ({
    session: randomBytes(16),
    nonce: randomBytes(32),
    peerId: mine,
    remotePeerId: theirs,
  });
  const dialler = new Handshake({
    ...common,
    ...ends(peerId, remotePeerId),
    role: 'dialler',
    validator,
  });
  const listener = new Handshake({
    ...common,
    ...ends(remotePeerId, peerId),
    role: 'listener',
    validator: other,
  });
  const said = dialler.begin();
  for (const heard of listener.begin()) {
    if (heard.kind === 'send') said.push(...dialler.receive(heard.frame));
  }
  return said.flatMap((effect) => (effect.kind === 'send' ? [encodeFrame(effect.frame)] : []));
}

/** One handshake, as whoever it says. */
async function shakeHands(
  target: AttackTarget,
  connection: Connection,
  node: Libp2p,
  signal: AbortSignal,
  counts: AttackCounts,
  as: Recorded,
): Promise<void> {
  const stream = await opened(connection, COMMITTEE_PROTOCOL, signal);
  if (stream === undefined) {
    count(counts, 'streams_refused');
    return await pause(10, signal);
  }
  const handshake = new Handshake({
    role: 'dialler',
    genesisHash: toHash(genesisHash(target.genesis)),
    validator: as.validator,
    session: randomBytes(16),
    nonce: randomBytes(32),
    peerId: node.peerId.toString(),
    remotePeerId: connection.remotePeer.toString(),
    publicKeyOf: (index) => target.genesis.validators[index]?.publicKey,
    sign: (digest) => as.sign(digest),
    verify: falconVerifyBatch,
  });
  const apply = (effects: readonly HandshakeEffect[]): void => {
    for (const effect of effects) {
      if (effect.kind === 'proven') count(counts, 'proven');
      if (effect.kind === 'refused') count(counts, `refused_${effect.code}`);
      if (effect.kind !== 'send') continue;
      const bytes = encodeFrame(effect.frame);
      if (push(stream, bytes)) count(counts, effect.frame.kind === 'proof' ? 'proofs' : 'hellos');
    }
  };
  const reader = new FrameReader(HANDSHAKE_FRAMES);
  const over = Promise.withResolvers<void>();
  stream.addEventListener('close', () => over.resolve());
  stream.addEventListener('end', () => over.resolve());
  stream.addEventListener('message', ({ data }) => {
    try {
      reader.feed(data.subarray(), (frame) => {
        if (handshake.state !== 'hello' && handshake.state !== 'proof') return;
        apply(handshake.receive(frame));
      });
    } catch {
      // A frame of a link: the handshake is over.
      over.resolve();
    }
  });
  apply(handshake.begin());
  await Promise.race([over.promise, pause(ANSWER_MS, signal)]);
  stream.abort(new Error('the attacker turns away'));
}

/** Sends the record, or gives the target its own words back. */
async function replay(
  { genesis }: AttackTarget,
  connection: Connection,
  signal: AbortSignal,
  counts: AttackCounts,
  recorded: readonly Uint8Array[],
): Promise<void> {
  const stream = await opened(connection, COMMITTEE_PROTOCOL, signal);
  if (stream === undefined) {
    count(counts, 'streams_refused');
    return await pause(10, signal);
  }
  const over = Promise.withResolvers<void>();
  const reader = new FrameReader(HANDSHAKE_FRAMES);
  let heard = 0;
  stream.addEventListener('close', () => over.resolve());
  stream.addEventListener('end', () => over.resolve());
  stream.addEventListener('message', ({ data }) => {
    try {
      reader.feed(data.subarray(), (frame) => {
        count(counts, `heard_${frame.kind}`);
        if (recorded.length === 0 && heard++ === 0) push(stream, encodeFrame(frame));
        if (recorded.length === 0 && frame.kind === 'hello') {
          const payload = forged(toHash(genesisHash(genesis)));
          push(stream, encodeFrame({ kind: 'proof', payload }));
        }
      });
    } catch {
      over.resolve();
    }
  });
  for (const bytes of recorded) push(stream, bytes);
  count(counts, 'replays');
  await Promise.race([over.promise, pause(ANSWER_MS, signal)]);
  stream.abort(new Error('the attacker turns away'));
}

function forged(_: Hash): FalconSignature {
  const bytes = randomBytes(SIGNATURE_BYTES);
  bytes[0] = SIGNATURE_HEADER;
  return toFalconSignature(bytes);
}
