/**
 * The three frames of a handshake (docs/protocol/network.md, "Handshake").
 *
 * hello { version u16, genesis_hash [32], validator u16, session [16], nonce [32], peer_id String }
 * proof { signature [666] }, over
 * `Blake3("pyde/handshake/1" ‖ borsh(genesis_hash, signer's index, peer id and session, the other's
 * index, peer id, session and nonce, signer's nonce))`
 * refuse { code u8, message String }
 */
import { BorshReader, type BorshWriter, decodeExactly, encode } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import {
  FALCON_SIGNATURE_BYTES,
  type FalconSignature,
  HASH_BYTES,
  type Hash,
  toFalconSignature,
  toHash,
  toValidatorIndex,
  type ValidatorIndex,
} from '../types/index.ts';
import { netError } from './error.ts';
import { checkPeerId, MAX_PEER_ID_BYTES } from './peer-id.ts';

/** Of the link; a hello of another version is read no further. */
export const LINK_VERSION = 1;
export const SESSION_BYTES = 16;
export const NONCE_BYTES = 32;

export interface Hello {
  readonly version: number;
  readonly genesisHash: Hash;
  readonly validator: ValidatorIndex;
  /** Drawn at every start of a process. */
  readonly session: Uint8Array;
  /** Drawn for every handshake. */
  readonly nonce: Uint8Array;
  /** The end of the connection at which the validator is reached: its own, or its sentry's. */
  readonly peerId: string;
}

/** In the order of their numbers. */
export const REFUSAL_CODES = [
  'wrong-chain',
  'wrong-version',
  'not-a-validator',
  'bad-proof',
  'live-elsewhere',
  'busy',
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

export interface Refusal {
  readonly code: RefusalCode;
  /** For a person. */
  readonly message: string;
}

export const MAX_REFUSAL_BYTES = 256;

export const encodeHello = (hello: Hello): Uint8Array =>
  encode((w) =>
    w
      .u16(hello.version)
      .fixed(hello.genesisHash)
      .u16(hello.validator)
      .fixed(hello.session)
      .fixed(hello.nonce)
      .string(hello.peerId),
  );

/** All that is read of a hello before its version is known to be ours. @throws PydeError `borsh.*` */
export const helloVersion = (payload: Uint8Array): number => new BorshReader(payload).u16();

/** @throws PydeError `borsh.*`, `net.peer-id` */
export const decodeHello = (payload: Uint8Array): Hello =>
  decodeExactly(payload, (r) => ({
    version: r.u16(),
    genesisHash: toHash(r.fixed(HASH_BYTES)),
    validator: toValidatorIndex(r.u16()),
    session: r.fixed(SESSION_BYTES),
    nonce: r.fixed(NONCE_BYTES),
    peerId: checkPeerId(r.string(MAX_PEER_ID_BYTES)),
  }));

/** @throws PydeError `types.length`, `types.falcon-header` */
export function decodeProof(payload: Uint8Array): FalconSignature {
  if (payload.length !== FALCON_SIGNATURE_BYTES) {
    throw netError('net.handshake', `a proof has ${FALCON_SIGNATURE_BYTES} bytes`, {
      bytes: payload.length,
    });
  }
  return toFalconSignature(payload.slice());
}

export const encodeRefusal = ({ code, message }: Refusal): Uint8Array =>
  encode((w) => w.u8(REFUSAL_CODES.indexOf(code)).bytes(clipped(message)));

/** @throws PydeError `borsh.*` */
export const decodeRefusal = (payload: Uint8Array): Refusal =>
  decodeExactly(payload, (r) => ({
    code: REFUSAL_CODES[r.tag(REFUSAL_CODES.length, 'refusal')] ?? 'busy',
    message: r.string(MAX_REFUSAL_BYTES),
  }));

/**
 * What a proof signs: who speaks, to whom, over which two ends of the connection, in which
 * processes, and both nonces, so that it proves nothing anywhere else or at another time.
 */
export function handshakeDigest(genesisHash: Hash, signer: Hello, other: Hello): Hash {
  const end = (w: BorshWriter, { validator, peerId, session }: Hello): void => {
    w.u16(validator).string(peerId).fixed(session);
  };
  const body = encode((w) => {
    w.fixed(genesisHash);
    end(w, signer);
    end(w, other);
    w.fixed(other.nonce).fixed(signer.nonce);
  });
  return toHash(blake3(new TextEncoder().encode('pyde/handshake/1'), body));
}

/** Cut at the end of a character. */
function clipped(message: string): Uint8Array {
  let end = message.length;
  let bytes = new TextEncoder().encode(message);
  while (bytes.length > MAX_REFUSAL_BYTES) {
    end -= Math.max(1, Math.ceil((bytes.length - MAX_REFUSAL_BYTES) / 4));
    bytes = new TextEncoder().encode(message.slice(0, end));
  }
  return bytes;
}
