/**
 * The ABI against the module that carries it: HOST_FN_ABI_SPEC §3.7, schema, cross-reference and
 * attributes. Whether a view can reach a function that changes state is not looked at here; a run
 * refuses that by itself.
 */
import { equalBytes, isPydeError } from '../../bytes/index.ts';
import { wasmError } from '../error.ts';
import type { ContractType } from '../host-signatures.ts';
import { describeFuncType, type Export, typeIndexOf, type WasmModule } from '../module.ts';
import { type Attribute, attributeFault, hasAttribute } from './attributes.ts';
import {
  ABI_SECTION,
  ABI_VERSION,
  type AbiFunction,
  type ContractAbi,
  decodeAbi,
  readAbiVersion,
  selectorOf,
} from './contract-abi.ts';

/**
 * @param contractType what the contract is deployed as
 * @throws PydeError `wasm.abi*`; the offset is that of the section's contents
 */
export function checkAbi(module: WasmModule, contractType: ContractType): ContractAbi {
  const { abi, at } = readSection(module);
  if (abi.contractType !== contractType) {
    throw wasmError(
      'wasm.abi-type',
      at,
      `the ABI is that of a ${abi.contractType}, the module is deployed as a ${contractType}`,
      { found: abi.contractType, expected: contractType },
    );
  }
  checkFunctions(abi, module, at);
  checkIndex(abi, 'constructor', abi.constructorIndex, at);
  checkIndex(abi, 'fallback', abi.fallbackIndex, at);
  checkIndex(abi, 'receive', abi.receiveIndex, at);
  return abi;
}

function readSection(module: WasmModule): { abi: ContractAbi; at: number } {
  const [section, ...more] = module.customs.filter(({ name }) => name === ABI_SECTION);
  if (section === undefined) {
    throw wasmError(
      'wasm.abi',
      module.bytes.length,
      `the module has no section ${ABI_SECTION}; build it with otigen`,
    );
  }
  const at = section.payload.start;
  if (more[0] !== undefined) {
    throw wasmError('wasm.abi', more[0].payload.start, `a second section ${ABI_SECTION}`);
  }
  const bytes = module.bytes.subarray(at, section.payload.end);
  try {
    const version = readAbiVersion(bytes);
    if (version !== ABI_VERSION) {
      throw wasmError(
        'wasm.abi-version',
        at,
        `the ABI is of version 0x${version.toString(16)}, this chain knows 0x10000`,
        { version },
      );
    }
    return { abi: decodeAbi(bytes), at };
  } catch (error) {
    if (!isPydeError(error) || !error.code.startsWith('borsh.')) throw error;
    throw wasmError('wasm.abi', at, `${ABI_SECTION}: ${error.message}`, { reason: error.code });
  }
}

function checkFunctions(abi: ContractAbi, module: WasmModule, at: number): void {
  const exports = new Map(module.exports.map((entry) => [entry.name, entry]));
  const names = new Set<string>();
  const selectors = new Map<string, string>();
  for (const entry of abi.functions) {
    const { name } = entry;
    if (name === '') throw functionError(at, name, 'has no name');
    if (names.has(name)) throw functionError(at, name, 'is declared twice');
    names.add(name);
    if (!equalBytes(entry.selector, selectorOf(name))) {
      throw functionError(at, name, 'has a selector that is not that of its name');
    }
    const selector = entry.selector.join();
    const other = selectors.get(selector);
    if (other !== undefined) {
      throw functionError(at, name, `has the selector of ${other}; rename one`);
    }
    selectors.set(selector, name);
    checkExport(exports.get(name), module, name, at);
    checkAttributes(entry, at);
  }
}

/** Everything goes through host functions: an entry takes and gives nothing (§3.0). */
function checkExport(
  entry: Export | undefined,
  module: WasmModule,
  name: string,
  at: number,
): void {
  if (entry === undefined) throw functionError(at, name, 'is not exported');
  if (entry.kind !== 'function') throw functionError(at, name, `is exported as a ${entry.kind}`);
  const type = module.types[typeIndexOf(module, entry.index) ?? -1];
  if (type === undefined) throw functionError(at, name, 'is exported with an unknown index');
  if (type.params.length > 0 || type.results.length > 0) {
    throw functionError(at, name, `is exported as ${describeFuncType(type)}, not as () → ()`);
  }
}

function checkAttributes({ name, attributes }: AbiFunction, at: number): void {
  const fault = attributeFault(attributes);
  if (fault !== undefined) throw attributesError(at, name, fault, attributes);
}

/** The index and the bit name the same function, and no other has the bit. */
function checkIndex(
  abi: ContractAbi,
  attribute: Attribute,
  index: number | undefined,
  at: number,
): void {
  if (index !== undefined && index >= abi.functions.length) {
    throw wasmError(
      'wasm.abi-function',
      at,
      `the ${attribute} is function ${index} of ${abi.functions.length}`,
      { index, count: abi.functions.length },
    );
  }
  for (const [i, { name, attributes }] of abi.functions.entries()) {
    const isMarked = hasAttribute(attributes, attribute);
    if (isMarked === (i === index)) continue;
    const fault = isMarked
      ? `is marked ${attribute}, and the ABI's ${attribute} is another or none`
      : `is the ABI's ${attribute} and not marked so`;
    throw attributesError(at, name, fault, attributes);
  }
}

function functionError(at: number, name: string, fault: string): Error {
  return wasmError('wasm.abi-function', at, `function ${name} of the ABI ${fault}`, { name });
}

function attributesError(at: number, name: string, fault: string, attributes: number): Error {
  return wasmError('wasm.abi-attributes', at, `function ${name} of the ABI ${fault}`, {
    name,
    attributes,
  });
}
