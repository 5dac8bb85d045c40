/**
 * What `pyde_getHardFinalityCert` answers (spec/rpc.md), as a certificate to be verified: its shape,
 * the record's own bytes, and the fields shown beside them. Nothing here is believed yet.
 */
import { decodeExactly, fromHex, PydeError, toHex } from '@pyde/core/bytes';
import { signerBitmap } from '@pyde/core/finality';
import {
  FALCON_SIGNATURE_BYTES,
  type FalconSignature,
  type HardFinalityCert,
  MAX_COMMITTEE_SIZE,
  readWaveCommitRecord,
  toFalconSignature,
  type WaveCommitRecord,
  waveDigest,
} from '@pyde/core/types';
import * as v from 'valibot';

export interface CertAnswer {
  readonly record: WaveCommitRecord;
  readonly signatures: readonly { readonly member: number; readonly signature: FalconSignature }[];
}

const MAX_RECORD_BYTES = 4096;

const CertJson = v.looseObject({
  commit: v.looseObject({ record: v.string() }),
  signatures: v.pipe(
    v.array(v.tuple([v.pipe(v.number(), v.safeInteger()), v.string()])),
    v.maxLength(MAX_COMMITTEE_SIZE),
  ),
});

/** @throws PydeError `answer`, `hex.*`, `borsh.*`, `types.*` for what is no certificate of the wave */
export function readCertAnswer(answer: unknown, waveId: bigint): CertAnswer {
  const { commit, signatures } = shape(CertJson, answer);
  const bytes = fromHex(commit.record, { maxBytes: MAX_RECORD_BYTES });
  const record = decodeExactly(bytes, readWaveCommitRecord);
  if (record.waveId !== waveId) throw refuse(`it is of wave ${record.waveId}, not ${waveId}`);
  requireShownFields(commit, record);
  return {
    record,
    signatures: signatures.map(([member, hex]) => ({
      member,
      signature: toFalconSignature(fromHex(hex, { exactBytes: FALCON_SIGNATURE_BYTES })),
    })),
  };
}

/** By a committee of `size`. @throws PydeError `cert.*` for signers that it cannot have */
export function certOf({ record, signatures }: CertAnswer, size: number): HardFinalityCert {
  const signers = signatures.map(({ member }) => member);
  return {
    record,
    signers: signerBitmap(signers, size),
    signatures: signatures.map(({ signature }) => signature),
  };
}

/** What stands beside the signed record must say the same, or a reader of it would be misled. */
function requireShownFields(
  commit: Readonly<Record<string, unknown>>,
  record: WaveCommitRecord,
): void {
  const shown: Readonly<Record<string, unknown>> = {
    chain_id: record.chainId,
    epoch: BigInt(record.epoch),
    wave_id: record.waveId,
    anchor_round: BigInt(record.anchorRound),
    prior_anchor_round: BigInt(record.priorAnchorRound),
    anchor_hash: toHex(record.anchorHash),
    prev_digest: toHex(record.prevDigest),
    timestamp: record.timestampMs,
    events_root: toHex(record.eventsRoot),
    events_bloom: toHex(record.eventsBloom),
    tx_root: toHex(record.txRoot),
    tx_count: BigInt(record.txCount),
    events_count: BigInt(record.eventsCount),
    gas_used: record.gasUsed,
    base_fee: record.baseFee,
    next_beacon: record.nextBeacon === undefined ? null : toHex(record.nextBeacon),
    next_committee_hash:
      record.nextCommitteeHash === undefined ? null : toHex(record.nextCommitteeHash),
    digest: toHex(waveDigest(record)),
  };
  for (const [field, expected] of Object.entries(shown)) {
    const given = commit[field];
    if (given === undefined) continue;
    const same = typeof expected === 'bigint' ? wholeOf(given) === expected : given === expected;
    if (!same) throw refuse(`${field} is not that of the signed record`);
  }
  const root = v.safeParse(
    v.object({ blake3: v.string(), poseidon2: v.string() }),
    commit['state_root'],
  );
  const { blake3, poseidon2 } = record.stateRoot;
  if (
    !root.success ||
    root.output.blake3 !== toHex(blake3) ||
    root.output.poseidon2 !== toHex(poseidon2)
  ) {
    throw refuse('state_root is not that of the signed record');
  }
}

/** A quantity or an exact number as one value. */
function wholeOf(value: unknown): bigint | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  return typeof value === 'string' && /^0x[0-9a-f]{1,32}$/.test(value) ? BigInt(value) : undefined;
}

/** @throws PydeError `answer` naming the field that is not as it must be */
export function shape<T extends v.GenericSchema>(schema: T, answer: unknown): v.InferOutput<T> {
  const parsed = v.safeParse(schema, answer);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  throw refuse(`${v.getDotPath(issue) ?? 'the answer'}: ${issue.message}`);
}

export const refuse = (message: string): PydeError => new PydeError('answer', message);
