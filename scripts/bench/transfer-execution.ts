/**
 * Transfers through the executor on one thread, everything real (signatures, receipts, both roots),
 * the store in memory: what an execution thread can do when nothing else holds it up. The same
 * waves run twice, with nothing and with everything verified before, now one first and now the
 * other, since the second collects what the first left behind.
 */
import { authKeysHash } from '@pyde/core/account';
import { falconVerifyBatch } from '@pyde/core/crypto';
import {
  executeWave,
  type RightlySigned,
  readHeadWave,
  VerifiedTransactions,
  verifiedEntries,
} from '@pyde/core/execution';
import { StateStore } from '@pyde/core/state';
import { decodeTx, txHash } from '@pyde/core/tx';
import { toEpoch, toFalconPublicKey, toRound, toVertexHash, toWaveId } from '@pyde/core/types';
import type { Row } from '../bench.ts';
import { genesisStore, LOAD_PARAMETERS, loadKeys, signedTransfer } from './load-accounts.ts';
import { median, rate } from './rate.ts';

const SENDERS = 128;
const WAVES = 13;
const PER_SENDER = 16;
const PER_WAVE = SENDERS * PER_SENDER;

export async function run(): Promise<Row[]> {
  const keys = loadKeys(SENDERS);
  const waves = Array.from({ length: WAVES }, (_, wave) => signedWave(keys, wave));
  const [first] = waves;
  if (first === undefined) throw new Error('there is a first wave');
  const plain = await Chain.start(keys);
  const ahead = await Chain.start(keys);
  const rates: { plain: number; ahead: number; verifying: number }[] = [];
  for (const [i, wave] of waves.entries()) {
    const entries = verifiedEntries(wave);
    const early = i % 2 === 0 ? undefined : await ahead.execute(wave, entries);
    const checked = await plain.execute(wave, new Uint8Array(0));
    const remembered = early ?? (await ahead.execute(wave, entries));
    if (remembered.verifyMs > 0) throw new Error('a signature was checked again');
    rates.push({
      plain: (wave.length * 1000) / checked.elapsedMs,
      ahead: (wave.length * 1000) / remembered.elapsedMs,
      verifying: (wave.length * 1000) / checked.verifyMs,
    });
  }
  const plainRate = median(rates.map((r) => r.plain));
  const aheadRate = median(rates.map((r) => r.ahead));
  const verifyRate = median(rates.map((r) => r.verifying));
  const names = rate(first.length, () => {
    verifiedEntries(first);
  });
  return [
    {
      name: `transfers executed, waves of ${PER_WAVE}`,
      value: plainRate,
      unit: 'tx/s',
      comparedWith: 'their signature checks alone',
      ratio: plainRate / verifyRate,
    },
    {
      name: 'the same, verified before',
      value: aheadRate,
      unit: 'tx/s',
      comparedWith: 'not verified before',
      // Wave by wave: what else the machine does changes from one to the next.
      ratio: median(rates.map((r) => r.ahead / r.plain)),
    },
    {
      name: 'entries of verified transfers',
      value: names,
      unit: '1/s',
      comparedWith: 'their signature checks alone',
      ratio: names / verifyRate,
    },
  ];
}

function signedWave(keys: ReturnType<typeof loadKeys>, wave: number): RightlySigned[] {
  return keys.flatMap((key, i) =>
    Array.from({ length: PER_SENDER }, (_, n) => {
      const to = keys[(i * 7 + n) % SENDERS]?.address ?? key.address;
      const bytes = signedTransfer(key, to, wave * PER_SENDER + n);
      const hash = txHash(decodeTx(bytes));
      const publicKey = toFalconPublicKey(key.publicKey);
      return { bytes, hash, keysHash: authKeysHash({ kind: 'single', key: publicKey }) };
    }),
  );
}

class Chain {
  readonly #store: Awaited<ReturnType<typeof genesisStore>>;
  readonly #state: StateStore;
  readonly #verified = new VerifiedTransactions();

  private constructor(store: Awaited<ReturnType<typeof genesisStore>>) {
    this.#store = store;
    this.#state = StateStore.open(store);
  }

  static async start(keys: ReturnType<typeof loadKeys>): Promise<Chain> {
    return new Chain(await genesisStore(keys));
  }

  /** Executes the next wave; taking the entries in counts. */
  async execute(
    wave: readonly RightlySigned[],
    entries: Uint8Array,
  ): Promise<{ readonly elapsedMs: number; readonly verifyMs: number }> {
    const head = readHeadWave(this.#store);
    if (head === undefined) throw new Error('genesis is in the store');
    const transactions = wave.map(({ bytes }) => bytes);
    let verifyMs = 0;
    const started = performance.now();
    this.#verified.add(entries);
    const result = executeWave(
      {
        state: this.#state,
        store: this.#store,
        parameters: LOAD_PARAMETERS,
        verified: this.#verified,
        verify: (checks) => {
          const from = performance.now();
          const verdicts = falconVerifyBatch(checks);
          verifyMs += performance.now() - from;
          return verdicts;
        },
      },
      {
        chainId: 31337n,
        epoch: toEpoch(0),
        waveId: toWaveId(head.record.waveId + 1n),
        anchorRound: toRound(head.record.anchorRound + 1),
        priorAnchorRound: head.record.anchorRound,
        anchorHash: toVertexHash(new Uint8Array(32)),
        prevDigest: head.digest,
        priorTimestampMs: head.record.timestampMs,
        timestampMs: head.record.timestampMs + 500n,
        transactions,
      },
    );
    const elapsedMs = performance.now() - started;
    if (result.executed.length !== transactions.length)
      throw new Error('a transfer was passed over');
    await this.#store.batch(result.writes);
    this.#state.adopt(result.prepared);
    return { elapsedMs, verifyMs };
  }
}
