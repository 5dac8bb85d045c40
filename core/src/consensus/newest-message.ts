/**
 * The two messages of recovery (design/consensus.md, "Recovery"): a member that starts asks every
 * other for its newest own vertex and for its copy of the asker's newest; answers are signed.
 *
 * want-newest { nonce [32], store_id [32] }
 * newest { nonce [32], epoch u64, standing u8, other_store bool, own option<bytes>,
 * yours option<bytes>, signature [666] }, signed over
 * `Blake3("pyde/newest/1" ‖ chain_id u64 ‖ asker's address ‖ everything before the signature)`.
 * Vertices are in their own encoding; whether they are valid is asked by whoever reads the answer.
 */
import { type BorshReader, type BorshWriter, decodeExactly, encode } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import {
  type Address,
  type Epoch,
  exactNumber,
  FALCON_SIGNATURE_BYTES,
  type FalconSignature,
  HASH_BYTES,
  type Hash,
  MAX_VERTEX_BYTES,
  toEpoch,
  toFalconSignature,
  toHash,
} from '../types/index.ts';
import { consensusError } from './error.ts';

/**
 * What a member can say of its own store. `new`: it has made no vertex and is not yet known by it.
 * `whole`: it holds every vertex that it ever made. `lost`: it may have made vertices that it does
 * not hold, because its store is empty, stale or put back from a copy.
 */
export type StoreStanding = 'new' | 'whole' | 'lost';

/** In the order of their tags. */
export const STANDINGS: readonly StoreStanding[] = ['new', 'whole', 'lost'];

export interface WantNewest {
  /** Drawn at every start: no answer to an earlier start can pass for one to this. */
  readonly nonce: Hash;
  /** Drawn once for each store, so that others see when a member comes back on another one. */
  readonly storeId: Hash;
}

export interface UnsignedNewest {
  readonly nonce: Hash;
  /** Of the DAG that the answer speaks of. */
  readonly epoch: Epoch;
  /** Of the answering member; `lost` does not count. */
  readonly standing: StoreStanding;
  /** The asker was here before with another store. */
  readonly otherStore: boolean;
  /** Newest own vertex of the answering member in that epoch. */
  readonly own: Uint8Array | undefined;
  /** The asker's newest vertex in that epoch, accepted or waiting. */
  readonly yours: Uint8Array | undefined;
}

export interface Newest extends UnsignedNewest {
  readonly signature: FalconSignature;
}

/** Two vertices and what stands around them. */
export const MAX_NEWEST_BYTES = 2 * (5 + MAX_VERTEX_BYTES) + 48 + FALCON_SIGNATURE_BYTES;

export const encodeWantNewest = ({ nonce, storeId }: WantNewest): Uint8Array =>
  encode((w) => w.fixed(nonce).fixed(storeId));

/** @throws PydeError `borsh.*` */
export const decodeWantNewest = (bytes: Uint8Array): WantNewest =>
  decodeExactly(bytes, (r) => ({
    nonce: toHash(r.fixed(HASH_BYTES)),
    storeId: toHash(r.fixed(HASH_BYTES)),
  }));

export const encodeNewest = (newest: Newest): Uint8Array =>
  encode((w) => {
    writeUnsigned(w, newest);
    w.fixed(newest.signature);
  });

/** Size and shape only. @throws PydeError `consensus.message`, `borsh.*` */
export function decodeNewest(bytes: Uint8Array): Newest {
  if (bytes.length > MAX_NEWEST_BYTES) {
    throw consensusError('consensus.message', `newest has at most ${MAX_NEWEST_BYTES} bytes`, {
      bytes: bytes.length,
    });
  }
  return decodeExactly(bytes, (r) => ({
    ...readUnsigned(r),
    signature: toFalconSignature(r.fixed(FALCON_SIGNATURE_BYTES)),
  }));
}

/** What the signature signs: nobody can pass it off as an answer to another member or start. */
export function newestDigest(chainId: bigint, asker: Address, newest: UnsignedNewest): Hash {
  const domain = new TextEncoder().encode('pyde/newest/1');
  const body = encode((w) => {
    w.u64(chainId).fixed(asker);
    writeUnsigned(w, newest);
  });
  return toHash(blake3(domain, body));
}

function writeUnsigned(writer: BorshWriter, newest: UnsignedNewest): void {
  writer
    .fixed(newest.nonce)
    .u64(BigInt(newest.epoch))
    .u8(STANDINGS.indexOf(newest.standing))
    .bool(newest.otherStore)
    .option(newest.own, (w, own) => w.bytes(own))
    .option(newest.yours, (w, yours) => w.bytes(yours));
}

function readUnsigned(reader: BorshReader): UnsignedNewest {
  return {
    nonce: toHash(reader.fixed(HASH_BYTES)),
    epoch: toEpoch(exactNumber(reader.u64(), 'epoch')),
    standing: STANDINGS[reader.tag(STANDINGS.length, 'standing')] ?? 'lost',
    otherStore: reader.bool(),
    own: reader.option((r) => r.bytes(MAX_VERTEX_BYTES)),
    yours: reader.option((r) => r.bytes(MAX_VERTEX_BYTES)),
  };
}
