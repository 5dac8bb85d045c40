/**
 * The layouts of docs/protocol/encoding.md: the page lists them, core/vectors/encoding.json has
 * example bytes of each with the values they mean.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import vectors from '../../vectors/encoding.json' with { type: 'json' };
import {
  accountKey,
  decodeAccount,
  decodeName,
  encodeAccount,
  encodeName,
  nameKey,
} from '../account/index.ts';
import {
  type BorshReader,
  concatBytes,
  decodeExactly,
  encode,
  fromHex,
  isPydeError,
  toHex,
} from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { stateKeyBytes } from '../state/index.ts';
import {
  batchHash,
  decodeBatch,
  decodeGenesis,
  decodeVertex,
  encodeBatch,
  encodeGenesis,
  encodeVertex,
  encodeWaveCommitRecord,
  genesisHash,
  genesisVertexHash,
  readAttestation,
  readAuthKeys,
  readEventRecord,
  readHardFinalityCert,
  readReceipt,
  readWaveCommitRecord,
  receiptHash,
  toAddress,
  toEpoch,
  toHash,
  toMemberIndex,
  vertexHash,
  waveDigest,
  writeAttestation,
  writeAuthKeys,
  writeEventRecord,
  writeHardFinalityCert,
  writeReceipt,
} from '../types/index.ts';
import {
  decodeEpochState,
  decodeOperatorIndex,
  decodeValidator,
  EPOCH_STATE_KEY,
  encodeEpochState,
  encodeOperatorIndex,
  encodeValidator,
  operatorKey,
  validatorKey,
} from '../validators/index.ts';
import { decodeFeeState, encodeFeeState, FEE_STATE_KEY } from './index.ts';

const page = readFileSync(new URL('../../../docs/protocol/encoding.md', import.meta.url), 'utf8');
const layouts = [...page.matchAll(/^## (.*)$/gm)].map(([, name]) => name ?? '');

/** Decoded, and encoded again. */
type Codec = (bytes: Uint8Array) => readonly [value: unknown, again: Uint8Array];

const codec =
  <T>(decode: (bytes: Uint8Array) => T, encodeValue: (value: T) => Uint8Array): Codec =>
  (bytes) => {
    const value = decode(bytes);
    return [value, encodeValue(value)];
  };
const reading =
  <T>(read: (reader: BorshReader) => T) =>
  (bytes: Uint8Array): T =>
    decodeExactly(bytes, read);

const codecs: Readonly<Record<string, Codec>> = {
  AuthKeys: codec(reading(readAuthKeys), (v) => encode((w) => writeAuthKeys(w, v))),
  Account: codec(decodeAccount, encodeAccount),
  Validator: codec(decodeValidator, encodeValidator),
  OperatorIndex: codec(decodeOperatorIndex, encodeOperatorIndex),
  Name: codec(decodeName, encodeName),
  FeeState: codec(decodeFeeState, encodeFeeState),
  EpochState: codec(decodeEpochState, encodeEpochState),
  Event: codec(reading(readEventRecord), (v) => encode((w) => writeEventRecord(w, v))),
  Receipt: codec(reading(readReceipt), (v) => encode((w) => writeReceipt(w, v))),
  Batch: codec(decodeBatch, encodeBatch),
  Attestation: codec(reading(readAttestation), (v) => encode((w) => writeAttestation(w, v))),
  Vertex: codec(decodeVertex, encodeVertex),
  WaveCommitRecord: codec(reading(readWaveCommitRecord), encodeWaveCommitRecord),
  HardFinalityCert: codec(reading(readHardFinalityCert), (v) =>
    encode((w) => writeHardFinalityCert(w, v)),
  ),
  Genesis: codec(decodeGenesis, encodeGenesis),
};

const bytesOf = (hex: string): Uint8Array => fromHex(hex, { maxBytes: 1 << 20 });
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const named = Object.entries(vectors).flatMap(([name, list]) =>
  list.map((vector, i) => ({ name, i, value: vector.value, bytes: bytesOf(vector.bytes) })),
);
const vectorsOf = (name: string) => named.filter((vector) => vector.name === name);

/** As the vectors have it: bytes as hex, big integers in decimal, nothing as null. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

describe('the layouts of the encodings page', () => {
  it('each have a vector and a codec', () => {
    expect(layouts.length).toBeGreaterThan(10);
    expect(Object.keys(vectors)).toEqual(layouts);
    expect(Object.keys(codecs)).toEqual(layouts);
  });

  it.each(named)('$name $i decodes to its values and encodes to its bytes', (vector) => {
    const [value, again] = codecs[vector.name]?.(vector.bytes) ?? [];
    expect(plain(value)).toEqual(vector.value);
    expect(toHex(again ?? new Uint8Array(0))).toBe(toHex(vector.bytes));
  });

  it.each(named)('$name $i refuses truncation and trailing bytes', ({ name, bytes }) => {
    const step = Math.max(1, Math.floor(bytes.length / 200));
    for (let length = 0; length < bytes.length; length += step) {
      expect(() => codecs[name]?.(bytes.subarray(0, length))).toThrow();
    }
    expect(() => codecs[name]?.(concatBytes(bytes, Uint8Array.of(0)))).toThrow('follow the value');
  });

  it('let only refusals escape on hostile bytes, and re-encode what they accept', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...named), edits, fc.nat(60), ({ name, bytes }, changes, cut) => {
        const mutated = bytes.slice(0, bytes.length - (cut > 50 ? cut % bytes.length : 0));
        for (const [at, value] of changes) mutated[at % mutated.length] = value;
        try {
          const [, again] = codecs[name]?.(mutated) ?? [];
          expect(again).toEqual(mutated);
        } catch (error) {
          if (!isPydeError(error)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the names and hashes of the encodings page', () => {
  it('are Blake3 of a domain and the bytes', () => {
    for (const { bytes } of vectorsOf('Receipt')) {
      const expected = blake3(ascii('pyde/receipt/1'), bytes);
      expect(receiptHash(decodeExactly(bytes, readReceipt))).toEqual(expected);
    }
    for (const { bytes } of vectorsOf('WaveCommitRecord')) {
      const expected = blake3(ascii('pyde/wave/1'), bytes);
      expect(waveDigest(decodeExactly(bytes, readWaveCommitRecord))).toEqual(expected);
    }
    for (const { bytes } of vectorsOf('Vertex')) {
      const expected = blake3(ascii('pyde/vertex/1'), bytes.subarray(0, -666));
      expect(vertexHash(decodeVertex(bytes))).toEqual(expected);
    }
    for (const { bytes } of vectorsOf('Genesis')) {
      expect(genesisHash(decodeGenesis(bytes))).toEqual(blake3(ascii('pyde/genesis/1'), bytes));
    }
    for (const { bytes } of vectorsOf('Batch')) expect(batchHash(bytes)).toEqual(blake3(bytes));
  });

  it('of a round-0 vertex holds start, epoch and author', () => {
    const start = toHash(new Uint8Array(32).fill(1));
    const place = encode((w) => w.u64(3n).u64(2n));
    expect(genesisVertexHash(start, toEpoch(3), toMemberIndex(2))).toEqual(
      blake3(ascii('pyde/vertex/0'), start, place),
    );
  });

  it('of state keys hold kind, owner and slot', () => {
    const address = toAddress(new Uint8Array(32).fill(7));
    const zeros = new Uint8Array(32);
    const system = (name: string, slot: Uint8Array) =>
      concatBytes(Uint8Array.of(3), blake3(ascii(`pyde/system/${name}`)), slot);
    expect(stateKeyBytes(accountKey(address))).toEqual(
      concatBytes(Uint8Array.of(0), address, zeros),
    );
    expect(stateKeyBytes(validatorKey(address))).toEqual(system('validators', address));
    expect(stateKeyBytes(operatorKey(address))).toEqual(system('operators', address));
    expect(stateKeyBytes(nameKey('shop'))).toEqual(system('names', blake3(ascii('shop'))));
    expect(stateKeyBytes(FEE_STATE_KEY)).toEqual(system('fees', zeros));
    expect(stateKeyBytes(EPOCH_STATE_KEY)).toEqual(system('epoch', zeros));
  });
});
