/** Every layout of docs/protocol/encoding.md, transactions and their payloads, archive records. */
import vectors from '../../../vectors/encoding.json' with { type: 'json' };
import wireVectors from '../../../vectors/wire-vectors.json' with { type: 'json' };
import {
  decodeAccount,
  decodeMultisigSignature,
  decodeName,
  encodeAccount,
  encodeMultisigSignature,
  encodeName,
  signatureChecks,
  ZERO_ACCOUNT,
} from '../../account/index.ts';
import {
  type BorshReader,
  type BorshWriter,
  concatBytes,
  decodeExactly,
  encode,
  fromHex,
  u32BigEndian,
  u64BigEndian,
} from '../../bytes/index.ts';
import { bytesTarget, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import type { SeededRandom } from '../../bytes/testing/random.ts';
import { falconSignatureToConstantTime } from '../../crypto/index.ts';
import { MemoryStore } from '../../platform/index.ts';
import { TABLE, Table } from '../../state/index.ts';
import {
  decodeGasTankDeposit,
  decodeGasTankWithdraw,
  decodeRegisterPubkey,
  decodeRotateKeys,
  decodeTx,
  encodeGasTankDeposit,
  encodeGasTankWithdraw,
  encodeRegisterPubkey,
  encodeRotateKeys,
  encodeTx,
  MAX_ACCESS_KEYS,
  MAX_CALLDATA_BYTES,
} from '../../tx/index.ts';
import { addressOf, publicKeyOf, signatureOf, txOf } from '../../tx/testing.ts';
import {
  type AuthKeys,
  decodeBatch,
  decodeGenesis,
  decodeVertex,
  encodeBatch,
  encodeGenesis,
  encodeVertex,
  readAttestation,
  readAuthKeys,
  readEventRecord,
  readHardFinalityCert,
  readReceipt,
  readWaveCommitRecord,
  TX_TYPE,
  toNonce,
  toQuanta,
  toSlotHash,
  toTxHash,
  writeAttestation,
  writeAuthKeys,
  writeEventRecord,
  writeHardFinalityCert,
  writeReceipt,
  writeWaveCommitRecord,
} from '../../types/index.ts';
import {
  decodeOperatorIndex,
  decodeValidator,
  encodeOperatorIndex,
  encodeValidator,
  VALIDATOR_STATUS,
} from '../../validators/index.ts';
import { readHeadWave, readReceiptOf, readTransactionOf } from '../archive.ts';
import { decodeFeeState, encodeFeeState } from '../index.ts';
import { testGenesis } from '../testing.ts';
import { dumpTarget } from './dump-target.ts';

const bytesOf = (hex: string): Uint8Array => fromHex(hex, { maxBytes: 1 << 20 });
const seedsOf = (layout: keyof typeof vectors): Uint8Array[] =>
  vectors[layout].map(({ bytes }) => bytesOf(bytes));

/** A layout that is read and written as part of others. */
const part = <T>(
  name: keyof typeof vectors,
  read: (reader: BorshReader) => T,
  write: (writer: BorshWriter, value: T) => void,
  more: readonly T[] = [],
): FuzzTarget =>
  bytesTarget({
    name,
    seeds: [...seedsOf(name), ...more.map((value) => encode((w) => write(w, value)))],
    decode: (bytes) => decodeExactly(bytes, read),
    encode: (value) => encode((w) => write(w, value)),
  });

const single: AuthKeys = { kind: 'single', key: publicKeyOf(0) };
const multisig: AuthKeys = {
  kind: 'multisig',
  keys: [0, 1, 2].map(publicKeyOf),
  threshold: 2,
};

const [validatorSeed = new Uint8Array(0)] = seedsOf('Validator');

const layoutTargets: readonly FuzzTarget[] = [
  part('AuthKeys', readAuthKeys, writeAuthKeys, [single, multisig]),
  bytesTarget({
    name: 'Account',
    seeds: [...seedsOf('Account'), encodeAccount({ ...ZERO_ACCOUNT, accountType: 'system' })],
    decode: decodeAccount,
    encode: encodeAccount,
  }),
  bytesTarget({
    name: 'Validator',
    seeds: [
      ...seedsOf('Validator'),
      ...VALIDATOR_STATUS.map((status) =>
        encodeValidator({ ...decodeValidator(validatorSeed), status }),
      ),
    ],
    decode: decodeValidator,
    encode: encodeValidator,
  }),
  bytesTarget({
    name: 'OperatorIndex',
    seeds: seedsOf('OperatorIndex'),
    decode: decodeOperatorIndex,
    encode: encodeOperatorIndex,
  }),
  bytesTarget({ name: 'Name', seeds: seedsOf('Name'), decode: decodeName, encode: encodeName }),
  bytesTarget({
    name: 'FeeState',
    seeds: seedsOf('FeeState'),
    decode: decodeFeeState,
    encode: encodeFeeState,
  }),
  part('Event', readEventRecord, writeEventRecord),
  part('Receipt', readReceipt, writeReceipt),
  bytesTarget({
    name: 'Batch',
    seeds: [
      ...seedsOf('Batch'),
      encodeBatch({ transactions: [encodeTx(txOf()), encodeTx(txOf())] }),
    ],
    decode: decodeBatch,
    encode: encodeBatch,
  }),
  part('Attestation', readAttestation, writeAttestation),
  bytesTarget({
    name: 'Vertex',
    seeds: seedsOf('Vertex'),
    decode: decodeVertex,
    encode: encodeVertex,
    // Above the bound the size alone is judged.
    craft: (random, seed) =>
      random.oneIn(4)
        ? concatBytes(seed, new Uint8Array(64 * 1024))
        : withByte(random, seed, seed.length - 666 - 28 + random.below(28)),
  }),
  part('WaveCommitRecord', readWaveCommitRecord, writeWaveCommitRecord),
  part('HardFinalityCert', readHardFinalityCert, writeHardFinalityCert),
  bytesTarget({
    name: 'Genesis',
    seeds: [
      ...seedsOf('Genesis'),
      encodeGenesis(testGenesis()),
      encodeGenesis(
        testGenesis({
          allocations: [
            { address: addressOf(0), balance: toQuanta(1n), authKeys: { kind: 'none' } },
            { address: addressOf(1), balance: toQuanta(0n), authKeys: multisig },
          ],
          names: [
            { label: 'shop', address: addressOf(3) },
            { label: 'é', address: addressOf(4) },
          ],
        }),
      ),
    ],
    decode: decodeGenesis,
    encode: encodeGenesis,
  }),
];

const plainTx = encodeTx(txOf());
const listedTx = encodeTx(
  txOf({
    data: new Uint8Array(40).fill(1),
    feePayer: { kind: 'gas-tank' },
    deadline: 9n,
    nonce: toNonce(3n),
    accessList: [
      {
        address: addressOf(1),
        storageKeys: [1, 2].map((fill) => toSlotHash(new Uint8Array(32).fill(fill))),
        access: 'read-write',
      },
      { address: addressOf(2), storageKeys: [], access: 'read' },
    ],
  }),
);
const txSeeds = [
  bytesOf(wireVectors.signed_tx.wire),
  bytesOf(wireVectors.register_pubkey.wire),
  plainTx,
  listedTx,
  encodeTx(txOf({ feePayer: { kind: 'paymaster', address: addressOf(3) } })),
  ...Object.values(TX_TYPE).map((type) => encodeTx(txOf({ type, data: new Uint8Array(80) }))),
];

/** Sizes at which the rules of a type change, which are far from those of the seeds. */
function craftTx(random: SeededRandom, seed: Uint8Array): Uint8Array {
  if (!random.oneIn(12)) return withByte(random, seed, seed.length - 1);
  const size = random.pick([MAX_CALLDATA_BYTES, 128 * 1024, 1024 * 1024, 1200 * 1024]);
  const type = random.pick([TX_TYPE.standard, TX_TYPE.deploy, TX_TYPE.lifecycle, 2]);
  if (random.oneIn(2)) {
    const data = new Uint8Array(size - random.between(-2, 200));
    data[32] = random.below(2);
    return encodeTx(txOf({ data, type }));
  }
  const key = toSlotHash(new Uint8Array(32));
  const entry = {
    address: addressOf(1),
    storageKeys: Array.from({ length: MAX_ACCESS_KEYS / 4 }, () => key),
    access: 'read',
  } as const;
  return encodeTx(
    txOf({ accessList: Array.from({ length: random.between(3, 5) }, () => entry), type }),
  );
}

function withByte(random: SeededRandom, bytes: Uint8Array, at: number): Uint8Array {
  const out = bytes.slice();
  out[at] = random.oneIn(2) ? random.below(64) : random.below(256);
  return out;
}

const MESSAGE = new Uint8Array(32).fill(9);
const padded = signatureOf(0, MESSAGE);
const fields = [
  encodeMultisigSignature([]),
  encodeMultisigSignature([{ signer: 1, signature: padded }]),
  encodeMultisigSignature([
    { signer: 0, signature: padded },
    { signer: 2, signature: falconSignatureToConstantTime(padded) },
  ]),
];
/** Any of the first five signers, of whom three are known. */
function craftSigners(random: SeededRandom): Uint8Array {
  const signers = [0, 1, 2, 3, 4].filter(() => random.oneIn(2));
  const one = random.oneIn(4) ? padded.subarray(0, random.below(60)) : padded;
  return encodeMultisigSignature(signers.map((signer) => ({ signer, signature: one })));
}

const deposit = { target: addressOf(1), amount: toQuanta(5n) };

const txTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'Transaction',
    seeds: txSeeds,
    decode: decodeTx,
    encode: encodeTx,
    craft: craftTx,
    share: 2,
  }),
  bytesTarget({
    name: 'RegisterPubkey payload',
    seeds: [encodeRegisterPubkey(publicKeyOf(0))],
    decode: decodeRegisterPubkey,
    encode: encodeRegisterPubkey,
  }),
  bytesTarget({
    name: 'RotateKeys payload',
    seeds: [encodeRotateKeys(single), encodeRotateKeys(multisig)],
    decode: decodeRotateKeys,
    encode: encodeRotateKeys,
    craft: (random, seed) => (random.oneIn(4) ? Uint8Array.of(0) : withByte(random, seed, 0)),
  }),
  bytesTarget({
    name: 'GasTankDeposit payload',
    seeds: [encodeGasTankDeposit(deposit)],
    decode: decodeGasTankDeposit,
    encode: encodeGasTankDeposit,
  }),
  bytesTarget({
    name: 'GasTankWithdraw payload',
    seeds: [encodeGasTankWithdraw({ ...deposit, recipient: addressOf(2) })],
    decode: decodeGasTankWithdraw,
    encode: encodeGasTankWithdraw,
  }),
  bytesTarget({
    name: 'multi-signature field',
    seeds: fields,
    decode: decodeMultisigSignature,
    encode: encodeMultisigSignature,
  }),
  bytesTarget({
    name: 'signature field of one key',
    seeds: [padded, falconSignatureToConstantTime(padded)],
    decode: (bytes) => signatureChecks(single, MESSAGE, bytes),
    encode: ([check]) => check?.signature ?? new Uint8Array(0),
  }),
  bytesTarget({
    name: 'signature field of several keys',
    seeds: fields.slice(2),
    decode: (bytes) => {
      signatureChecks(multisig, MESSAGE, bytes);
      return decodeMultisigSignature(bytes);
    },
    encode: encodeMultisigSignature,
    craft: craftSigners,
  }),
  bytesTarget({
    name: 'signature field of no key',
    seeds: [],
    decode: (bytes) => signatureChecks({ kind: 'none' }, MESSAGE, bytes),
    share: 0.01,
  }),
];

const HASH = toTxHash(new Uint8Array(32).fill(4));
const [recordSeed = new Uint8Array(0)] = seedsOf('WaveCommitRecord');
const HEAD = new TextEncoder().encode('execution/head');

/** A store with a record that has a checksum that holds and any contents. */
async function storeWith(
  ...records: readonly (readonly [table: number, suffix: Uint8Array, value: Uint8Array])[]
): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.batch(
    records.map(([table, suffix, value]) => new Table(store, table).put(suffix, value)),
  );
  return store;
}

/** Sealing a record and finding it again takes copies of its own. */
const ofStore = (length: number) => ({
  largest: 65_536 + 4 * length,
  total: (1 << 18) + 64 * length,
});

const archiveTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'archived transaction',
    seeds: [concatBytes(u64BigEndian(3n), new Uint8Array(4), listedTx)],
    layout: (bytes) => decodeExactly(bytes, (r) => [r.u64(), r.u32(), r.fixed(r.remaining)]),
    decode: async (bytes) =>
      readTransactionOf(await storeWith([TABLE.transactions, HASH, bytes]), HASH),
    encode: (found) =>
      found === undefined
        ? new Uint8Array(0)
        : concatBytes(u64BigEndian(found.waveId), u32BigEndian(found.txIndex), encodeTx(found.tx)),
    bound: ofStore,
    share: 0.3,
  }),
  bytesTarget({
    name: 'archived receipt',
    seeds: seedsOf('Receipt'),
    layout: (bytes) => decodeExactly(bytes, readReceipt),
    decode: async (bytes) => readReceiptOf(await storeWith([TABLE.receipts, HASH, bytes]), HASH),
    encode: (found) =>
      found === undefined ? new Uint8Array(0) : encode((w) => writeReceipt(w, found)),
    bound: ofStore,
    share: 0.2,
  }),
  bytesTarget({
    name: 'archived head',
    seeds: [u64BigEndian(7n)],
    layout: (bytes) => decodeExactly(bytes, (r) => r.u64()),
    // A record for whatever wave is named.
    decode: async (bytes) => {
      const wave = bytes.slice(0, 8);
      return {
        wave,
        head: readHeadWave(
          await storeWith([TABLE.meta, HEAD, bytes], [TABLE.waves, wave, recordSeed]),
        ),
      };
    },
    encode: ({ wave, head }) => (head === undefined ? new Uint8Array(0) : wave),
    bound: ofStore,
    share: 0.2,
  }),
];

export const executionTargets: readonly FuzzTarget[] = [
  ...layoutTargets,
  ...txTargets,
  ...archiveTargets,
  dumpTarget,
];
