/**
 * Signatures of a wave (design/state-and-execution.md): all are checked in one batch up front,
 * against the keys that the senders have when the wave begins. A transaction whose sender's keys
 * were changed by an earlier one of the same wave is judged again with the new keys, so a rotated
 * key signs nothing after its rotation. What was found right before, under the very same keys, is
 * not checked again.
 */
import { type Account, readAuthKeysOf, signatureChecks } from '../account/index.ts';
import { equalBytes, isPydeError, PydeError } from '../bytes/index.ts';
import type { SignatureCheck, VerifySignatures } from '../platform/index.ts';
import type { StateReader } from '../state/index.ts';
import { type Hash, TX_TYPE, type Tx, type TxHash } from '../types/index.ts';
import type { VerifiedTx } from './verified-transactions.ts';

interface Judgement {
  /** Of the keys that were asked. */
  readonly keysHash: Hash;
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

  /** Judges all of `candidates` in one batch. @param state in which `sender`s are as given */
  judgeAll(candidates: readonly Candidate[], state: StateReader): void {
    const waiting: { signed: SignedTx; keysHash: Hash; first: number; count: number }[] = [];
    const checks: SignatureCheck[] = [];
    for (const { signed, sender } of this.#notFoundRightBefore(candidates)) {
      const asked = checksOf(signed, sender, state);
      const keysHash = sender.authKeysHash;
      if (asked instanceof PydeError) this.#judged.set(signed, { keysHash, refusal: asked });
      else {
        waiting.push({ signed, keysHash, first: checks.length, count: asked.length });
        checks.push(...asked);
      }
    }
    const verdicts = checks.length === 0 ? [] : this.#verify(checks);
    for (const { signed, keysHash, first, count } of waiting) {
      let refusal: PydeError | undefined;
      for (let i = first; i < first + count; i++) {
        if (verdicts[i] !== true) refusal = wrongSignature();
      }
      this.#judged.set(signed, { keysHash, refusal });
    }
  }

  /** Settles those that were found right before under the keys that their senders have now. */
  #notFoundRightBefore(candidates: readonly Candidate[]): Candidate[] {
    return candidates.filter(({ signed, sender: { authKeysHash } }) => {
      const { verified } = signed;
      if (verified !== undefined && equalBytes(verified.keysHash, authKeysHash)) {
        this.#judged.set(signed, { keysHash: authKeysHash, refusal: undefined });
      }
      return !this.#isJudged(signed, authKeysHash);
    });
  }

  /** Why `signed` is not signed as `sender`'s keys demand now; undefined when it is. */
  refusalOf(signed: SignedTx, sender: Account, state: StateReader): PydeError | undefined {
    if (!this.#isJudged(signed, sender.authKeysHash)) this.judgeAll([{ signed, sender }], state);
    return this.#judged.get(signed)?.refusal;
  }

  #isJudged(signed: SignedTx, keysHash: Hash): boolean {
    const judged = this.#judged.get(signed);
    return judged !== undefined && equalBytes(judged.keysHash, keysHash);
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
function checksOf(
  { tx, hash }: SignedTx,
  sender: Account,
  state: StateReader,
): readonly SignatureCheck[] | PydeError {
  if (tx.type === TX_TYPE.registerPubkey) return [];
  try {
    return signatureChecks(readAuthKeysOf(state, tx.from, sender), hash, tx.signature);
  } catch (error) {
    if (isPydeError(error)) return error;
    throw error;
  }
}
