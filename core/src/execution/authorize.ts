/**
 * Signatures of a wave (design/state-and-execution.md): all are checked in one batch up front,
 * against the keys that the senders have when the wave begins. A transaction whose sender's keys
 * were changed by an earlier one of the same wave is judged again with the new keys, so a rotated
 * key signs nothing after its rotation. What was found right before, under the very same keys, is
 * not checked again.
 */
import { type Account, signatureChecks } from '../account/index.ts';
import { equalBytes, isPydeError, PydeError } from '../bytes/index.ts';
import type { SignatureCheck, VerifySignatures } from '../platform/index.ts';
import { encodeRotateKeys } from '../tx/index.ts';
import { TX_TYPE, type Tx, type TxHash } from '../types/index.ts';
import { digestAt, keysDigests, type VerifiedTx } from './verified-transactions.ts';

interface Judgement {
  /** The keys that were asked, in Borsh. */
  readonly keys: Uint8Array;
  /** Undefined when the transaction is signed as those keys demand. */
  readonly refusal: PydeError | undefined;
}

export interface SignedTx {
  readonly tx: Tx;
  readonly hash: TxHash;
  /** What is known of its very wire bytes. */
  readonly verified: VerifiedTx | undefined;
}

interface Candidate {
  readonly signed: SignedTx;
  readonly sender: Account;
}

export class Authorizations {
  readonly #verify: VerifySignatures;
  /** By the very copy: two copies of one transaction may differ in the signature. */
  readonly #judged = new Map<SignedTx, Judgement>();

  constructor(verify: VerifySignatures) {
    this.#verify = verify;
  }

  /** Judges all of `candidates` in one batch. */
  judgeAll(candidates: readonly Candidate[]): void {
    const waiting: { signed: SignedTx; keys: Uint8Array; first: number; count: number }[] = [];
    const checks: SignatureCheck[] = [];
    for (const { signed, sender, keys } of this.#notFoundRightBefore(candidates)) {
      const asked = checksOf(signed, sender);
      if (asked instanceof PydeError) this.#judged.set(signed, { keys, refusal: asked });
      else {
        waiting.push({ signed, keys, first: checks.length, count: asked.length });
        checks.push(...asked);
      }
    }
    const verdicts = checks.length === 0 ? [] : this.#verify(checks);
    for (const { signed, keys, first, count } of waiting) {
      let refusal: PydeError | undefined;
      for (let i = first; i < first + count; i++) {
        if (verdicts[i] !== true) refusal = wrongSignature();
      }
      this.#judged.set(signed, { keys, refusal });
    }
  }

  /** Settles those that were found right before under the keys that their senders have now. */
  #notFoundRightBefore(candidates: readonly Candidate[]): (Candidate & { keys: Uint8Array })[] {
    const all = candidates.map((c) => ({ ...c, keys: encodeRotateKeys(c.sender.authKeys) }));
    const known = all.filter(({ signed }) => signed.verified !== undefined);
    const digests = keysDigests(known.map(({ keys }) => keys));
    known.forEach(({ signed, keys }, i) => {
      const verified = signed.verified?.keysDigest;
      if (verified === undefined || !equalBytes(verified, digestAt(digests, i))) return;
      this.#judged.set(signed, { keys, refusal: undefined });
    });
    return all.filter(({ signed, keys }) => !this.#isJudged(signed, keys));
  }

  /** Why `signed` is not signed as `sender`'s keys demand now; undefined when it is. */
  refusalOf(signed: SignedTx, sender: Account): PydeError | undefined {
    if (!this.#isJudged(signed, encodeRotateKeys(sender.authKeys))) {
      this.judgeAll([{ signed, sender }]);
    }
    return this.#judged.get(signed)?.refusal;
  }

  #isJudged(signed: SignedTx, keys: Uint8Array): boolean {
    const judged = this.#judged.get(signed);
    return judged !== undefined && equalBytes(judged.keys, keys);
  }
}

export function wrongSignature(): PydeError<'tx.signature'> {
  return new PydeError(
    'tx.signature',
    "the signature does not verify under the sender's keys; sign the transaction's hash again " +
      'with the key that is on record',
  );
}

/** A RegisterPubkey is authorised by its address alone: nothing is checked. */
function checksOf({ tx, hash }: SignedTx, sender: Account): readonly SignatureCheck[] | PydeError {
  if (tx.type === TX_TYPE.registerPubkey) return [];
  try {
    return signatureChecks(sender.authKeys, hash, tx.signature);
  } catch (error) {
    if (isPydeError(error)) return error;
    throw error;
  }
}
