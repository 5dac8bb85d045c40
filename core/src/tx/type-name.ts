/** Names of the transaction types (spec/wire.md, "Transaction"), for messages and for people. */
import { TX_TYPE, type TxType } from '../types/index.ts';

/** Names by tag; parachain operations have theirs from {@link txTypeName}. */
export const TX_TYPE_NAME: ReadonlyMap<number, string> = new Map([
  [TX_TYPE.standard, 'Standard'],
  [TX_TYPE.deploy, 'Deploy'],
  [TX_TYPE.stakeDeposit, 'StakeDeposit'],
  [TX_TYPE.stakeWithdraw, 'StakeWithdraw'],
  [TX_TYPE.slash, 'Slash'],
  [TX_TYPE.claimReward, 'ClaimReward'],
  [TX_TYPE.claimAirdrop, 'ClaimAirdrop'],
  [TX_TYPE.sweepAirdrop, 'SweepAirdrop'],
  [TX_TYPE.multisigTx, 'MultisigTx'],
  [TX_TYPE.rotateMultisig, 'RotateMultisig'],
  [TX_TYPE.emergencyPause, 'EmergencyPause'],
  [TX_TYPE.emergencyResume, 'EmergencyResume'],
  [TX_TYPE.registerPubkey, 'RegisterPubkey'],
  [TX_TYPE.unjail, 'Unjail'],
  [TX_TYPE.rotateValidatorKeys, 'RotateValidatorKeys'],
  [TX_TYPE.disputeSlash, 'DisputeSlash'],
  [TX_TYPE.commit, 'Commit'],
  [TX_TYPE.reveal, 'Reveal'],
  [TX_TYPE.sealed, 'Sealed'],
  [TX_TYPE.rotateKeys, 'RotateKeys'],
  [TX_TYPE.gasTankDeposit, 'GasTankDeposit'],
  [TX_TYPE.gasTankWithdraw, 'GasTankWithdraw'],
  [TX_TYPE.lifecycle, 'Lifecycle'],
]);

const FIRST_PARACHAIN = 36;
const LAST_PARACHAIN = 47;

/** The name of a type; undefined for a tag that wire.md does not give (2 among them). */
export function txTypeName(type: TxType): string | undefined {
  const parachain = Number.isInteger(type) && type >= FIRST_PARACHAIN && type <= LAST_PARACHAIN;
  return parachain ? `Parachain${type}` : TX_TYPE_NAME.get(type);
}
