/**
 * The ABI a contract carries in its custom section `pyde.abi`: spec/wire.md (ABI), Borsh. The one
 * description of what the chain may call; `abi.json` beside a contract is for people and wallets.
 */
import { BorshReader, type BorshWriter, encode } from '../../bytes/index.ts';
import { blake3 } from '../../crypto/index.ts';
import type { ContractType } from '../host-signatures.ts';
import { LIMITS } from '../limits.ts';

export const ABI_SECTION = 'pyde.abi';
/** Major version in the high half, minor in the low. */
export const ABI_VERSION = 0x0001_0000;
export const SELECTOR_BYTES = 4;
const SCHEMA_HASH_BYTES = 32;

export interface AbiFunction {
  /** The name of the export. */
  readonly name: string;
  /** `Blake3(name)[0..4]`. */
  readonly selector: Uint8Array;
  /** Bits of `ATTRIBUTE`. */
  readonly attributes: number;
  readonly accessList: readonly string[];
}

export interface ContractAbi {
  readonly version: number;
  readonly contractType: ContractType;
  readonly functions: readonly AbiFunction[];
  /** Blake3 of the section `pyde.schema`; zeroes where there is none. */
  readonly stateSchemaHash: Uint8Array;
  /** Places in `functions`. */
  readonly constructorIndex: number | undefined;
  readonly fallbackIndex: number | undefined;
  readonly receiveIndex: number | undefined;
}

const CONTRACT_TYPES: readonly ContractType[] = ['contract', 'parachain'];

export function selectorOf(name: string): Uint8Array {
  return blake3(new TextEncoder().encode(name)).slice(0, SELECTOR_BYTES);
}

export function encodeAbi(abi: ContractAbi): Uint8Array {
  return encode((writer) => {
    writer.u32(abi.version);
    writer.u8(CONTRACT_TYPES.indexOf(abi.contractType));
    writer.vec(abi.functions, writeFunction);
    writer.fixed(abi.stateSchemaHash);
    for (const index of [abi.constructorIndex, abi.fallbackIndex, abi.receiveIndex]) {
      writer.option(index, (w, value) => w.u32(value));
    }
  });
}

function writeFunction(writer: BorshWriter, entry: AbiFunction): void {
  writer.string(entry.name).fixed(entry.selector).u32(entry.attributes);
  writer.vec(entry.accessList, (w, slot) => w.string(slot));
}

/**
 * The version a section states, which is read before anything that a later version may have
 * changed.
 *
 * @throws PydeError `borsh.*`
 */
export function readAbiVersion(bytes: Uint8Array): number {
  return new BorshReader(bytes).u32();
}

/**
 * Shape and bounds only; what the values say is for `checkAbi`.
 *
 * @throws PydeError `borsh.*`
 */
export function decodeAbi(bytes: Uint8Array): ContractAbi {
  const reader = new BorshReader(bytes);
  const version = reader.u32();
  const isContract = reader.tag(CONTRACT_TYPES.length, 'contract type') === 0;
  const functions = reader.vec(LIMITS.abiFunctions, MIN_FUNCTION_BYTES, readFunction);
  const stateSchemaHash = reader.fixed(SCHEMA_HASH_BYTES);
  const [constructorIndex, fallbackIndex, receiveIndex] = [
    reader.option((r) => r.u32()),
    reader.option((r) => r.u32()),
    reader.option((r) => r.u32()),
  ];
  reader.end();
  return {
    version,
    contractType: isContract ? 'contract' : 'parachain',
    functions,
    stateSchemaHash,
    constructorIndex,
    fallbackIndex,
    receiveIndex,
  };
}

/** Two counts, a selector and attributes. */
const MIN_FUNCTION_BYTES = 16;
const MIN_STRING_BYTES = 4;

function readFunction(reader: BorshReader): AbiFunction {
  return {
    name: reader.string(LIMITS.abiNameBytes),
    selector: reader.fixed(SELECTOR_BYTES),
    attributes: reader.u32(),
    accessList: reader.vec(LIMITS.abiAccessEntries, MIN_STRING_BYTES, (r) =>
      r.string(LIMITS.nameBytes),
    ),
  };
}
