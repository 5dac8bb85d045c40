/**
 * Imports against what the host offers (host-signatures.ts): name, signature, and whether this type
 * of contract may have it. HOST_FN_ABI_SPEC §9.
 */
import { wasmError } from '../error.ts';
import { type ContractType, HOST_FUNCTIONS, HOST_MODULE } from '../host-signatures.ts';
import {
  describeFuncType,
  type FuncType,
  type FunctionImport,
  type WasmModule,
} from '../module.ts';

/** `isTestRunner` lets in what is there for tests alone. */
export function validateImports(
  module: WasmModule,
  contractType: ContractType,
  isTestRunner: boolean,
): void {
  for (const entry of module.imports) {
    const type = module.types[entry.typeIndex];
    if (type !== undefined) validateImport(entry, type, contractType, isTestRunner);
  }
}

function validateImport(
  entry: FunctionImport,
  type: FuncType,
  contractType: ContractType,
  isTestRunner: boolean,
): void {
  const name = `${entry.module}.${entry.name}`;
  const host = entry.module === HOST_MODULE ? HOST_FUNCTIONS.get(entry.name) : undefined;
  if (host === undefined) {
    throw wasmError('wasm.import', entry.offset, `there is no host function ${name}`, { name });
  }
  if (host.scope === 'parachains' && contractType !== 'parachain') {
    throw wasmError('wasm.parachain-only', entry.offset, `${name} is for parachains only`, {
      name,
    });
  }
  if (host.scope === 'the test runner' && !isTestRunner) {
    throw wasmError(
      'wasm.test-only-import',
      entry.offset,
      `${name} is for the test runner only; remove its calls before deploying`,
      { name },
    );
  }
  if (host.types.some((accepted) => sameFuncType(accepted, type))) return;
  const [found, expected] = [describeFuncType(type), host.types.map(describeFuncType).join(' or ')];
  throw wasmError(
    'wasm.import-signature',
    entry.offset,
    `${name} is imported as ${found} and links as ${expected}`,
    { name, found, expected },
  );
}

function sameFuncType(a: FuncType, b: FuncType): boolean {
  return a.params.join() === b.params.join() && a.results.join() === b.results.join();
}
