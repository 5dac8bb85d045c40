import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import wireVectors from '../../vectors/wire-vectors.json' with { type: 'json' };
import { concatBytes, fromHex, isPydeError, PydeError, toHex } from '../bytes/index.ts';
import { falconSignatureToConstantTime } from '../crypto/index.ts';
import {
  MAX_TX_BYTES,
  MIN_TX_BYTES,
  TX_TYPE,
  type Tx,
  toAddress,
  toNonce,
  toQuanta,
  toSlotHash,
} from '../types/index.ts';
import {
  decodeTx,
  encodeTx,
  MAX_ACCESS_ENTRIES,
  MAX_ACCESS_KEYS,
  MAX_CALLDATA_BYTES,
  MAX_PLAIN_TX_BYTES,
  txHash,
  txTypeName,
} from './index.ts';
import { addressOf, signatureOf, txOf } from './testing.ts';

const bytes = (hex: string) => fromHex(hex, { maxBytes: MAX_TX_BYTES });

type TxFields = Omit<(typeof wireVectors)['signed_tx']['tx'], 'value'>;

function txOfVector(v: TxFields & { readonly value: string | number }): Tx {
  return txOf({
    from: toAddress(bytes(v.from)),
    to: toAddress(bytes(v.to)),
    value: toQuanta(BigInt(v.value)),
    data: bytes(v.data),
    gasLimit: BigInt(v.gasLimit),
    nonce: toNonce(BigInt(v.nonce)),
    chainId: BigInt(v.chainId),
    type: v.txType,
  });
}

const codeOf = (decode: () => unknown): string => {
  try {
    decode();
  } catch (error) {
    if (error instanceof PydeError) return error.code;
    throw error;
  }
  return 'accepted';
};

const hash32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const anyTx: fc.Arbitrary<Tx> = fc.record({
  from: hash32.map(toAddress),
  to: hash32.map(toAddress),
  value: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(toQuanta),
  data: fc.uint8Array({ maxLength: 200 }),
  gasLimit: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  nonce: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(toNonce),
  signature: fc.uint8Array({ maxLength: 900 }),
  feePayer: fc.oneof(
    fc.constant({ kind: 'sender' } as const),
    fc.constant({ kind: 'gas-tank' } as const),
    hash32.map((address) => ({ kind: 'paymaster', address: toAddress(address) }) as const),
  ),
  accessList: fc.array(
    fc.record({
      address: hash32.map(toAddress),
      storageKeys: fc.array(hash32.map(toSlotHash), { maxLength: 3 }),
      access: fc.constantFrom('read', 'read-write'),
    }),
    { maxLength: 3 },
  ),
  deadline: fc.option(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { nil: undefined }),
  chainId: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  type: fc.constantFrom(...Object.values(TX_TYPE), 36, 47),
});

describe('the canonical hash', () => {
  it.each(wireVectors.tx_hash.map((vector, i) => ({ vector, i })))(
    'is that of vector $i',
    (one) => {
      expect(toHex(txHash(txOfVector(one.vector.tx)))).toBe(one.vector.hash);
    },
  );

  it('is that of the signed and of the register vector', () => {
    for (const vector of [wireVectors.signed_tx, wireVectors.register_pubkey]) {
      expect(toHex(txHash(txOfVector(vector.tx)))).toBe(vector.hash);
      expect(toHex(txHash(decodeTx(bytes(vector.wire))))).toBe(vector.hash);
    }
  });

  it('does not depend on the signature or its encoding', () => {
    const tx = txOf();
    const padded = signatureOf(0, txHash(tx));
    for (const signature of [padded, falconSignatureToConstantTime(padded)]) {
      expect(txHash({ ...tx, signature })).toEqual(txHash(tx));
    }
  });

  it('depends on every other field', () => {
    const tx = txOf();
    const others: Partial<Tx>[] = [
      { from: addressOf(1) },
      { to: addressOf(1) },
      { value: toQuanta(1n) },
      { data: Uint8Array.of(0) },
      { gasLimit: 21_001n },
      { nonce: toNonce(1n) },
      { feePayer: { kind: 'gas-tank' } },
      { feePayer: { kind: 'paymaster', address: addressOf(1) } },
      { accessList: [{ address: addressOf(1), storageKeys: [], access: 'read' }] },
      { accessList: [{ address: addressOf(1), storageKeys: [], access: 'read-write' }] },
      { deadline: 0n },
      { chainId: 1n },
      { type: TX_TYPE.rotateKeys },
    ];
    const hashes = [tx, ...others.map((fields) => ({ ...tx, ...fields }))].map((t) =>
      toHex(txHash(t)),
    );
    expect(new Set(hashes).size).toBe(others.length + 1);
  });
});

describe('the wire form', () => {
  it('is that of the vectors', () => {
    for (const vector of [wireVectors.signed_tx, wireVectors.register_pubkey]) {
      const tx = decodeTx(bytes(vector.wire));
      expect(toHex(encodeTx(tx))).toBe(vector.wire);
      expect({ ...tx, signature: new Uint8Array(0) }).toEqual(txOfVector(vector.tx));
    }
  });

  it('is at least as long as the batch decoder counts on', () => {
    expect(encodeTx(txOf()).length).toBeGreaterThanOrEqual(MIN_TX_BYTES);
  });

  it('decodes to what was encoded', () => {
    fc.assert(
      fc.property(anyTx, (tx) => {
        expect(decodeTx(encodeTx(tx))).toEqual(tx);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses type 2, unknown types and trailing bytes', () => {
    const wire = encodeTx(txOf());
    for (const type of [2, 19, 31, 49, 255]) {
      expect(txTypeName(type)).toBeUndefined();
      expect(codeOf(() => decodeTx(concatBytes(wire.subarray(0, -1), Uint8Array.of(type))))).toBe(
        'tx.type',
      );
    }
    expect(codeOf(() => decodeTx(concatBytes(wire, Uint8Array.of(0))))).toBe(
      'borsh.trailing-bytes',
    );
  });

  it('says of bytes that are no transaction what to do, and keeps the code of what is wrong', () => {
    const refused = () => decodeTx(Uint8Array.of(0));
    expect(codeOf(refused)).toBe('borsh.truncated');
    expect(refused).toThrow(/^these 1 bytes are no transaction: .*; send exactly the bytes /);
  });

  it('refuses every truncation', () => {
    const wire = bytes(wireVectors.signed_tx.wire);
    for (let length = 0; length < wire.length; length++) {
      expect(codeOf(() => decodeTx(wire.subarray(0, length)))).not.toBe('accepted');
    }
  });

  it('holds calldata to 64 KiB and the whole to 128 KiB', () => {
    const atMost = txOf({ data: new Uint8Array(MAX_CALLDATA_BYTES) });
    expect(codeOf(() => decodeTx(encodeTx(atMost)))).toBe('accepted');
    const above = txOf({ data: new Uint8Array(MAX_CALLDATA_BYTES + 1) });
    expect(codeOf(() => decodeTx(encodeTx(above)))).toBe('tx.calldata');
    expect(codeOf(() => decodeTx(new Uint8Array(MAX_PLAIN_TX_BYTES + 1)))).toBe('tx.size');
  });

  it('lets a Deploy and an upgrade carry a module, and no more', () => {
    const module = new Uint8Array(1024 * 1024);
    const upgrade = concatBytes(new Uint8Array(32), Uint8Array.of(0), module);
    const pause = concatBytes(new Uint8Array(32), Uint8Array.of(1), module);
    const wireOf = (type: number, data: Uint8Array) => encodeTx(txOf({ type, data }));
    expect(codeOf(() => decodeTx(wireOf(TX_TYPE.deploy, module)))).toBe('accepted');
    expect(codeOf(() => decodeTx(wireOf(TX_TYPE.lifecycle, upgrade)))).toBe('accepted');
    expect(codeOf(() => decodeTx(wireOf(TX_TYPE.lifecycle, pause)))).toBe('tx.size');
    const tooLarge = wireOf(TX_TYPE.deploy, new Uint8Array(MAX_TX_BYTES));
    expect(codeOf(() => decodeTx(tooLarge))).toBe('tx.size');
  });

  it('bounds the access list in entries and in keys', () => {
    const entry = { address: addressOf(1), storageKeys: [], access: 'read' } as const;
    const entries = Array.from({ length: MAX_ACCESS_ENTRIES + 1 }, () => entry);
    expect(codeOf(() => decodeTx(encodeTx(txOf({ accessList: entries }))))).toBe('borsh.count');
    const key = toSlotHash(new Uint8Array(32));
    const half = { ...entry, storageKeys: Array.from({ length: MAX_ACCESS_KEYS / 2 }, () => key) };
    const accessList = [half, half, { ...entry, storageKeys: [key] }];
    // A module's size is allowed, so that the keys and not the size are what is refused.
    const wire = encodeTx(txOf({ accessList, type: TX_TYPE.deploy }));
    expect(codeOf(() => decodeTx(wire))).toBe('tx.access-list');
  });

  it('lets only refusals escape on hostile bytes, and re-encodes what it accepts', () => {
    const seed = fc.constantFrom(
      bytes(wireVectors.signed_tx.wire),
      bytes(wireVectors.register_pubkey.wire),
      encodeTx(txOf({ deadline: 9n, accessList: [accessEntry()] })),
    );
    const edits = fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(seed, edits, fc.nat(40), (wire, changes, cut) => {
        const mutated = wire.slice(0, wire.length - (cut > 30 ? cut : 0));
        for (const [at, value] of changes) mutated[at % mutated.length] = value;
        try {
          expect(encodeTx(decodeTx(mutated))).toEqual(mutated);
        } catch (error) {
          if (!isPydeError(error)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

function accessEntry() {
  return {
    address: addressOf(1),
    storageKeys: [toSlotHash(new Uint8Array(32).fill(3))],
    access: 'read-write',
  } as const;
}
