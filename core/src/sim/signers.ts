/** The keys of a run: one for each member, then one for each account that clients send from. */
import { PydeError } from '../bytes/index.ts';
import type { FalconKeyPair } from '../crypto/index.ts';
import type { SimKeys, SimOptions } from './options.ts';
import { keyedSignatures, realSignatures, type SimSignatures } from './signatures.ts';

/** Accounts for each transfer a second, and the least and most there are. */
const ACCOUNTS_PER_TPS = 0.75;
const MIN_ACCOUNTS = 8;
const MAX_ACCOUNTS = 128;

/** @throws PydeError `sim.keys` */
export function signaturesFor(
  { validators, tps, seed, signatures }: SimOptions,
  keys: SimKeys | undefined,
): SimSignatures {
  const accounts = Math.min(
    MAX_ACCOUNTS,
    Math.max(MIN_ACCOUNTS, Math.ceil(tps * ACCOUNTS_PER_TPS)),
  );
  return signatures === 'keyed'
    ? keyedSignatures(seed, validators + accounts)
    : realSignatures(seed, requireKeys(keys, validators + accounts));
}

function requireKeys(keys: SimKeys | undefined, count: number): readonly FalconKeyPair[] {
  const made = keys?.(count) ?? [];
  if (made.length >= count) return made.slice(0, count);
  throw new PydeError(
    'sim.keys',
    `real signatures need ${count} FALCON keys, and ${made.length} were given; ` +
      'give more, or use keyed signatures',
  );
}
