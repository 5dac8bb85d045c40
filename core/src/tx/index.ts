export {
  checkTx,
  INTRINSIC_GAS,
  type TxCheckErrorCode,
  type TxRules,
} from './checks.ts';
export {
  decodeTx,
  encodeTx,
  MAX_ACCESS_ENTRIES,
  MAX_ACCESS_KEYS,
  MAX_CALLDATA_BYTES,
  MAX_PLAIN_TX_BYTES,
  type TxCodecErrorCode,
} from './codec.ts';
export { txHash } from './hash.ts';
export {
  type MerkleListErrorCode,
  type MerkleListProof,
  merkleListProof,
  merkleListRoot,
  verifyMerkleListProof,
} from './merkle-list.ts';
export {
  decodeGasTankDeposit,
  decodeGasTankWithdraw,
  decodeRegisterPubkey,
  decodeRotateKeys,
  encodeGasTankDeposit,
  encodeGasTankWithdraw,
  encodeRegisterPubkey,
  encodeRotateKeys,
  type GasTankDeposit,
  type GasTankWithdraw,
  type PayloadErrorCode,
} from './payload.ts';
export { type Transfer, transferTx } from './transfer.ts';
export { TX_TYPE_NAME, txTypeName } from './type-name.ts';
