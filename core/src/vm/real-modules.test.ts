/** What compilers write: a contract in AssemblyScript at every level, and the kernels of crypto. */
import asc from 'assemblyscript/asc';
import { describe, expect, it } from 'vitest';
import { wasmBase64 as blake3 } from '../crypto/kernels/blake3.generated.ts';
import { wasmBase64 as falconSign } from '../crypto/kernels/falcon-sign.generated.ts';
import { wasmBase64 as falconVerify } from '../crypto/kernels/falcon-verify.generated.ts';
import { wasmBase64 as poseidon2 } from '../crypto/kernels/poseidon2.generated.ts';
import { decodeModule, validateModule } from './index.ts';

const CONTRACT = `
@external("pyde", "calldata_size") declare function calldataSize(): i32;
@external("pyde", "calldata_copy") declare function calldataCopy(out: usize, len: usize): i32;
@external("pyde", "hash_blake3") declare function blake3(ptr: usize, len: i32, out: usize): void;
@external("pyde", "sload") declare function sload(slot: usize, out: usize, max: i32): i32;
@external("pyde", "sstore") declare function sstore(slot: usize, ptr: usize, len: i32): void;
@external("pyde", "return") declare function finish(ptr: usize, len: i32): void;
@external("pyde", "revert") declare function revert(ptr: usize, len: i32): void;

function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  revert(0, 0);
}

abstract class Rule { abstract weigh(amount: u64): u64; }
class Flat extends Rule { weigh(amount: u64): u64 { return amount - min<u64>(amount, 7); } }
class Share extends Rule { weigh(amount: u64): u64 { return <u64>(<f64>amount * 0.25); } }

const sums = new Map<string, u64>();
const slot = new Uint8Array(32);

export function tally(): void {
  const data = new Uint8Array(calldataSize());
  const length = new StaticArray<i32>(1);
  length[0] = data.length;
  calldataCopy(data.dataStart, changetype<usize>(length));
  const rules: Rule[] = [new Flat(), new Share()];
  for (let i = 0; i + 8 <= data.length; i += 8) {
    const amount = load<u64>(data.dataStart + i);
    const key = (amount % 11).toString() + ':' + (<f64>amount / 3).toString();
    const before = sums.has(key) ? sums.get(key) : 0;
    sums.set(key, before + rules[<i32>(amount & 1)].weigh(amount));
  }
  const keys = sums.keys().sort();
  for (let i = 0; i < keys.length; i++) {
    const text = String.UTF8.encode(keys[i]);
    blake3(changetype<usize>(text), text.byteLength, slot.dataStart);
    const value = new StaticArray<u64>(1);
    sload(slot.dataStart, changetype<usize>(value), 8);
    value[0] = rotl(value[0] ^ sums.get(keys[i]), 13);
    sstore(slot.dataStart, changetype<usize>(value), 8);
  }
  finish(slot.dataStart, 32);
}
`;

async function compile(...options: readonly string[]): Promise<Uint8Array> {
  const out: Record<string, Uint8Array | string> = {};
  const { error, stderr } = await asc.main(
    ['contract.ts', '--outFile', 'contract.wasm', '--use', 'abort=contract/abort', ...options],
    {
      readFile: (name) => (name === 'contract.ts' ? CONTRACT : null),
      writeFile: (name, contents) => {
        out[name] = contents;
      },
      listFiles: () => [],
    },
  );
  const bytes = out['contract.wasm'];
  if (error !== null || !(bytes instanceof Uint8Array)) throw new Error(stderr.toString());
  return bytes;
}

describe('modules as compilers write them', () => {
  it.each([
    ['-O0', []],
    ['-O0', ['--debug']],
    ['-O1', []],
    ['-O3', ['--converge', '--noAssert']],
    ['-Oz', ['--runtime', 'stub']],
    ['-O2', ['--exportTable', '--exportRuntime']],
    ['-O2', ['--exportStart', 'start']],
    // Switched on and not used.
    ['-O2', ['--enable', 'simd,threads,reference-types,bulk-memory']],
  ])(
    'are accepted from AssemblyScript with %s %j',
    async (level, more) => {
      const bytes = await compile(level, ...more);
      const { module } = validateModule(decodeModule(bytes), 'contract');
      expect(module.functions.length).toBeGreaterThan(20);
      expect(module.exports.map(({ name }) => name)).toContain('tally');
    },
    120_000,
  );

  it('are refused when they import a memory', async () => {
    const bytes = await compile('-O2', '--importMemory');
    expect(() => decodeModule(bytes)).toThrow(expect.objectContaining({ code: 'wasm.import' }));
  }, 120_000);

  it.each([
    ['blake3', blake3],
    ['falcon-sign', falconSign],
    ['falcon-verify', falconVerify],
    ['poseidon2', poseidon2],
  ])('are refused for SIMD: the kernel %s', (_, base64) => {
    const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
    expect(() => validateModule(decodeModule(bytes), 'contract')).toThrow(
      expect.objectContaining({
        code: 'wasm.feature',
        details: expect.objectContaining({ feature: 'SIMD' }),
      }),
    );
  });
});
