/**
 * One transaction on a state that lets it run: nonce and the reserved fee first, then the operation
 * on an overlay of its own, then what was reserved too much goes back. Where the fee goes is the
 * wave's business.
 */
import { readAccount, useNonce, writeAccount } from '../account/index.ts';
import { invariant } from '../bytes/index.ts';
import { Overlay } from '../state/index.ts';
import { type Quanta, type Tx, toQuanta } from '../types/index.ts';
import { credit, type Outcome, runOperation } from './operation.ts';
import { maxFeeOf } from './standing.ts';

/** Every rule was checked: the nonce is usable, the balance is there. */
export function applyTx(
  overlay: Overlay,
  tx: Tx,
  baseFee: bigint,
): Outcome & { readonly feePaid: Quanta } {
  const reserved = maxFeeOf(tx, baseFee);
  const sender = useNonce(readAccount(overlay, tx.from), tx.nonce);
  invariant(sender.balance >= reserved, 'what is reserved was checked to be there');
  const balance = toQuanta(sender.balance - reserved);
  writeAccount(overlay, tx.from, { ...sender, balance });
  const own = new Overlay(overlay);
  const outcome = runOperation(tx, own);
  if (outcome.status === 'success') own.mergeInto(overlay);
  const feePaid = toQuanta(outcome.gasUsed * baseFee);
  invariant(feePaid <= reserved, 'gas used is within the gas limit');
  credit(overlay, tx.from, reserved - feePaid);
  return { ...outcome, feePaid };
}
