/**
 * Where a validator is reached, signed with its key, so that validators find each other by seeds
 * alone (docs/protocol/network.md, "Peer records"). One behind sentries names theirs.
 *
 * record { validator u16, peers Vec<{ peer_id String, addresses Vec<String> }>, sequence u64,
 * signature [666] } over `Blake3("pyde/peer-record/1" ‖ genesis hash ‖ everything before it)`.
 */
import { type BorshReader, type BorshWriter, decodeExactly, encode } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import type { VerifySignatures } from '../platform/index.ts';
import {
  FALCON_SIGNATURE_BYTES,
  type FalconPublicKey,
  type FalconSignature,
  type Hash,
  toFalconSignature,
  toHash,
  toValidatorIndex,
  type ValidatorIndex,
} from '../types/index.ts';
import { netError } from './error.ts';
import { checkMultiaddr, MAX_MULTIADDR_BYTES } from './multiaddr.ts';
import { checkPeerId, MAX_PEER_ID_BYTES } from './peer-id.ts';

/** One end at which a validator is reached: itself or one of its sentries. */
export interface PeerEnd {
  readonly peerId: string;
  /** Multiaddrs, with or without the peer id at their end. */
  readonly addresses: readonly string[];
}

export interface UnsignedPeerRecord {
  readonly validator: ValidatorIndex;
  /** 1 to 4; addresses at most 8 together. */
  readonly ends: readonly PeerEnd[];
  /** Grows with every record of a validator: milliseconds since 1970 at its signing. */
  readonly sequence: bigint;
}

export interface PeerRecord extends UnsignedPeerRecord {
  readonly signature: FalconSignature;
}

export const MAX_RECORD_ENDS = 4;
export const MAX_RECORD_ADDRESSES = 8;
export const MAX_PEER_RECORD_BYTES =
  2 +
  4 +
  MAX_RECORD_ENDS * (4 + MAX_PEER_ID_BYTES + 4) +
  MAX_RECORD_ADDRESSES * (4 + MAX_MULTIADDR_BYTES) +
  8 +
  FALCON_SIGNATURE_BYTES;

export const encodePeerRecord = (record: PeerRecord): Uint8Array =>
  encode((w) => writePeerRecord(w, record));

/** Size and shape; whether the validator signed it is asked of `verifyPeerRecord`. @throws PydeError */
export function decodePeerRecord(bytes: Uint8Array): PeerRecord {
  if (bytes.length > MAX_PEER_RECORD_BYTES) {
    throw netError('net.record', `a peer record has at most ${MAX_PEER_RECORD_BYTES} bytes`, {
      bytes: bytes.length,
    });
  }
  return decodeExactly(bytes, readPeerRecord);
}

/** Signs where a validator is reached. @throws PydeError `net.record` if it names too much */
export function signPeerRecord(
  genesisHash: Hash,
  record: UnsignedPeerRecord,
  sign: (digest: Hash) => FalconSignature,
): PeerRecord {
  checkEnds(record.ends);
  return { ...record, signature: sign(peerRecordDigest(genesisHash, record)) };
}

/** @param publicKey of the validator that the record names, from genesis */
export function verifyPeerRecord(
  genesisHash: Hash,
  record: PeerRecord,
  publicKey: FalconPublicKey,
  verify: VerifySignatures,
): boolean {
  const message = peerRecordDigest(genesisHash, record);
  return verify([{ publicKey, message, signature: record.signature }])[0] === true;
}

export function peerRecordDigest(genesisHash: Hash, record: UnsignedPeerRecord): Hash {
  const domain = new TextEncoder().encode('pyde/peer-record/1');
  return toHash(
    blake3(
      domain,
      genesisHash,
      encode((w) => writeUnsigned(w, record)),
    ),
  );
}

/** Does the first replace the second? Of two with one sequence the one that is held stays. */
export const isNewerRecord = (
  record: UnsignedPeerRecord,
  held: UnsignedPeerRecord | undefined,
): boolean => held === undefined || record.sequence > held.sequence;

export function writePeerRecord(writer: BorshWriter, record: PeerRecord): void {
  writeUnsigned(writer, record);
  writer.fixed(record.signature);
}

export function readPeerRecord(reader: BorshReader): PeerRecord {
  const record = {
    validator: toValidatorIndex(reader.u16()),
    ends: reader.vec(MAX_RECORD_ENDS, 8, readPeerEnd),
    sequence: reader.u64(),
    signature: toFalconSignature(reader.fixed(FALCON_SIGNATURE_BYTES)),
  };
  checkEnds(record.ends);
  return record;
}

export function writePeerEnd(writer: BorshWriter, { peerId, addresses }: PeerEnd): void {
  writer.string(peerId).vec(addresses, (w, address) => w.string(address));
}

export const readPeerEnd = (reader: BorshReader): PeerEnd => ({
  peerId: checkPeerId(reader.string(MAX_PEER_ID_BYTES)),
  addresses: reader.vec(MAX_RECORD_ADDRESSES, 5, (r) =>
    checkMultiaddr(r.string(MAX_MULTIADDR_BYTES)),
  ),
});

function writeUnsigned(writer: BorshWriter, record: UnsignedPeerRecord): void {
  writer.u16(record.validator).vec(record.ends, writePeerEnd).u64(record.sequence);
}

function checkEnds(ends: readonly PeerEnd[]): void {
  const addresses = ends.reduce((sum, end) => sum + end.addresses.length, 0);
  const named = new Set(ends.map(({ peerId }) => peerId)).size;
  const fine =
    ends.length >= 1 &&
    ends.length <= MAX_RECORD_ENDS &&
    named === ends.length &&
    addresses >= 1 &&
    addresses <= MAX_RECORD_ADDRESSES;
  if (fine) return;
  throw netError(
    'net.record',
    `a record names 1 to ${MAX_RECORD_ENDS} peers, each once, with 1 to ${MAX_RECORD_ADDRESSES} addresses together`,
    { ends: ends.length, addresses },
  );
}
