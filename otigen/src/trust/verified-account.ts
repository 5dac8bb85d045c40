/**
 * An account's state at a certified wave, believed only as far as it was checked here: the
 * certificate against a trusted committee, the wave's record against the fields the node shows, and
 * the account against both roots of that record (docs/protocol/encoding.md). Every answer of the
 * node is untrusted; one changed byte is a failure, never another balance.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, accountKey, decodeAccount, ZERO_ACCOUNT } from '@pyde/core/account';
import { decodeExactly, fromHex, isPydeError, PydeError, toHex } from '@pyde/core/bytes';
import { type Committee, signerBitmap, verifyCert } from '@pyde/core/finality';
import {
  decodeStateProof,
  MAX_PROOF_BYTES,
  stateKeyBytes,
  verifyStateProof,
} from '@pyde/core/state';
import {
  type Address,
  type Epoch,
  FALCON_SIGNATURE_BYTES,
  type HardFinalityCert,
  readWaveCommitRecord,
  signerIndexes,
  toFalconSignature,
  type WaveCommitRecord,
  waveDigest,
} from '@pyde/core/types';
import type { RpcClient } from '@pyde/platform-node/client';
import * as v from 'valibot';
import { quantityOf } from '../network/index.ts';
import { Failure } from '../output/index.ts';
import type { TrustRoot } from './trust-store.ts';

export interface VerifiedAccount {
  readonly account: Account;
  /** False when the proof shows that the account has never been used. */
  readonly exists: boolean;
  readonly record: WaveCommitRecord;
  /** Seats whose signatures were checked. */
  readonly signers: readonly number[];
  readonly trust: TrustRoot;
}

/** How many waves below the head may still wait for their certificate. */
const MAX_UNCERTIFIED_WAVES = 64n;
const WAIT_FOR_CERT_MS = 3_000;
const POLL_MS = 50;
const MAX_RECORD_BYTES = 4096;
const MAX_ACCOUNT_BYTES = 64 * 1024;
const MAX_MEMBERS = 128;

const CertJson = v.looseObject({
  commit: v.looseObject({ record: v.string() }),
  signatures: v.pipe(
    v.array(v.tuple([v.pipe(v.number(), v.safeInteger()), v.string()])),
    v.maxLength(MAX_MEMBERS),
  ),
});
const ProofJson = v.looseObject({
  wave_id: v.string(),
  values: v.pipe(v.array(v.nullable(v.string())), v.length(1)),
  proofs: v.pipe(v.array(v.string()), v.length(1)),
});

/**
 * @throws Failure `NotVerified` saying which check failed, `NoCertificate`; a node that cannot be
 * reached is a resource failure as everywhere
 */
export async function verifiedAccount(
  client: RpcClient,
  chainId: bigint,
  address: Address,
  roots: readonly TrustRoot[],
): Promise<VerifiedAccount> {
  const { waveId, answer } = await asked('the newest certificate', () => newestCert(client));
  const { record, signers, trust } = checking('the certificate', () =>
    verifiedRecord(answer, waveId, chainId, roots),
  );
  const key = accountKey(address);
  const query = { keys: [toHex(stateKeyBytes(key))], wave: Number(waveId) };
  const proven = await asked('the state proof', () => client.call('pyde_getProof', [query]));
  return checking('the state proof', () => {
    const { wave_id, values, proofs } = shape(ProofJson, proven);
    const provenWave = quantityOf(wave_id, 'pyde_getProof wave_id', client.url);
    if (provenWave !== waveId) throw refuse(`it is of wave ${provenWave}, not ${waveId}`);
    const [valueHex = null] = values;
    const [proofHex = ''] = proofs;
    const value =
      valueHex === null ? undefined : fromHex(valueHex, { maxBytes: MAX_ACCOUNT_BYTES });
    const proof = decodeStateProof(fromHex(proofHex, { maxBytes: MAX_PROOF_BYTES }));
    verifyStateProof({ root: record.stateRoot, key, value, proof });
    const account = value === undefined ? ZERO_ACCOUNT : decodeAccount(value);
    return { account, exists: value !== undefined, record, signers, trust };
  });
}

/** The newest wave with a certificate; the head's may be a few waves behind. */
async function newestCert(
  client: RpcClient,
): Promise<{ readonly waveId: bigint; readonly answer: unknown }> {
  const until = performance.now() + WAIT_FOR_CERT_MS;
  do {
    const head = quantityOf(await client.call('pyde_waveId'), 'pyde_waveId', client.url);
    const last = head > MAX_UNCERTIFIED_WAVES ? head - MAX_UNCERTIFIED_WAVES : 0n;
    for (let waveId = head; waveId > last; waveId--) {
      const answer = await client.call('pyde_getHardFinalityCert', [Number(waveId)]);
      if (answer !== null) return { waveId, answer };
    }
    await sleep(POLL_MS);
  } while (performance.now() < until);
  throw new Failure('validation', 'NoCertificate', 'the node has no finality certificate', {
    details: { url: client.url },
    next: 'wait until the chain has committed waves, then try again',
  });
}

function verifiedRecord(
  answer: unknown,
  waveId: bigint,
  chainId: bigint,
  roots: readonly TrustRoot[],
): Pick<VerifiedAccount, 'record' | 'signers' | 'trust'> {
  const { commit, signatures } = shape(CertJson, answer);
  const bytes = fromHex(commit.record, { maxBytes: MAX_RECORD_BYTES });
  const record = decodeExactly(bytes, readWaveCommitRecord);
  if (record.waveId !== waveId) throw refuse(`it is of wave ${record.waveId}, not ${waveId}`);
  requireShownFields(commit, record);
  let refusal: PydeError | undefined;
  for (const trust of roots) {
    try {
      const cert: HardFinalityCert = {
        record,
        signers: signerBitmap(
          signatures.map(([member]) => member),
          trust.committee.members.length,
        ),
        signatures: signatures.map(([, hex]) =>
          toFalconSignature(fromHex(hex, { exactBytes: FALCON_SIGNATURE_BYTES })),
        ),
      };
      verifyCert(cert, committeeIn(trust.committee, record.epoch), { chainId });
      return { record, signers: signerIndexes(cert.signers), trust };
    } catch (error) {
      if (!isPydeError(error)) throw error;
      refusal ??= error;
    }
  }
  throw refusal ?? refuse('no committee is trusted');
}

/**
 * Who signs in a later epoch. The next committee is drawn from the validators of genesis: where
 * there is but one, it is that one in every epoch. A larger committee changes its seats, so that a
 * certificate of a later epoch is refused here (`cert.epoch`).
 */
function committeeIn(trusted: Committee, epoch: Epoch): Committee {
  return trusted.members.length === 1 ? { ...trusted, epoch } : trusted;
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

function checking<T>(what: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw isPydeError(error) ? notVerified(what, error) : error;
  }
}

/** What the node answered with instead of an answer counts as one that does not hold. */
async function asked<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw isPydeError(error) && BAD_ANSWERS.has(error.code) ? notVerified(what, error) : error;
  }
}

const BAD_ANSWERS = new Set(['BadAnswer', 'rpc.response', 'rpc.refused', 'rpc.params']);

function notVerified(what: string, error: PydeError): Failure {
  return new Failure('validation', 'NotVerified', `${what} does not hold: ${error.message}`, {
    details: { check: error.code },
    next: 'do not rely on this answer: ask another node, or check which genesis you accepted',
  });
}

function shape<T extends v.GenericSchema>(schema: T, answer: unknown): v.InferOutput<T> {
  const parsed = v.safeParse(schema, answer);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  throw refuse(`${v.getDotPath(issue) ?? 'the answer'}: ${issue.message}`);
}

const refuse = (message: string): PydeError => new PydeError('answer', message);
