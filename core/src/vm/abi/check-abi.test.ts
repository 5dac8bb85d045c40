import { describe, expect, it } from 'vitest';
import { isPydeError } from '../../bytes/index.ts';
import { decodeModule } from '../decode/index.ts';
import type { ContractType } from '../host-signatures.ts';
import {
  exportOf,
  funcType,
  importOf,
  leb,
  limits,
  moduleOf,
  T,
} from '../testing/module-builder.ts';
import { ATTRIBUTE, type Attribute, attributeFault, isDispatched } from './attributes.ts';
import { checkAbi } from './check-abi.ts';
import { ABI_SECTION, type ContractAbi, encodeAbi, selectorOf } from './contract-abi.ts';

const entryOf = (name: string, attributes: number = ATTRIBUTE.entry) => ({
  name,
  selector: selectorOf(name),
  attributes,
  accessList: [],
});

const GOOD: ContractAbi = {
  version: 0x0001_0000,
  contractType: 'contract',
  functions: [
    entryOf('init', ATTRIBUTE.constructor | ATTRIBUTE.payable),
    entryOf('read', ATTRIBUTE.entry | ATTRIBUTE.view),
    entryOf('any', ATTRIBUTE.fallback | ATTRIBUTE.payable),
    entryOf('tip', ATTRIBUTE.receive | ATTRIBUTE.payable),
  ],
  stateSchemaHash: new Uint8Array(32),
  constructorIndex: 0,
  fallbackIndex: 2,
  receiveIndex: 3,
};

/** Exports the four functions, one more, one of another type, an import and the memory. */
function moduleWith(...abis: readonly ContractAbi[]): Uint8Array {
  return moduleOf({
    types: [funcType(), funcType([T.i32], [T.i32])],
    imports: [importOf('pyde', 'caller', leb(1))],
    functions: [{}, {}, {}, {}, {}, { type: 1, code: [0] }],
    memory: limits(1),
    exports: [
      ...['init', 'read', 'any', 'tip', 'more', 'alloc'].map((name, i) =>
        exportOf(name, 'function', i + 1),
      ),
      exportOf('caller', 'function', 0),
      exportOf('memory', 'memory'),
    ],
    customs: abis.map((abi) => [ABI_SECTION, encodeAbi(abi)] as const),
  });
}

function codeOf(bytes: Uint8Array, contractType: ContractType = 'contract'): string {
  try {
    checkAbi(decodeModule(bytes), contractType);
  } catch (error) {
    return isPydeError(error) ? error.code : String(error);
  }
  return 'right';
}

const withFunctions = (...functions: ContractAbi['functions']): ContractAbi => ({
  ...GOOD,
  functions,
  constructorIndex: undefined,
  fallbackIndex: undefined,
  receiveIndex: undefined,
});

describe('checkAbi', () => {
  it('gives the ABI of a module that fits it', () => {
    expect(checkAbi(decodeModule(moduleWith(GOOD)), 'contract')).toEqual(GOOD);
    const parachain = { ...GOOD, contractType: 'parachain' } as const;
    expect(checkAbi(decodeModule(moduleWith(parachain)), 'parachain')).toEqual(parachain);
  });

  it('lets a module export more than the ABI declares, and declare nothing', () => {
    expect(codeOf(moduleWith(withFunctions(entryOf('init'))))).toBe('right');
    expect(codeOf(moduleWith(withFunctions()))).toBe('right');
  });

  it.each([
    ['wasm.abi', 'no section', []],
    ['wasm.abi', 'two sections', [GOOD, GOOD]],
    ['wasm.abi-version', 'a later version', [{ ...GOOD, version: 0x0001_0001 }]],
    ['wasm.abi-type', 'the other type', [{ ...GOOD, contractType: 'parachain' as const }]],
    ['wasm.abi-function', 'a name that is not exported', [withFunctions(entryOf('gone'))]],
    ['wasm.abi-function', 'a name of a memory', [withFunctions(entryOf('memory'))]],
    ['wasm.abi-function', 'a function of other type', [withFunctions(entryOf('alloc'))]],
    ['wasm.abi-function', 'an import of other type', [withFunctions(entryOf('caller'))]],
    ['wasm.abi-function', 'a name twice', [withFunctions(entryOf('init'), entryOf('init'))]],
    [
      'wasm.abi-function',
      'the selector of another name',
      [withFunctions({ ...entryOf('init'), selector: selectorOf('read') })],
    ],
    ['wasm.abi-function', 'an index behind the last', [{ ...GOOD, constructorIndex: 4 }]],
    ['wasm.abi-attributes', 'an index of another function', [{ ...GOOD, constructorIndex: 1 }]],
    ['wasm.abi-attributes', 'no index of its fallback', [{ ...GOOD, fallbackIndex: undefined }]],
    ['wasm.abi-attributes', 'an unknown bit', [withFunctions(entryOf('init', 256))]],
  ])('answers %s to %s', (code, _, abis) => {
    expect(codeOf(moduleWith(...abis))).toBe(code);
  });

  it('names the function and what is wrong with it', () => {
    const abi = withFunctions(entryOf('read', ATTRIBUTE.view | ATTRIBUTE.payable));
    expect(() => checkAbi(decodeModule(moduleWith(abi)), 'contract')).toThrow(
      /function read of the ABI is both view and payable/,
    );
  });
});

/** HOST_FN_ABI_SPEC §3.5.1, row by row. */
const TABLE: readonly (readonly [Attribute, Attribute, 'rejected' | 'allowed'])[] = [
  ['view', 'payable', 'rejected'],
  ['view', 'constructor', 'rejected'],
  ['view', 'reentrant', 'rejected'],
  ['view', 'sponsored', 'rejected'],
  ['view', 'fallback', 'rejected'],
  ['view', 'receive', 'rejected'],
  ['payable', 'constructor', 'allowed'],
  ['payable', 'reentrant', 'allowed'],
  ['payable', 'fallback', 'allowed'],
  ['constructor', 'reentrant', 'rejected'],
  ['constructor', 'sponsored', 'rejected'],
  ['constructor', 'fallback', 'rejected'],
  ['constructor', 'receive', 'rejected'],
  ['sponsored', 'reentrant', 'allowed'],
  ['fallback', 'receive', 'rejected'],
  ['receive', 'payable', 'allowed'],
  ['receive', 'reentrant', 'rejected'],
];

describe('attributes', () => {
  it('go together exactly as the table of the specification says', () => {
    const has = (bits: number, attribute: Attribute): boolean =>
      (bits & ATTRIBUTE[attribute]) !== 0;
    for (let bits = 0; bits < 256; bits++) {
      const isRejected =
        (has(bits, 'receive') && !has(bits, 'payable')) ||
        TABLE.some(([a, b, how]) => how === 'rejected' && has(bits, a) && has(bits, b));
      expect(attributeFault(bits) !== undefined, bits.toString(2)).toBe(isRejected);
    }
  });

  it('beyond the eighth bit mean nothing', () => {
    for (let bit = 8; bit < 32; bit++) expect(attributeFault((1 << bit) >>> 0)).toBeDefined();
  });

  it('let the chain enter entries, constructors, fallbacks and receivers', () => {
    const {
      view,
      payable,
      reentrant,
      sponsored,
      constructor: init,
      fallback,
      receive,
      entry,
    } = ATTRIBUTE;
    for (const bits of [entry, init, fallback, receive]) expect(isDispatched(bits)).toBe(true);
    for (const bits of [0, view, payable, reentrant, sponsored])
      expect(isDispatched(bits)).toBe(false);
  });
});
