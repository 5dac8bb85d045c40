/** Waves, their certificates, and the rounds of the DAG behind them. */
import {
  decodeExactly,
  PydeError,
  readU64BigEndian,
  toQuantity,
  u64BigEndian,
} from '../../bytes/index.ts';
import { readWaveRecord } from '../../execution/index.ts';
import { TABLE, Table } from '../../state/index.ts';
import { readHardFinalityCert, type WaveCommitRecord } from '../../types/index.ts';
import type { RpcBackend } from '../backend.ts';
import type { RpcErrorCode } from '../error.ts';
import { optional, readU64 } from '../params.ts';
import { certJson, waveJson } from '../record-json.ts';
import type { MethodTable } from './method.ts';

export const waveMethods: MethodTable = {
  pyde_getWave: {
    params: ['wave?'],
    run: async (backend, [wave]) => {
      const waveId = optional(wave, 'wave', readU64) ?? backend.head().waveId;
      const record = await waveRecord(backend, waveId);
      return record === undefined ? null : waveJson(record);
    },
  },
  pyde_getHardFinalityCert: {
    params: ['wave'],
    run: async (backend, [wave]) => {
      const waveId = readU64(wave, 'wave');
      // Genesis is what clients start from: nobody signs it.
      if (waveId === 0n || (await waveRecord(backend, waveId)) === undefined) return null;
      const certs = new Table(backend.store, TABLE.certs);
      const bytes = certs.get(u64BigEndian(waveId));
      if (bytes !== undefined) return certJson(decodeExactly(bytes, readHardFinalityCert));
      const oldest = await oldestIn(certs);
      // Newer than all that are kept: its certificate is still to come.
      if (oldest === undefined || waveId > oldest) return null;
      throw waveGone(`the certificate of wave ${waveId}`, waveId, oldest);
    },
  },
};

/**
 * The record of an executed wave; undefined for one that is still to come.
 * @throws PydeError `rpc.wave-pruned` naming the oldest wave that is kept
 */
export async function waveRecord(
  backend: RpcBackend,
  waveId: bigint,
): Promise<WaveCommitRecord | undefined> {
  if (waveId > backend.head().waveId) return undefined;
  const record = readWaveRecord(backend.store, waveId);
  if (record !== undefined) return record;
  const oldest = await oldestIn(new Table(backend.store, TABLE.waves));
  if (oldest === undefined) throw new Error('the store of a chain holds its newest wave');
  throw waveGone(`wave ${waveId}`, waveId, oldest);
}

/** The lowest wave that has a record in the table. */
async function oldestIn(table: Table): Promise<bigint | undefined> {
  for await (const [key] of table.range({ limit: 1 })) return readU64BigEndian(key);
  return undefined;
}

function waveGone(what: string, waveId: bigint, oldest: bigint): PydeError<RpcErrorCode> {
  return new PydeError(
    'rpc.wave-pruned',
    `${what} is no longer kept here; the oldest that is kept is ${toQuantity(oldest)}. ` +
      'Ask for a newer one, or ask an archive node',
    { wave: waveId.toString(), oldest: oldest.toString() },
  );
}
