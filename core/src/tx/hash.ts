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

/** Nearly all transactions are transfers, which have neither data nor an access list. */
const NO_DATA_HASH = poseidon2(new Uint8Array(0));
const NO_ACCESS_LIST_HASH = poseidon2(encode((w) => writeAccessList(w, [])));

export function txHash(tx: Tx): TxHash {
  const { data, accessList } = tx;
  const preimage = encode((w) => {
    w.u64(tx.chainId)
      .fixed(tx.from)
      .fixed(tx.to)
      .u128(tx.value)
      .fixed(data.length === 0 ? NO_DATA_HASH : poseidon2(data))
      .u64(tx.gasLimit)
      .u64(tx.nonce);
    writeFeePayer(w, tx.feePayer);
    w.fixed(accessList.length === 0 ? NO_ACCESS_LIST_HASH : accessListHash(accessList));
    writeDeadline(w, tx.deadline);
    w.u8(tx.type);
  });
  return toTxHash(poseidon2(preimage));
}

const accessListHash = (accessList: Tx['accessList']): Uint8Array =>
  poseidon2(encode((w) => writeAccessList(w, accessList)));
