import { describe, expect, it } from 'vitest';
import { isPydeError } from '../../bytes/index.ts';
import { decodeModule } from '../decode/index.ts';
import { type ContractType, HOST_FUNCTIONS } from '../host-signatures.ts';
import { type FuncType, VALUE_TYPE } from '../module.ts';
import { funcType, importOf, leb, moduleOf, name } from '../testing/module-builder.ts';
import { validateModule } from './validate-module.ts';

const { i32, i64, f32 } = VALUE_TYPE;

interface Setting {
  readonly contractType?: ContractType;
  readonly testRunner?: boolean;
}

/** The refusal of a module with this one import. */
function refusal(
  from: string,
  title: string,
  type: FuncType,
  { contractType = 'contract', testRunner = false }: Setting = {},
): unknown {
  const bytes = moduleOf({
    types: [funcType(), funcType(type.params, type.results)],
    imports: [importOf(from, title, leb(1))],
  });
  try {
    validateModule(decodeModule(bytes), contractType, { testRunner });
  } catch (error) {
    return isPydeError(error) ? error : String(error);
  }
  return undefined;
}

const type = (params: FuncType['params'], ...results: FuncType['results']): FuncType => ({
  params,
  results,
});

const EVERYWHERE = { contractType: 'parachain', testRunner: true } as const;

describe('imports', () => {
  it('link under each type the table lists, and under no other', () => {
    for (const [title, { types }] of HOST_FUNCTIONS) {
      for (const accepted of types) {
        expect(refusal('pyde', title, accepted, EVERYWHERE), title).toBeUndefined();
        const { params, results } = accepted;
        const others: FuncType[] = [
          { params: [...params, i32], results },
          { params: params.map((p) => (p === i32 ? i64 : i32)), results: [...results, i32] },
          { params, results: [f32] },
          {
            params,
            results: results.length === 0 ? [i64] : results.map((r) => (r === i32 ? i64 : i32)),
          },
        ];
        for (const other of others) {
          expect(refusal('pyde', title, other, EVERYWHERE), title).toMatchObject({
            code: 'wasm.import-signature',
            details: { name: `pyde.${title}` },
          });
        }
      }
    }
  });

  it('are 41 functions for every contract, 7 for parachains and one for tests', () => {
    const counts: Record<string, number> = {};
    for (const { scope } of HOST_FUNCTIONS.values()) counts[scope] = (counts[scope] ?? 0) + 1;
    expect(counts).toEqual({ 'every contract': 41, parachains: 7, 'the test runner': 1 });
  });

  it.each(['tx_hash', 'tx_value', 'hash_blake3', 'hash_poseidon2', 'hash_keccak256'])(
    'link %s with and without a result',
    (title) => {
      const types = HOST_FUNCTIONS.get(title)?.types ?? [];
      expect(types.map(({ results }) => results)).toEqual([[i32], []]);
    },
  );

  it.each<readonly [string, FuncType]>([
    ['sload', type([i32, i32, i32], i32)],
    ['sstore', type([i32, i32, i32])],
    ['sstore_map3', type([i32, i32, i32, i32, i32, i32, i32, i32, i32, i32], i32)],
    ['sdelete_map2', type([i32, i32, i32, i32, i32, i32], i32)],
    ['wave_id', type([], i64)],
    ['cross_call', type([i32, i32, i32, i32, i32, i32, i64, i32, i32], i32)],
    ['cross_call_static', type([i32, i32, i32, i32, i32, i64, i32, i32], i32)],
    ['instantiate', type([i32, i32, i32, i32, i32, i64, i32, i32, i32], i32)],
    ['consume_gas', type([i64], i32)],
    ['return', type([i32, i32])],
  ])('link %s as the specification writes it', (title, written) => {
    expect(refusal('pyde', title, written)).toBeUndefined();
  });

  it('refuse the three-parameter form of calldata_copy, and say both signatures', () => {
    expect(refusal('pyde', 'calldata_copy', type([i32, i32, i32], i32))).toMatchObject({
      code: 'wasm.import-signature',
      details: {
        name: 'pyde.calldata_copy',
        found: '(i32, i32, i32) → (i32)',
        expected: '(i32, i32) → (i32)',
      },
    });
  });

  it('keep what is for parachains from contracts, whatever the signature', () => {
    for (const [title, { scope, types }] of HOST_FUNCTIONS) {
      if (scope !== 'parachains') continue;
      for (const tried of [...types, type([])]) {
        expect(refusal('pyde', title, tried)).toMatchObject({ code: 'wasm.parachain-only' });
      }
    }
  });

  it('let debug_log into the test runner alone', () => {
    const debugLog = type([i32, i32]);
    expect(refusal('pyde', 'debug_log', debugLog, { testRunner: true })).toBeUndefined();
    for (const contractType of ['contract', 'parachain'] as const) {
      expect(refusal('pyde', 'debug_log', debugLog, { contractType })).toMatchObject({
        code: 'wasm.test-only-import',
        details: { name: 'pyde.debug_log' },
      });
    }
  });

  it.each([
    ['env', 'abort'],
    ['wasi_snapshot_preview1', 'fd_write'],
    ['pyde', 'sload_by_field'],
    ['pyde', 'threshold_encrypt'],
    ['pyde', '__proto__'],
    ['pyde', 'constructor'],
    ['PYDE', 'caller'],
    ['pyde', ' caller'],
    ['', ''],
  ])('refuse %s.%s', (from, title) => {
    expect(refusal(from, title, type([i32], i32), EVERYWHERE)).toMatchObject({
      code: 'wasm.import',
      details: { name: `${from}.${title}` },
    });
  });

  it('name the byte at which the import starts', () => {
    const bytes = moduleOf({
      types: [funcType([i32], [i32])],
      imports: [importOf('pyde', 'caller', leb(0)), importOf('pyde', 'random', leb(0))],
    });
    const needle = Buffer.from([...name('pyde'), ...name('random')]);
    expect(() => validateModule(decodeModule(bytes), 'contract')).toThrow(
      expect.objectContaining({
        details: { name: 'pyde.random', offset: Buffer.from(bytes).indexOf(needle) },
      }),
    );
  });
});
