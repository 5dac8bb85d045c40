/** Modules whose `pyde.abi` section is missing, broken, or does not fit the exports. */
import { encode } from '../../../bytes/index.ts';
import { blake3 } from '../../../crypto/index.ts';
import {
  exportOf,
  flat,
  funcType,
  i32,
  leb,
  limits,
  type ModuleParts,
  moduleOf,
  type Part,
  rawModule,
  sectionsOf,
  T,
} from '../module-builder.ts';
import { type Malformed, malformed } from './malformed.ts';

const utf8 = new TextEncoder();

const BIT = {
  view: 1,
  payable: 2,
  reentrant: 4,
  sponsored: 8,
  constructor: 16,
  fallback: 32,
  receive: 64,
  entry: 128,
} as const;

interface AbiFunction {
  readonly name: string | Uint8Array;
  readonly attributes: number;
  readonly selector: Uint8Array;
  readonly accessList: readonly string[];
}

interface Abi {
  readonly version: number;
  readonly type: number;
  readonly functions: readonly AbiFunction[];
  readonly constructorIndex: number | undefined;
  readonly fallbackIndex: number | undefined;
  readonly receiveIndex: number | undefined;
}

const functionOf = (
  name: string,
  attributes: number,
  more: Partial<AbiFunction> = {},
): AbiFunction => ({
  name,
  attributes,
  selector: blake3(utf8.encode(name)).slice(0, 4),
  accessList: [],
  ...more,
});

const GOOD: Abi = {
  version: 0x0001_0000,
  type: 0,
  functions: [functionOf('run', BIT.entry)],
  constructorIndex: undefined,
  fallbackIndex: undefined,
  receiveIndex: undefined,
};

function abiBytes(abi: Partial<Abi>): Uint8Array {
  const { version, type, functions, ...indices } = { ...GOOD, ...abi };
  return encode((w) => {
    w.u32(version).u8(type);
    w.vec(functions, (v, { name, selector, attributes, accessList }) => {
      v.bytes(typeof name === 'string' ? utf8.encode(name) : name)
        .fixed(selector)
        .u32(attributes);
      v.vec(accessList, (a, entry) => a.string(entry));
    });
    w.fixed(new Uint8Array(32));
    for (const index of [indices.constructorIndex, indices.fallbackIndex, indices.receiveIndex])
      w.option(index, (o, value) => o.u32(value));
  });
}

/** Exports `run`, `other`, `add` (which takes and gives i32) and `memory`. */
const PARTS: ModuleParts = {
  types: [funcType(), funcType([T.i32], [T.i32])],
  functions: [{}, {}, { type: 1, code: i32(0) }],
  memory: limits(1),
  exports: [
    exportOf('run', 'function', 0),
    exportOf('other', 'function', 1),
    exportOf('add', 'function', 2),
    exportOf('memory', 'memory'),
  ],
};

/** A module with a right ABI, from which those of the catalogue differ. */
export const abiModule = (abi: Partial<Abi> = {}): Uint8Array =>
  moduleOf({ ...PARTS, customs: [['pyde.abi', abiBytes(abi)]] });

/** The same module with such sections `pyde.abi`. */
export const moduleWithAbi = (...payloads: readonly Part[]): Uint8Array =>
  moduleOf({ ...PARTS, customs: payloads.map((payload) => ['pyde.abi', payload] as const) });
const withAttributes = (name: string, attributes: number, index: Partial<Abi> = {}): Malformed =>
  malformed(`a function that is ${name}`, 'wasm.abi-attributes', () =>
    abiModule({ functions: [functionOf('run', attributes)], ...index }),
  );

export const abi: readonly Malformed[] = [
  malformed('no ABI', 'wasm.abi', () => moduleOf(PARTS)),
  malformed('two ABIs', 'wasm.abi', () => moduleWithAbi(abiBytes({}), abiBytes({}))),
  malformed('an ABI of no bytes', 'wasm.abi', () => moduleWithAbi([])),
  malformed('an ABI of three bytes', 'wasm.abi', () => moduleWithAbi([0, 0, 1])),
  malformed('an ABI without its last byte', 'wasm.abi', () =>
    moduleWithAbi(abiBytes({}).slice(0, -1)),
  ),
  malformed('a byte behind the ABI', 'wasm.abi', () => moduleWithAbi([abiBytes({}), 0])),
  malformed('an ABI in another case', 'wasm.abi', () =>
    moduleOf({ ...PARTS, customs: [['Pyde.abi', abiBytes({})]] }),
  ),
  malformed('an ABI of another version', 'wasm.abi-version', () =>
    abiModule({ version: 0x0002_0000 }),
  ),
  malformed('an ABI of version 0', 'wasm.abi-version', () => abiModule({ version: 0 })),
  malformed('an ABI of a later minor version', 'wasm.abi-version', () =>
    abiModule({ version: 0x0001_0001 }),
  ),
  malformed('an ABI of a parachain in a contract', 'wasm.abi-type', () => abiModule({ type: 1 })),
  malformed('an ABI of a kind that does not exist', 'wasm.abi', () => abiModule({ type: 2 })),
  malformed('2³² − 1 functions in the ABI', 'wasm.abi', () =>
    moduleWithAbi([leb(0), new Uint8Array([0, 1, 0, 0]), new Uint8Array(4).fill(0xff)]),
  ),
  malformed('an ABI name that is no UTF-8', 'wasm.abi', () =>
    abiModule({ functions: [functionOf('run', 0, { name: Uint8Array.of(0xff) })] }),
  ),
  malformed('an ABI option of tag 2', 'wasm.abi', () => {
    const bytes = abiBytes({});
    return moduleWithAbi(bytes.with(bytes.length - 1, 2));
  }),
  malformed('an entry that is not exported', 'wasm.abi-function', () =>
    abiModule({ functions: [functionOf('missing', BIT.entry)] }),
  ),
  malformed('an entry of no name', 'wasm.abi-function', () =>
    abiModule({ functions: [functionOf('', BIT.entry)] }),
  ),
  malformed('an entry that is a memory', 'wasm.abi-function', () =>
    abiModule({ functions: [functionOf('memory', BIT.entry)] }),
  ),
  malformed('an entry that takes parameters', 'wasm.abi-function', () =>
    abiModule({ functions: [functionOf('add', BIT.entry)] }),
  ),
  malformed('an entry named twice', 'wasm.abi-function', () =>
    abiModule({ functions: [functionOf('run', BIT.entry), functionOf('run', BIT.entry)] }),
  ),
  malformed('a selector of another name', 'wasm.abi-function', () =>
    abiModule({ functions: [functionOf('run', BIT.entry, { selector: new Uint8Array(4) })] }),
  ),
  malformed('two entries of one selector', 'wasm.abi-function', () => {
    // The first four bytes of their hashes are the same.
    const twins = ['f17637', 'f39281'];
    return moduleOf({
      ...PARTS,
      exports: twins.map((title) => exportOf(title, 'function')),
      customs: [
        ['pyde.abi', abiBytes({ functions: twins.map((title) => functionOf(title, BIT.entry)) })],
      ],
    });
  }),
  malformed('attributes beyond the last bit', 'wasm.abi-attributes', () =>
    abiModule({ functions: [functionOf('run', 256)] }),
  ),
  malformed('all attributes', 'wasm.abi-attributes', () =>
    abiModule({ functions: [functionOf('run', 0xffff_ffff)] }),
  ),
  withAttributes('view and payable', BIT.view | BIT.payable),
  withAttributes('view and constructor', BIT.view | BIT.constructor, { constructorIndex: 0 }),
  withAttributes('view and reentrant', BIT.view | BIT.reentrant),
  withAttributes('view and sponsored', BIT.view | BIT.sponsored),
  withAttributes('view and fallback', BIT.view | BIT.fallback, { fallbackIndex: 0 }),
  withAttributes('view and receive', BIT.view | BIT.receive, { receiveIndex: 0 }),
  withAttributes('constructor and reentrant', BIT.constructor | BIT.reentrant, {
    constructorIndex: 0,
  }),
  withAttributes('constructor and sponsored', BIT.constructor | BIT.sponsored, {
    constructorIndex: 0,
  }),
  withAttributes('constructor and fallback', BIT.constructor | BIT.fallback, {
    constructorIndex: 0,
    fallbackIndex: 0,
  }),
  withAttributes('constructor and receive', BIT.constructor | BIT.receive | BIT.payable, {
    constructorIndex: 0,
    receiveIndex: 0,
  }),
  withAttributes('fallback and receive', BIT.fallback | BIT.receive | BIT.payable, {
    fallbackIndex: 0,
    receiveIndex: 0,
  }),
  withAttributes('receive and not payable', BIT.receive, { receiveIndex: 0 }),
  withAttributes('receive and reentrant', BIT.receive | BIT.payable | BIT.reentrant, {
    receiveIndex: 0,
  }),
  malformed('a constructor by index alone', 'wasm.abi-attributes', () =>
    abiModule({ constructorIndex: 0 }),
  ),
  malformed('a fallback by index alone', 'wasm.abi-attributes', () =>
    abiModule({ fallbackIndex: 0 }),
  ),
  malformed('a receive by index alone', 'wasm.abi-attributes', () =>
    abiModule({ receiveIndex: 0 }),
  ),
  malformed('a constructor by attribute alone', 'wasm.abi-attributes', () =>
    abiModule({ functions: [functionOf('run', BIT.constructor)] }),
  ),
  malformed('a constructor behind the last function', 'wasm.abi-function', () =>
    abiModule({ constructorIndex: 1 }),
  ),
  malformed('constructor 2³² − 1', 'wasm.abi-function', () =>
    abiModule({ constructorIndex: 0xffff_ffff }),
  ),
  malformed('two constructors', 'wasm.abi-attributes', () =>
    abiModule({
      functions: [functionOf('run', BIT.constructor), functionOf('other', BIT.constructor)],
      constructorIndex: 0,
    }),
  ),
  malformed('two fallbacks', 'wasm.abi-attributes', () =>
    abiModule({
      functions: [functionOf('run', BIT.fallback), functionOf('other', BIT.fallback)],
      fallbackIndex: 1,
    }),
  ),
];

/** The same module with its ABI ahead of every other section. */
export const abiFirst = (): Uint8Array => {
  const [all, custom] = [sectionsOf(PARTS), sectionsOf({ customs: [['pyde.abi', abiBytes({})]] })];
  return flat(rawModule(custom, all));
};
