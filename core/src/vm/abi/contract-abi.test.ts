import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../bytes/index.ts';
import { type ContractAbi, decodeAbi, encodeAbi, selectorOf } from './contract-abi.ts';

const index = fc.option(fc.nat(), { nil: undefined });
const abis: fc.Arbitrary<ContractAbi> = fc.record({
  version: fc.nat(),
  contractType: fc.constantFrom('contract', 'parachain'),
  functions: fc.array(
    fc.record({
      name: fc.string({ maxLength: 20 }),
      selector: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      attributes: fc.nat(),
      accessList: fc.array(fc.string({ maxLength: 20 }), { maxLength: 3 }),
    }),
    { maxLength: 5 },
  ),
  stateSchemaHash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  constructorIndex: index,
  fallbackIndex: index,
  receiveIndex: index,
});

describe('the ABI in bytes', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(abis, (abi) => {
        expect(decodeAbi(encodeAbi(abi))).toEqual(abi);
      }),
    );
  });

  it('has one encoding', () => {
    fc.assert(
      fc.property(abis, fc.nat(), fc.integer({ min: 1, max: 255 }), (abi, at, change) => {
        const bytes = encodeAbi(abi);
        const place = at % bytes.length;
        const changed = bytes.with(place, (bytes[place] ?? 0) ^ change);
        let decoded: ContractAbi;
        try {
          decoded = decodeAbi(changed);
        } catch {
          return;
        }
        expect(encodeAbi(decoded)).toEqual(changed);
      }),
    );
  });

  it('is written in these bytes', () => {
    const abi: ContractAbi = {
      version: 0x0001_0000,
      contractType: 'parachain',
      functions: [
        { name: 'init', selector: selectorOf('init'), attributes: 16, accessList: ['a', 'bc'] },
      ],
      stateSchemaHash: new Uint8Array(32).fill(0xaa),
      constructorIndex: 0,
      fallbackIndex: undefined,
      receiveIndex: undefined,
    };
    expect(toHex(encodeAbi(abi))).toBe(
      `0x00000100010100000004000000${'696e6974'}${toHex(selectorOf('init')).slice(2)}10000000` +
        `020000000100000061020000006263${'aa'.repeat(32)}01000000000000`,
    );
  });

  it('has selectors of four bytes of Blake3 of the name', () => {
    // b3sum of no bytes begins af1349b9.
    expect(toHex(selectorOf(''))).toBe('0xaf1349b9');
  });
});
