/**
 * `pyde_traceTransaction`: what ran inside a transaction. One that runs no code is a single frame
 * that touches the accounts its type names.
 */
import { accountKey } from '../../account/index.ts';
import { PydeError, toHex, toQuantity } from '../../bytes/index.ts';
import { readTransactionOf } from '../../execution/index.ts';
import { decodeGasTankDeposit, decodeGasTankWithdraw, txTypeName } from '../../tx/index.ts';
import { type Address, TX_TYPE, type Tx } from '../../types/index.ts';
import type { RpcErrorCode } from '../error.ts';
import { readTxHash } from '../params.ts';
import type { MethodTable } from './method.ts';
import { slotName } from './simulate.ts';
import { executedReceipt } from './transaction.ts';

export const traceMethods: MethodTable = {
  pyde_traceTransaction: {
    params: ['hash'],
    run: (backend, [value]) => {
      const hash = readTxHash(value, 'hash');
      const receipt = executedReceipt(backend, hash);
      const archived = readTransactionOf(backend.store, hash);
      if (receipt === undefined || archived === undefined) {
        throw new PydeError<RpcErrorCode>(
          'rpc.transaction-unknown',
          `transaction ${toHex(hash)} was not executed here; only executed ones have a trace`,
        );
      }
      const { tx } = archived;
      const touched = [...new Set(touchedAccounts(tx).map((a) => slotName(accountKey(a))))];
      const failed = receipt.revertReason;
      return {
        frames: [
          {
            contract: toHex(tx.to),
            function: txTypeName(tx.type) ?? '',
            input: toHex(tx.data),
            output: toHex(receipt.returnData),
            gas_used: toQuantity(receipt.gasUsed),
            reads: touched,
            writes: touched,
            events: [],
            frames: [],
            ...(failed === undefined ? {} : { error: failed.message }),
          },
        ],
      };
    },
  },
};

function touchedAccounts(tx: Tx): readonly Address[] {
  switch (tx.type) {
    case TX_TYPE.standard:
      return [tx.from, tx.to];
    case TX_TYPE.gasTankDeposit:
      return [tx.from, decodeGasTankDeposit(tx.data).target];
    case TX_TYPE.gasTankWithdraw: {
      const { target, recipient } = decodeGasTankWithdraw(tx.data);
      return [tx.from, target, recipient];
    }
    default:
      return [tx.from];
  }
}
