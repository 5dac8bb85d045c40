/**
 * The record of a wave, its digest, and the certificate over it (design/consensus.md, "Finality").
 */
import { type BorshReader, type BorshWriter, encode, PydeError } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import {
  type Epoch,
  exactNumber,
  FALCON_SIGNATURE_BYTES,
  type FalconSignature,
  HASH_BYTES,
  type Hash,
  type Quanta,
  type Round,
  toEpoch,
  toFalconSignature,
  toHash,
  toQuanta,
  toRound,
  toVertexHash,
  toWaveId,
  type VertexHash,
  type WaveId,
} from './brand.ts';
import { MAX_COMMITTEE_SIZE } from './vertex.ts';

/** Both roots of the state tree; 32 bytes each. */
export interface StateRoot {
  readonly blake3: Hash;
  readonly poseidon2: Hash;
}

export const EVENTS_BLOOM_BYTES = 256;

export interface WaveCommitRecord {
  readonly chainId: bigint;
  readonly epoch: Epoch;
  readonly waveId: WaveId;
  readonly anchorRound: Round;
  readonly priorAnchorRound: Round;
  readonly anchorHash: VertexHash;
  /** Digest of the wave before; 32 zero bytes in wave 0. */
  readonly prevDigest: Hash;
  readonly timestampMs: bigint;
  readonly stateRoot: StateRoot;
  readonly eventsRoot: Hash;
  readonly eventsBloom: Uint8Array;
  readonly txRoot: Hash;
  /** Transactions that got a receipt in this wave. */
  readonly txCount: number;
  readonly eventsCount: number;
  readonly gasUsed: bigint;
  /** Quanta a unit of gas charged in this wave. */
  readonly baseFee: Quanta;
  /** Only in a record that closes an epoch. */
  readonly nextBeacon: Hash | undefined;
  readonly nextCommitteeHash: Hash | undefined;
}

export function writeWaveCommitRecord(writer: BorshWriter, record: WaveCommitRecord): void {
  writer
    .u64(record.chainId)
    .u64(BigInt(record.epoch))
    .u64(record.waveId)
    .u64(BigInt(record.anchorRound))
    .u64(BigInt(record.priorAnchorRound))
    .fixed(record.anchorHash)
    .fixed(record.prevDigest)
    .u64(record.timestampMs)
    .fixed(record.stateRoot.blake3)
    .fixed(record.stateRoot.poseidon2)
    .fixed(record.eventsRoot)
    .fixed(record.eventsBloom)
    .fixed(record.txRoot)
    .u32(record.txCount)
    .u32(record.eventsCount)
    .u64(record.gasUsed)
    .u128(record.baseFee)
    .option(record.nextBeacon, (w, beacon) => w.fixed(beacon))
    .option(record.nextCommitteeHash, (w, hash) => w.fixed(hash));
}

export function readWaveCommitRecord(reader: BorshReader): WaveCommitRecord {
  return {
    chainId: reader.u64(),
    epoch: toEpoch(exactNumber(reader.u64(), 'epoch')),
    waveId: toWaveId(reader.u64()),
    anchorRound: toRound(exactNumber(reader.u64(), 'anchor round')),
    priorAnchorRound: toRound(exactNumber(reader.u64(), 'prior anchor round')),
    anchorHash: toVertexHash(reader.fixed(HASH_BYTES)),
    prevDigest: toHash(reader.fixed(HASH_BYTES)),
    timestampMs: reader.u64(),
    stateRoot: {
      blake3: toHash(reader.fixed(HASH_BYTES)),
      poseidon2: toHash(reader.fixed(HASH_BYTES)),
    },
    eventsRoot: toHash(reader.fixed(HASH_BYTES)),
    eventsBloom: reader.fixed(EVENTS_BLOOM_BYTES),
    txRoot: toHash(reader.fixed(HASH_BYTES)),
    txCount: reader.u32(),
    eventsCount: reader.u32(),
    gasUsed: reader.u64(),
    baseFee: toQuanta(reader.u128()),
    nextBeacon: reader.option((r) => toHash(r.fixed(HASH_BYTES))),
    nextCommitteeHash: reader.option((r) => toHash(r.fixed(HASH_BYTES))),
  };
}

export function encodeWaveCommitRecord(record: WaveCommitRecord): Uint8Array {
  return encode((w) => writeWaveCommitRecord(w, record));
}

/** `Blake3("pyde/wave/1" ‖ borsh(record))`: what members attest. */
export function waveDigest(record: WaveCommitRecord): Hash {
  const domain = new TextEncoder().encode('pyde/wave/1');
  return toHash(blake3(domain, encodeWaveCommitRecord(record)));
}

/**
 * q signatures over one record. `signers` is a bitmap, bit i of byte i / 8 for member i, lowest bit
 * first; signatures follow in member order. Whether it holds is `finality`'s question.
 */
export interface HardFinalityCert {
  readonly record: WaveCommitRecord;
  readonly signers: Uint8Array;
  readonly signatures: readonly FalconSignature[];
}

export function writeHardFinalityCert(writer: BorshWriter, cert: HardFinalityCert): void {
  writeWaveCommitRecord(writer, cert.record);
  writer.bytes(cert.signers).vec(cert.signatures, (w, signature) => w.fixed(signature));
}

export function readHardFinalityCert(reader: BorshReader): HardFinalityCert {
  const cert = {
    record: readWaveCommitRecord(reader),
    signers: reader.bytes(MAX_COMMITTEE_SIZE / 8),
    signatures: reader.vec(MAX_COMMITTEE_SIZE, FALCON_SIGNATURE_BYTES, (r) =>
      toFalconSignature(r.fixed(FALCON_SIGNATURE_BYTES)),
    ),
  };
  if (signerIndexes(cert.signers).length !== cert.signatures.length) {
    throw new PydeError(
      'cert.bitmap',
      `the bitmap names ${signerIndexes(cert.signers).length} signers, ` +
        `${cert.signatures.length} signatures follow`,
    );
  }
  return cert;
}

/** The members whose bits are set, in order. */
export function signerIndexes(signers: Uint8Array): number[] {
  const members: number[] = [];
  for (let member = 0; member < signers.length * 8; member++) {
    if (((signers[member >> 3] ?? 0) >> (member & 7)) & 1) members.push(member);
  }
  return members;
}
