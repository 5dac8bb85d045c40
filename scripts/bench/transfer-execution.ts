/**
 * Transfers through the executor on one thread, everything real (signatures, receipts, both roots),
 * the store in memory: what an execution thread can do when nothing else holds it up.
 */
import { falconVerifyBatch } from '@pyde/core/crypto';
import { executeWave, readHeadWave } from '@pyde/core/execution';
import { StateStore } from '@pyde/core/state';
import { toEpoch, toRound, toVertexHash, toWaveId } from '@pyde/core/types';
import type { Row } from '../bench.ts';
import { genesisStore, LOAD_PARAMETERS, loadKeys, signedTransfer } from './load-accounts.ts';
import { median } from './rate.ts';

const SENDERS = 128;
const WAVES = 9;
const PER_SENDER = 16;

export async function run(): Promise<Row[]> {
  const keys = loadKeys(SENDERS);
  const store = await genesisStore(keys);
  const state = StateStore.open(store);
  const rates: number[] = [];
  const verifying: number[] = [];
  for (let wave = 0; wave < WAVES; wave++) {
    const transactions = keys.flatMap((key, i) =>
      Array.from({ length: PER_SENDER }, (_, n) => {
        const to = keys[(i * 7 + n) % SENDERS]?.address ?? key.address;
        return signedTransfer(key, to, wave * PER_SENDER + n);
      }),
    );
    const head = readHeadWave(store);
    if (head === undefined) throw new Error('genesis is in the store');
    let verifyMs = 0;
    const started = performance.now();
    const result = executeWave(
      {
        state,
        store,
        parameters: LOAD_PARAMETERS,
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
    const elapsed = performance.now() - started;
    if (result.executed.length !== transactions.length)
      throw new Error('a transfer was passed over');
    await store.batch(result.writes);
    state.adopt(result.prepared);
    rates.push((transactions.length * 1000) / elapsed);
    verifying.push((transactions.length * 1000) / verifyMs);
  }
  const value = median(rates);
  const alone = median(verifying);
  return [
    {
      name: `transfers executed, waves of ${SENDERS * PER_SENDER}`,
      value,
      unit: 'tx/s',
      comparedWith: 'their signature checks alone',
      ratio: value / alone,
    },
  ];
}
