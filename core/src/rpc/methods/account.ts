/** Accounts, names, validators and storage: reads of the state, at an optional wave. */
import { isName, readAccount, readAuthKeysOf, resolveName } from '../../account/index.ts';
import { isZeroBytes, toHex, toQuantity } from '../../bytes/index.ts';
import { STATE_KIND, TABLE, Table } from '../../state/index.ts';
import { type Address, MAX_NAME_BYTES, type SlotHash, toAddress } from '../../types/index.ts';
import { readOperatorValidators, readValidator } from '../../validators/index.ts';
import type { RpcBackend } from '../backend.ts';
import { badParams } from '../error.ts';
import { optional, readAddress, readObject, readSlot, readString } from '../params.ts';
import { accountJson, validatorJson } from '../record-json.ts';
import { type MethodTable, type RpcMethod, stateAt } from './method.ts';

const transactionCount: RpcMethod = {
  params: ['address', 'wave?'],
  run: (backend, [address, wave]) => {
    const account = readAccount(stateAt(backend, wave), readAddress(address, 'address'));
    return toQuantity(account.nonceBase);
  },
};

export const accountMethods: MethodTable = {
  pyde_getBalance: {
    params: ['address', 'wave?'],
    run: (backend, [address, wave]) => {
      const account = readAccount(stateAt(backend, wave), readAddress(address, 'address'));
      return toQuantity(account.balance);
    },
  },
  pyde_getTransactionCount: transactionCount,
  pyde_getNonce: transactionCount,
  pyde_getAccount: {
    params: ['address', 'wave?'],
    run: (backend, [value, wave]) => {
      const address = readAddress(value, 'address');
      const state = stateAt(backend, wave);
      const account = readAccount(state, address);
      return accountJson(address, account, readAuthKeysOf(state, address, account));
    },
  },
  pyde_getContractCode: {
    params: ['address', 'wave?'],
    run: (backend, [value, wave]) => {
      const account = readAccount(stateAt(backend, wave), readAddress(value, 'address'));
      if (isZeroBytes(account.codeHash)) return '0x';
      const code = new Table(backend.store, TABLE.code).get(account.codeHash);
      if (code === undefined) throw new Error(`no module under ${toHex(account.codeHash)}`);
      return toHex(code);
    },
  },
  pyde_getStorageSlot: {
    params: ['{slot, address?}', 'wave?'],
    run: (backend, [value, wave]) => {
      const where = readObject(value, 'parameter 1', ['slot', 'address']);
      const slot = readSlot(where['slot'], 'slot');
      const owner = optional(where['address'], 'address', readAddress) ?? ownerOf(backend, slot);
      return storage(backend, owner, slot, wave);
    },
  },
  pyde_getContractState: {
    params: ['address', 'slot', 'wave?'],
    run: (backend, [address, slot, wave]) =>
      storage(backend, readAddress(address, 'address'), readSlot(slot, 'slot'), wave),
  },
  pyde_resolveName: {
    params: ['label', 'wave?'],
    run: (backend, [value, wave]) => {
      const label = readString(value, 'label', 4 * MAX_NAME_BYTES);
      if (!isName(label)) {
        throw badParams(
          'label must be 1 to 32 of a-z, 0-9 and -, with no dash at either end and no two in a ' +
            'row; leave a suffix like .pyde out',
        );
      }
      const address = resolveName(stateAt(backend, wave), label);
      return address === undefined ? null : toHex(address);
    },
  },
  pyde_getValidator: {
    params: ['address', 'wave?'],
    run: (backend, [value, wave]) => {
      const address = readAddress(value, 'address');
      const validator = readValidator(stateAt(backend, wave), address);
      return validator === undefined ? null : validatorJson(address, validator);
    },
  },
  pyde_getOperatorValidators: {
    params: ['address', 'wave?'],
    run: (backend, [value, wave]) =>
      readOperatorValidators(stateAt(backend, wave), readAddress(value, 'address')).map(toHex),
  },
};

function storage(
  backend: RpcBackend,
  owner: Address | undefined,
  slot: SlotHash,
  wave: unknown,
): string | null {
  const state = stateAt(backend, wave);
  if (owner === undefined) return null;
  const value = state.get({ kind: STATE_KIND.contract, owner, slot });
  return value === undefined ? null : toHex(value);
}

/** The first owner of a slot: an index of this node, which no rule of the chain reads. */
function ownerOf(backend: RpcBackend, slot: SlotHash): Address | undefined {
  const owner = new Table(backend.store, TABLE.slotOwner).get(slot);
  return owner === undefined ? undefined : toAddress(owner.slice());
}
