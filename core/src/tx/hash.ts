/**
 * The id of a transaction and what its signature signs (spec/wire.md, "Transaction"):
 * Poseidon2(chain_id ‖ from ‖ to ‖ value ‖ Poseidon2(data) ‖ gas_limit ‖ nonce ‖ borsh(fee_payer) ‖
 * Poseidon2(borsh(access_list)) ‖ borsh(deadline) ‖ tx_type). The signature is not part of it, so
 * its encoding changes no id.
 */
import { encode } from '../bytes/index.ts';
import { poseidon2 } from '../crypto/index.ts';
import { type Tx, type TxHash, toTxHash } from '../types/index.ts';
import { writeAccessList, writeDeadline, writeFeePayer } from './codec.ts';

export function txHash(tx: Tx): TxHash {
  const accessList = encode((w) => writeAccessList(w, tx.accessList));
  const preimage = encode((w) => {
    w.u64(tx.chainId)
      .fixed(tx.from)
      .fixed(tx.to)
      .u128(tx.value)
      .fixed(poseidon2(tx.data))
      .u64(tx.gasLimit)
      .u64(tx.nonce);
    writeFeePayer(w, tx.feePayer);
    w.fixed(poseidon2(accessList));
    writeDeadline(w, tx.deadline);
    w.u8(tx.type);
  });
  return toTxHash(poseidon2(preimage));
}
