/**
 * Whether a decoded module may run: core specification §3, and the imports this chain offers. A
 * `ValidModule` exists only after everything was checked; the ABI of a contract is apart (`abi/`).
 */
import type { ContractType } from '../host-signatures.ts';
import type { WasmModule } from '../module.ts';
import { validateDefinitions } from './definitions.ts';
import { FunctionValidator } from './function-body.ts';
import { validateImports } from './imports.ts';

export interface ValidModule {
  readonly module: WasmModule;
  /**
   * By defined function: the greatest number of operands on its stack at once, in slots, whatever
   * their type; of unreachable code too.
   */
  readonly maxOperandHeight: readonly number[];
}

/**
 * @param contractType decides which host functions may be imported
 * @param options `testRunner` accepts imports that are there for tests alone
 * @throws PydeError `wasm.*` with the offset of what is wrong
 */
export function validateModule(
  module: WasmModule,
  contractType: ContractType,
  options: { readonly testRunner?: boolean } = {},
): ValidModule {
  validateDefinitions(module);
  validateImports(module, contractType, options.testRunner ?? false);
  const validator = new FunctionValidator(module);
  const maxOperandHeight = module.functions.map((body) => validator.validate(body));
  return { module, maxOperandHeight };
}
