/**
 * What a contract may import: spec/host-functions.md and, for parachains, HOST_FN_ABI_SPEC §8. All
 * functions stand in the module `pyde`. A signature is a row of letters: i for i32, I for i64,
 * operands before the colon, the result after it; `:?` links with and without an i32 result.
 */
import { type FuncType, VALUE_TYPE, type ValueType } from './module.ts';

export type ContractType = 'contract' | 'parachain';

/** Where a host function may be imported. */
export type HostScope = 'every contract' | 'parachains' | 'the test runner';

export interface HostFunction {
  readonly scope: HostScope;
  /** The types under which it links: one, or two where the result may be left out. */
  readonly types: readonly FuncType[];
}

export const HOST_MODULE = 'pyde';

const EVERY_CONTRACT = {
  // Storage by slot
  sload: 'iii:i',
  sstore: 'iii:',
  sdelete: 'i:',
  // Storage by field and keys: every name and key is a pointer and a length
  sload_scalar: 'iiii:i',
  sload_map1: 'iiiiii:i',
  sload_map2: 'iiiiiiii:i',
  sload_map3: 'iiiiiiiiii:i',
  sstore_scalar: 'iiii:i',
  sstore_map1: 'iiiiii:i',
  sstore_map2: 'iiiiiiii:i',
  sstore_map3: 'iiiiiiiiii:i',
  sdelete_scalar: 'ii:i',
  sdelete_map1: 'iiii:i',
  sdelete_map2: 'iiiiii:i',
  sdelete_map3: 'iiiiiiii:i',
  // Accounts
  balance: 'ii:i',
  transfer: 'ii:i',
  // The transaction and the wave
  caller: 'i:i',
  origin: 'i:i',
  self_address: 'i:i',
  wave_id: ':I',
  wave_timestamp: ':I',
  chain_id: ':I',
  tx_gas_remaining: ':I',
  tx_hash: 'i:?',
  tx_value: 'i:?',
  calldata_size: ':i',
  calldata_copy: 'ii:i',
  beacon_get: 'i:i',
  // Events and hashes
  emit_event: 'iiii:i',
  hash_blake3: 'iii:?',
  hash_poseidon2: 'iii:?',
  hash_keccak256: 'iii:?',
  falcon_verify: 'iiiii:i',
  // Calls: target, name and length, data and length, value, gas, out and length
  cross_call: 'iiiiiiIii:i',
  cross_call_static: 'iiiiiIii:i',
  delegate_call: 'iiiiiIii:i',
  // template, salt, data and length, value, gas, child address, out and length
  instantiate: 'iiiiiIiii:i',
  return: 'ii:',
  revert: 'ii:',
  consume_gas: 'I:i',
} as const;

const PARACHAINS = {
  parachain_storage_read: 'iiii:i',
  parachain_storage_write: 'iiii:i',
  parachain_storage_delete: 'ii:i',
  parachain_id: 'i:i',
  parachain_version: ':i',
  parachain_emit_event: 'iiii:i',
  // target, message and length, callback and length, gas, timeout in waves
  send_xparachain_message: 'iiiiiII:I',
} as const;

const TEST_RUNNER = {
  debug_log: 'ii:',
} as const;

/** By name. */
export const HOST_FUNCTIONS: ReadonlyMap<string, HostFunction> = new Map([
  ...functionsOf('every contract', EVERY_CONTRACT),
  ...functionsOf('parachains', PARACHAINS),
  ...functionsOf('the test runner', TEST_RUNNER),
]);

function functionsOf(
  scope: HostScope,
  signatures: Readonly<Record<string, string>>,
): [string, HostFunction][] {
  return Object.entries(signatures).map(([name, signature]) => {
    return [name, { scope, types: typesOf(signature) }];
  });
}

function typesOf(signature: string): FuncType[] {
  const [params = '', result = ''] = signature.split(':');
  const withResult = { params: numbers(params), results: numbers(result.replace('?', 'i')) };
  return result === '?' ? [withResult, { params: withResult.params, results: [] }] : [withResult];
}

function numbers(letters: string): ValueType[] {
  return [...letters].map((letter) => (letter === 'I' ? VALUE_TYPE.i64 : VALUE_TYPE.i32));
}
