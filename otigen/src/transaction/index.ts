export { formatAmount, parseAmount, parseGasLimit } from './amount.ts';
export { type NodeAccount, nodeAccount, signingAccount } from './node-account.ts';
export { resolveParty } from './party.ts';
export {
  registration,
  signedTransfer,
  signMessage,
  TRANSFER_GAS,
} from './signing.ts';
export { type Inclusion, submit, waitForInclusion } from './submission.ts';
