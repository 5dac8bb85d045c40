/** Dry runs: what a transaction would cost and touch, before anybody signs it. */
import { readAccount } from '../../account/index.ts';
import { isZeroBytes, toHex, toQuantity, U64_MAX, U128_MAX } from '../../bytes/index.ts';
import { currentBaseFee, type Simulation, simulateTx } from '../../execution/index.ts';
import { STATE_KIND, type StateKey, treeKey } from '../../state/index.ts';
import { decodeTx, INTRINSIC_GAS, MAX_CALLDATA_BYTES } from '../../tx/index.ts';
import {
  type Address,
  MAX_TX_BYTES,
  TX_TYPE,
  type Tx,
  toQuanta,
  ZERO_ADDRESS,
} from '../../types/index.ts';
import type { RpcBackend } from '../backend.ts';
import { notServed } from '../error.ts';
import { optional, readAddress, readHex, readObject, readQuantity } from '../params.ts';
import type { JsonRecord } from '../record-json.ts';
import { later, type MethodTable } from './method.ts';

export const simulationMethods: MethodTable = {
  pyde_call: later('pyde_call', 'this version runs no contracts'),
  pyde_simulateTransaction: {
    params: ['signed transaction'],
    run: (backend, [hex]) => {
      const tx = decodeTx(readHex(hex, 'signed transaction', MAX_TX_BYTES));
      refuseCode(backend, 'pyde_simulateTransaction', tx);
      // Transfers and system types have no receipt of their own to foretell (spec/rpc.md).
      return { receipt: null, access_list: accessJson(simulate(backend, tx)) };
    },
  },
  pyde_estimateGas: {
    params: ['{from, to, data, value?}'],
    run: (backend, [value]) => {
      const tx = readCall(backend, value);
      refuseCode(backend, 'pyde_estimateGas', tx);
      const baseFee = currentBaseFee(backend.state);
      return {
        gas_estimate: toQuantity(INTRINSIC_GAS),
        base_fee: toQuantity(baseFee),
        estimated_fee: toQuantity(INTRINSIC_GAS * baseFee),
      };
    },
  },
  pyde_estimateAccess: {
    params: ['{from, to, data, value?}'],
    run: (backend, [value]) => {
      const tx = readCall(backend, value);
      refuseCode(backend, 'pyde_estimateAccess', tx);
      return accessJson(simulate(backend, tx));
    },
  },
};

function simulate(backend: RpcBackend, tx: Tx): Simulation {
  return simulateTx(
    {
      state: backend.state,
      chainId: backend.chainId,
      parameters: backend.genesis.parameters,
      waveId: backend.head().waveId + 1n,
      baseFee: currentBaseFee(backend.state),
    },
    tx,
  );
}

/** The transfer that a call object describes, with the sender's next nonce. */
function readCall(backend: RpcBackend, value: unknown): Tx {
  const call = readObject(value, 'parameter 1', ['from', 'to', 'data', 'value', 'gas']);
  const from: Address = optional(call['from'], 'from', readAddress) ?? ZERO_ADDRESS;
  const data = optional(call['data'], 'data', (hex, name) =>
    readHex(hex, name, MAX_CALLDATA_BYTES),
  );
  const amount = optional(call['value'], 'value', (q, name) => readQuantity(q, name, U128_MAX));
  const gas = optional(call['gas'], 'gas', (q, name) => readQuantity(q, name, U64_MAX));
  return {
    from,
    to: readAddress(call['to'], 'to'),
    value: toQuanta(amount ?? 0n),
    data: data ?? new Uint8Array(0),
    gasLimit: gas ?? INTRINSIC_GAS,
    nonce: readAccount(backend.state, from).nonceBase,
    signature: new Uint8Array(0),
    feePayer: { kind: 'sender' },
    accessList: [],
    deadline: undefined,
    chainId: backend.chainId,
    type: TX_TYPE.standard,
  };
}

/** @throws PydeError `rpc.not-served` when contract code would run */
function refuseCode(backend: RpcBackend, method: string, tx: Tx): void {
  const recipient = readAccount(backend.state, tx.to);
  const calls = recipient.accountType === 'contract' || !isZeroBytes(recipient.codeHash);
  if ((tx.type === TX_TYPE.standard && calls) || tx.type === TX_TYPE.deploy) {
    throw notServed(method, 'this version runs no contracts; transfers and key changes work');
  }
}

/** All versions observed are of the committed state, hence null. */
export function accessJson({ reads, writes }: Pick<Simulation, 'reads' | 'writes'>): JsonRecord {
  return {
    reads: reads.map((key) => ({ slot: slotName(key), observed_version: null })),
    writes: writes.map(slotName),
  };
}

/**
 * One name of 32 bytes for an entry: a contract's slot is its own, every other entry has the key
 * under which it lies in the state tree, since the slots of accounts are all alike.
 */
export function slotName(key: StateKey): string {
  return toHex(key.kind === STATE_KIND.contract ? key.slot : treeKey(key));
}
