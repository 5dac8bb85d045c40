/**
 * The 16-slot nonce window (design/state-and-execution.md, "Accounts and transactions"): any nonce
 * of [base, base + 15] may be used once, in any order; the base then slides past what is used.
 */
import { invariant, U64_MAX } from '../bytes/index.ts';
import { type Nonce, toNonce } from '../types/index.ts';
import type { Account } from './account.ts';

export const NONCE_WINDOW = 16n;

/** Past: below the window. Used: in it and taken. Far: above it, for now. */
export type NonceStanding = 'usable' | 'used' | 'past' | 'far';

export function nonceStanding(
  account: Pick<Account, 'nonceBase' | 'nonceUsed'>,
  nonce: Nonce,
): NonceStanding {
  if (nonce < account.nonceBase) return 'past';
  const place = nonce - account.nonceBase;
  // The last u64 is never usable, so that the base always has a value to slide to.
  if (place >= NONCE_WINDOW || nonce === U64_MAX) return 'far';
  return ((account.nonceUsed >> Number(place)) & 1) === 1 ? 'used' : 'usable';
}

/** The account with `nonce` used; the caller proves that it is usable. */
export function useNonce(account: Account, nonce: Nonce): Account {
  invariant(nonceStanding(account, nonce) === 'usable', `nonce ${nonce} is usable`);
  let base: bigint = account.nonceBase;
  let used = account.nonceUsed | (1 << Number(nonce - account.nonceBase));
  while ((used & 1) === 1) {
    base += 1n;
    used >>= 1;
  }
  return { ...account, nonceBase: toNonce(base), nonceUsed: used };
}
