/**
 * Branded values: a type whose existence proves that its bound was checked. The constructors below
 * are the only places where a plain value becomes one.
 */
import { PydeError, U64_MAX, U128_MAX } from '../bytes/index.ts';

declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** 32 bytes: Poseidon2 of a public key, of a contract name, or of a child's parts (wire.md). */
export type Address = Brand<Uint8Array, 'Address'>;
/** Any 32-byte digest that has no name of its own. */
export type Hash = Brand<Uint8Array, 'Hash'>;
/** Poseidon2 over the canonical fields of a transaction; the signature is not among them. */
export type TxHash = Brand<Uint8Array, 'TxHash'>;
/** The name of a vertex: Blake3 of its bytes without the signature. */
export type VertexHash = Brand<Uint8Array, 'VertexHash'>;
/** The name of a batch: Blake3 of its bytes. */
export type BatchHash = Brand<Uint8Array, 'BatchHash'>;
/** The 32-byte slot of a storage entry inside its owner. */
export type SlotHash = Brand<Uint8Array, 'SlotHash'>;
/** 897 bytes with header 0x09. */
export type FalconPublicKey = Brand<Uint8Array, 'FalconPublicKey'>;
/** 666 bytes, padded form: the only form in consensus objects. */
export type FalconSignature = Brand<Uint8Array, 'FalconSignature'>;

/** An amount in quanta, u128; 1 PYDE = 10⁹ quanta. */
export type Quanta = Brand<bigint, 'Quanta'>;
export type Balance = Quanta;
/** The amount a transaction moves. */
export type Value = Quanta;
/** u64. */
export type Nonce = Brand<bigint, 'Nonce'>;
/** u64, counts committed anchors without gaps; 0 is genesis. */
export type WaveId = Brand<bigint, 'WaveId'>;
/** A round of the DAG; below 2⁵³ by its decoder, so that a number is exact. */
export type Round = Brand<number, 'Round'>;
/** An epoch; below 2⁵³ by its decoder. */
export type Epoch = Brand<number, 'Epoch'>;
/** A validator's place in the registry, the same in every epoch; below 2¹⁶. */
export type ValidatorIndex = Brand<number, 'ValidatorIndex'>;
/** A seat in the committee, 0 … n − 1, below 2¹⁶. */
export type MemberIndex = Brand<number, 'MemberIndex'>;
/**
 * A peer of whom nothing is known but that it answers questions: numbered by the platform from 2¹⁶
 * up, so never a validator's index; a new number for every connection.
 */
export type PeerNumber = Brand<number, 'PeerNumber'>;

export const FIRST_PEER_NUMBER = 0x1_0000;
export const ADDRESS_BYTES = 32;
export const HASH_BYTES = 32;
export const FALCON_PUBLIC_KEY_BYTES = 897;
export const FALCON_SIGNATURE_BYTES = 666;
export const QUANTA_PER_PYDE = 1_000_000_000n;

export type TypesErrorCode = 'types.length' | 'types.range' | 'types.falcon-header';

function sized(bytes: Uint8Array, length: number, what: string): Uint8Array {
  if (bytes.length !== length) {
    throw new PydeError('types.length', `${what} is ${length} bytes, got ${bytes.length}`, {
      length: bytes.length,
    });
  }
  return bytes;
}

function withHeader(bytes: Uint8Array, header: number, what: string): Uint8Array {
  if (bytes[0] !== header) {
    throw new PydeError(
      'types.falcon-header',
      `${what} starts with byte ${header}, got ${bytes[0]}`,
    );
  }
  return bytes;
}

export const toAddress = (bytes: Uint8Array): Address =>
  sized(bytes, ADDRESS_BYTES, 'an address') as Address;
export const toHash = (bytes: Uint8Array): Hash => sized(bytes, HASH_BYTES, 'a hash') as Hash;
export const toTxHash = (bytes: Uint8Array): TxHash =>
  sized(bytes, HASH_BYTES, 'a transaction hash') as TxHash;
export const toVertexHash = (bytes: Uint8Array): VertexHash =>
  sized(bytes, HASH_BYTES, 'a vertex name') as VertexHash;
export const toBatchHash = (bytes: Uint8Array): BatchHash =>
  sized(bytes, HASH_BYTES, 'a batch name') as BatchHash;
export const toSlotHash = (bytes: Uint8Array): SlotHash =>
  sized(bytes, HASH_BYTES, 'a slot') as SlotHash;
export const toFalconPublicKey = (bytes: Uint8Array): FalconPublicKey =>
  withHeader(
    sized(bytes, FALCON_PUBLIC_KEY_BYTES, 'a FALCON-512 public key'),
    0x09,
    'a FALCON-512 public key',
  ) as FalconPublicKey;
export const toFalconSignature = (bytes: Uint8Array): FalconSignature =>
  withHeader(
    sized(bytes, FALCON_SIGNATURE_BYTES, 'a padded FALCON-512 signature'),
    0x39,
    'a padded FALCON-512 signature',
  ) as FalconSignature;

function below(value: bigint, max: bigint, what: string): bigint {
  if (value < 0n || value > max) {
    throw new PydeError('types.range', `${what} is between 0 and ${max}, got ${value}`);
  }
  return value;
}

function safe(value: number, max: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > max) {
    throw new PydeError('types.range', `${what} is a whole number up to ${max}, got ${value}`);
  }
  return value;
}

export const toQuanta = (value: bigint): Quanta => below(value, U128_MAX, 'an amount') as Quanta;
export const toNonce = (value: bigint): Nonce => below(value, U64_MAX, 'a nonce') as Nonce;
export const toWaveId = (value: bigint): WaveId => below(value, U64_MAX, 'a wave id') as WaveId;
export const toRound = (value: number): Round =>
  safe(value, Number.MAX_SAFE_INTEGER, 'a round') as Round;
export const toEpoch = (value: number): Epoch =>
  safe(value, Number.MAX_SAFE_INTEGER, 'an epoch') as Epoch;
export const toValidatorIndex = (value: number): ValidatorIndex =>
  safe(value, 0xffff, 'a validator index') as ValidatorIndex;
export const toMemberIndex = (value: number): MemberIndex =>
  safe(value, 0xffff, 'a member index') as MemberIndex;

export function toPeerNumber(value: number): PeerNumber {
  if (value < FIRST_PEER_NUMBER) {
    throw new PydeError(
      'types.range',
      `peers are numbered from ${FIRST_PEER_NUMBER}, got ${value}`,
    );
  }
  return safe(value, Number.MAX_SAFE_INTEGER, 'a peer number') as PeerNumber;
}

/** A u64 read from bytes as a number that is exact; used for rounds and epochs. */
export function exactNumber(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new PydeError('types.range', `${what} ${value} is above 2^53 - 1`);
  }
  return Number(value);
}

export const ZERO_ADDRESS: Address = toAddress(new Uint8Array(ADDRESS_BYTES));
export const ZERO_HASH: Hash = toHash(new Uint8Array(HASH_BYTES));
