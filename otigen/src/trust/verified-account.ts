/**
 * An account's state at the newest certified wave, believed only as far as it was checked here: from
 * a trusted head over the hand-overs of epochs to the committee of the certificate, from it to the
 * wave's record, from both roots of the record to the account (`verifyAccount` in core). Every answer
 * of the node is untrusted; one changed byte is a failure, never another balance.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { accountKey } from '@pyde/core/account';
import { fromHex, isPydeError, type PydeError, toHex } from '@pyde/core/bytes';
import {
  advanceHead,
  requireRecent,
  type TrustedHead,
  type VerifiedAccount,
  verifyAccount,
} from '@pyde/core/finality';
import { decodeStateProof, MAX_PROOF_BYTES, stateKeyBytes } from '@pyde/core/state';
import type { Address } from '@pyde/core/types';
import type { RpcClient } from '@pyde/platform-node/client';
import * as v from 'valibot';
import { quantityOf } from '../network/index.ts';
import { Failure } from '../output/index.ts';
import { type CertAnswer, certOf, readCertAnswer, refuse, shape } from './cert-answer.ts';
import { EPOCHS_A_STRIDE, handOversTowards } from './hand-overs.ts';
import type { TrustRoot } from './trust-store.ts';

export interface Verification {
  readonly trust: TrustRoot;
  /** Trust as of before this, Unix milliseconds, is refused. */
  readonly oldestMs: bigint;
  /** After every verified stride but the last. */
  readonly onProgress: (epoch: number, newest: number) => void;
  /** A later head than the one begun from. */
  readonly remember: (head: TrustedHead) => Promise<void>;
}

/** How many waves below the head may still wait for their certificate. */
const MAX_UNCERTIFIED_WAVES = 64n;
const WAIT_FOR_CERT_MS = 3_000;
const POLL_MS = 50;
const MAX_ACCOUNT_BYTES = 64 * 1024;
/** Of epochs of ten minutes four months, of three hours five years. */
const MAX_STRIDES = 256;

const ProofJson = v.looseObject({
  wave_id: v.string(),
  values: v.pipe(v.array(v.nullable(v.string())), v.length(1)),
  proofs: v.pipe(v.array(v.string()), v.length(1)),
});

/**
 * @throws Failure `NotVerified` saying which check failed, `NoCertificate`, `TrustTooOld`,
 * `BehindTrust`, `NotKept`, `TooManyEpochs`; a node that cannot be reached is a resource failure as
 * everywhere
 */
export async function verifiedAccount(
  client: RpcClient,
  address: Address,
  { trust, oldestMs, onProgress, remember }: Verification,
): Promise<VerifiedAccount> {
  const validators = trust.committee.members.map(({ publicKey }) => publicKey);
  let { head } = trust;
  checking('the trusted committee', () => requireRecent(head, { oldestMs }));
  for (let stride = 0; stride < MAX_STRIDES; stride++) {
    const cert = await newestCert(client, head);
    const { waveId: wave, epoch } = cert.record;
    if (epoch > head.committee.epoch) {
      const from = head;
      const handOvers = await asked(`the way on from epoch ${from.committee.epoch}`, () =>
        handOversTowards(client, from, { wave, epoch }, validators),
      );
      head = checking('the committee', () => advanceHead(from, handOvers, { oldestMs }));
      await remember(head);
    }
    if (epoch <= head.committee.epoch) {
      return provenAccount(client, address, cert, head, oldestMs);
    }
    onProgress(head.committee.epoch, epoch);
  }
  throw new Failure(
    'validation',
    'TooManyEpochs',
    `epoch ${head.committee.epoch} is verified, and the newest one is further away than one ` +
      `check goes (${MAX_STRIDES * EPOCHS_A_STRIDE} epochs)`,
    { next: 'run the command again: it goes on from there, unless keys were given by hand' },
  );
}

async function provenAccount(
  client: RpcClient,
  address: Address,
  answer: CertAnswer,
  head: TrustedHead,
  oldestMs: bigint,
): Promise<VerifiedAccount> {
  const { waveId } = answer.record;
  const query = { keys: [toHex(stateKeyBytes(accountKey(address)))], wave: Number(waveId) };
  const proven = await asked('the state proof', () => client.call('pyde_getProof', [query]));
  const claim = checking('the state proof', () => {
    const { wave_id, values, proofs } = shape(ProofJson, proven);
    const provenWave = quantityOf(wave_id, 'pyde_getProof wave_id', client.url);
    if (provenWave !== waveId) throw refuse(`it is of wave ${provenWave}, not ${waveId}`);
    const [hex = null] = values;
    return {
      address,
      handOvers: [],
      value: hex === null ? undefined : fromHex(hex, { maxBytes: MAX_ACCOUNT_BYTES }),
      proof: decodeStateProof(fromHex(proofs[0] ?? '', { maxBytes: MAX_PROOF_BYTES })),
    };
  });
  try {
    const cert = certOf(answer, head.committee.members.length);
    return verifyAccount(head, { ...claim, cert }, { oldestMs });
  } catch (error) {
    if (!isPydeError(error)) throw error;
    if (error.code === 'head.behind') throw behind(error);
    throw notVerified(OF_A_CERT.test(error.code) ? 'the certificate' : 'the state proof', error);
  }
}

/**
 * The newest certificate, which another node may have had before: one of an epoch before the head is
 * waited for, and answered if nothing newer comes.
 */
async function newestCert(client: RpcClient, head: TrustedHead): Promise<CertAnswer> {
  const until = performance.now() + WAIT_FOR_CERT_MS;
  let behind: CertAnswer | undefined;
  do {
    const cert = await newestKept(client);
    if (cert !== undefined && cert.record.epoch >= head.committee.epoch) return cert;
    behind = cert;
    await sleep(POLL_MS);
  } while (performance.now() < until);
  if (behind !== undefined) return behind;
  throw new Failure('validation', 'NoCertificate', 'the node has no finality certificate', {
    details: { url: client.url },
    next: 'wait until the chain has committed waves, then try again',
  });
}

/** Of the newest wave that has one; the head's may be a few waves behind. */
async function newestKept(client: RpcClient): Promise<CertAnswer | undefined> {
  const head = await asked('the newest wave', async () =>
    quantityOf(await client.call('pyde_waveId'), 'pyde_waveId', client.url),
  );
  const last = head > MAX_UNCERTIFIED_WAVES ? head - MAX_UNCERTIFIED_WAVES : 0n;
  for (let waveId = head; waveId > last; waveId--) {
    const answer = await asked('the certificate', () =>
      client.call('pyde_getHardFinalityCert', [Number(waveId)]),
    );
    if (answer !== null) return checking('the certificate', () => readCertAnswer(answer, waveId));
  }
  return undefined;
}

/** Codes of what is wrong with a certificate; all others are of the state proof or the account. */
const OF_A_CERT = /^(cert|head)\./;

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
    throw isPydeError(error) && isAnswer(error) ? notVerified(what, error) : error;
  }
}

/** A node that cannot be reached, or keeps no more what is wanted, does not lie by that. */
function isAnswer({ code }: PydeError): boolean {
  return code === 'BadAnswer' || BAD_ANSWERS.has(code) || !/^(rpc\.|[A-Z])/.test(code);
}

const BAD_ANSWERS = new Set(['rpc.response', 'rpc.refused', 'rpc.params']);

function notVerified(what: string, error: PydeError): Failure {
  if (error.code === 'head.too-old') return tooOld(error);
  return new Failure('validation', 'NotVerified', `${what} does not hold: ${error.message}`, {
    details: { check: error.code },
    next: 'do not rely on this answer: ask another node, or check which genesis you accepted',
  });
}

const tooOld = (error: PydeError): Failure =>
  new Failure('validation', 'TrustTooOld', error.message, {
    details: { check: error.code },
    next: 'pass --trust-old-root if somebody who follows the chain told you lately that it is still this one',
  });

const behind = (error: PydeError): Failure =>
  new Failure('validation', 'BehindTrust', `the node is behind: ${error.message}`, {
    details: { check: error.code },
    next: 'ask another node; if the chain was begun anew on purpose, remove its file in ~/.pyde/trust',
  });
