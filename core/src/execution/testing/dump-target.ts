/** A dump of a devnet's state that somebody edited: adopted and run on, or refused at once. */
import { decodeAccount } from '../../account/index.ts';
import { decodeExactly, encode, PydeError, toHex } from '../../bytes/index.ts';
import { bytesTarget, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import { recordLayout } from '../../bytes/testing/layout.ts';
import { mutateField } from '../../bytes/testing/mutation.ts';
import type { SeededRandom } from '../../bytes/testing/random.ts';
import { falconVerifyBatch } from '../../crypto/index.ts';
import { MemoryStore } from '../../platform/index.ts';
import { StateStore, stateKeyFromBytes } from '../../state/index.ts';
import { encodeGasTankDeposit, encodeTx } from '../../tx/index.ts';
import { addressOf, signedBy } from '../../tx/testing.ts';
import {
  type Hash,
  TX_TYPE,
  toEpoch,
  toQuanta,
  toRound,
  toVertexHash,
  toWaveId,
  type WaveCommitRecord,
} from '../../types/index.ts';
import { decodeOperatorIndex, decodeValidator } from '../../validators/index.ts';
import { adoptLoadedState, decodeFeeState, executeWave } from '../index.ts';
import { TestChain } from '../testing.ts';

interface Entry {
  readonly stateKey: Uint8Array;
  readonly value: Uint8Array;
}

const MAX_ENTRY_BYTES = 1 << 16;
const readEntries = (bytes: Uint8Array): Entry[] =>
  decodeExactly(bytes, (reader) =>
    reader.vec(64, 69, (r) => ({ stateKey: r.fixed(65), value: r.bytes(MAX_ENTRY_BYTES) })),
  );
const writeEntries = (entries: readonly Entry[]): Uint8Array =>
  encode((w) => w.vec(entries, (v, one) => v.fixed(one.stateKey).bytes(one.value)));

const chain = await TestChain.start();
const dumped = [...chain.state.entriesAt(0n)];
const spending = [
  signedBy(0, { to: addressOf(1), value: toQuanta(5n) }),
  signedBy(1, {
    type: TX_TYPE.gasTankDeposit,
    data: encodeGasTankDeposit({ target: addressOf(1), amount: toQuanta(5n) }),
    gasLimit: 100_000n,
  }),
  signedBy(3, { to: addressOf(4), feePayer: { kind: 'gas-tank' } }),
].map(encodeTx);

/** One record changed by its fields. */
function craftDump(random: SeededRandom): Uint8Array {
  const at = random.below(dumped.length);
  const entries = dumped.map(({ stateKey, value }, i) => {
    if (i !== at) return { stateKey, value };
    const decoders = [decodeAccount, decodeFeeState, decodeValidator, decodeOperatorIndex];
    const layouts = decoders.map((decode) => recordLayout(value, decode));
    const [layout] = layouts.toSorted((a, b) => b.fields.length - a.fields.length);
    return { stateKey, value: layout === undefined ? value : mutateField(random, value, layout) };
  });
  return writeEntries(random.oneIn(6) ? entries.toSpliced(at, 1) : entries);
}

/** What an edited dump says is adopted, or refused before the chain starts; then the chain runs. */
export const dumpTarget: FuzzTarget = bytesTarget({
  name: 'dump of a state, adopted',
  seeds: [writeEntries(dumped)],
  layout: readEntries,
  decode: async (bytes) => {
    const entries = readEntries(bytes);
    if (new Set(entries.map(({ stateKey }) => toHex(stateKey))).size < entries.length) {
      throw new PydeError('fuzz.duplicate', 'the case has a key twice');
    }
    const store = new MemoryStore();
    const state = StateStore.open(store);
    const prepared = state.prepare(
      0n,
      entries.map(({ stateKey, value }) => ({ key: stateKeyFromBytes(stateKey), value })),
    );
    await store.batch(prepared.writes);
    state.adopt(prepared);
    const { record, digest, writes } = adoptLoadedState({ state, store }, chain.genesis);
    await store.batch(writes);
    try {
      runWave(state, store, record, digest);
    } catch (error) {
      throw new Error(`the chain stopped: ${String(error)}`, { cause: error });
    }
  },
  craft: craftDump,
  bound: (length) => ({ largest: 8 << 20, total: (64 << 20) + 256 * length }),
  share: 0.2,
});

function runWave(
  state: StateStore,
  store: MemoryStore,
  { waveId, timestampMs }: WaveCommitRecord,
  prevDigest: Hash,
): void {
  const { parameters, chainId } = chain.genesis;
  executeWave(
    { state, store, parameters, verify: falconVerifyBatch },
    {
      chainId,
      epoch: toEpoch(0),
      waveId: toWaveId(waveId + 1n),
      anchorRound: toRound(1),
      priorAnchorRound: toRound(0),
      anchorHash: toVertexHash(new Uint8Array(32)),
      prevDigest,
      timestampMs: timestampMs + 100n,
      priorTimestampMs: timestampMs,
      transactions: spending,
    },
  );
}
