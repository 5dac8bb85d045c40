/** docs/protocol/fuzzing.md says what is asked of every case, and how to run more of them. */
import { describe, expect, it } from 'vitest';
import { decodeExactly, encode, fromHex, isPydeError, toHex } from './bytes/index.ts';
import { budgetOf } from './bytes/testing/fuzz.ts';
import { testGenesis } from './execution/testing.ts';
import { silentLogger } from './platform/index.ts';
import { checkJsonBounds } from './rpc/json-bounds.ts';
import { handleText } from './rpc/json-rpc.ts';
import { decodeSnapshot } from './state/index.ts';
import { coreTargets } from './testing.ts';
import { decodeTx, encodeTx } from './tx/index.ts';
import { addressOf, publicKeyOf, txOf } from './tx/testing.ts';
import {
  type AuthKeys,
  decodeBatch,
  decodeGenesis,
  encodeBatch,
  encodeGenesis,
  MAX_BATCH_BYTES,
  readReceipt,
  TX_TYPE,
  toFalconPublicKey,
  toQuanta,
} from './types/index.ts';
import { decodeAbi, decodeModule, validateModule } from './vm/index.ts';
import {
  exportOf,
  flat,
  funcType,
  i32,
  moduleOf,
  OP,
  type Part,
  T,
} from './vm/testing/module-builder.ts';

describe('every decoder keeps its rules on hostile input', () => {
  it.each(coreTargets)(
    '$name',
    async (target) => {
      const { cases } = await target.run(budgetOf(target, process.env));
      expect(cases).toBeGreaterThan(0);
    },
    0,
  );

  it('has names that say which is which', () => {
    expect(new Set(coreTargets.map(({ name }) => name)).size).toBe(coreTargets.length);
  });
});

const MIB = 1 << 20;
const utf8 = new TextEncoder();
const repeated = (size: number, head: string, part: string, tail: string): Uint8Array =>
  utf8.encode(
    head + part.repeat(Math.floor((size - head.length - tail.length) / part.length)) + tail,
  );
const genesisOf = (size: number, each: number, authKeys: AuthKeys): Uint8Array =>
  encodeGenesis(
    testGenesis({
      allocations: Array.from({ length: Math.floor(size / each) }, (_, i) => ({
        address: addressOf(i % 2),
        balance: toQuanta(BigInt(i)),
        authKeys,
      })),
    }),
  );
const snapshotOf = (chunks: readonly Uint8Array[]): Uint8Array =>
  encode((w) =>
    w
      .fixed(utf8.encode('pyde/snapshot/1'))
      .fixed(new Uint8Array(80))
      .vec(chunks, (v, chunk) => v.bytes(chunk)),
  );
/** A module of bodies of 60 KiB at most, each the operators in turn. */
const contractOf = (size: number, operators: Part): Uint8Array => {
  const part = flat(operators);
  const length = Math.min(60_000, size);
  const code = flat(Array.from({ length: Math.floor(length / part.length) }, () => part));
  return moduleOf({
    types: [funcType()],
    functions: Array.from({ length: Math.floor(size / length) }, () => ({
      locals: [[2, T.i64]] as const,
      code: flat(i32(0), code, OP.drop),
    })),
  });
};
const validated = (bytes: Uint8Array): unknown => validateModule(decodeModule(bytes), 'contract');
const answer = async (bytes: Uint8Array): Promise<void> => {
  await handleText(
    new TextDecoder().decode(bytes),
    async (_, params) => params.length,
    silentLogger,
  );
};
const sixteenKeys: AuthKeys = {
  kind: 'multisig',
  keys: Array.from({ length: 16 }, (_, i) => toFalconPublicKey(publicKeyOf(0).with(896, i))),
  threshold: 1,
};

/** Input of about so many bytes, as large as a decoder lets in. */
const LARGE: readonly {
  readonly name: string;
  readonly bytes: number;
  readonly make: (size: number) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
}[] = [
  {
    name: 'a batch of the smallest transactions',
    bytes: MAX_BATCH_BYTES,
    make: (size) =>
      encodeBatch({ transactions: Array.from({ length: size / 128 }, () => new Uint8Array(119)) }),
    decode: decodeBatch,
  },
  {
    name: 'a batch of nothing',
    bytes: 35_000 * 4,
    make: (size) =>
      encodeBatch({ transactions: Array.from({ length: size / 4 }, () => new Uint8Array(0)) }),
    decode: decodeBatch,
  },
  {
    name: 'a transaction with a module',
    bytes: 1.1 * MIB,
    make: (size) => encodeTx(txOf({ type: TX_TYPE.deploy, data: new Uint8Array(size) })),
    decode: decodeTx,
  },
  {
    name: 'a genesis of many accounts',
    bytes: 5 * MIB,
    make: (size) => genesisOf(size, 49, { kind: 'none' }),
    decode: decodeGenesis,
  },
  {
    name: 'a genesis of many keys',
    bytes: 5 * MIB,
    make: (size) => genesisOf(size, 16 * 901 + 57, sixteenKeys),
    decode: decodeGenesis,
  },
  {
    name: 'a receipt with a long answer',
    bytes: MIB,
    make: (size) =>
      encode((w) => w.fixed(new Uint8Array(69)).bytes(new Uint8Array(size)).u32(0).u8(0)),
    decode: (bytes) => decodeExactly(bytes, readReceipt),
  },
  {
    name: 'a snapshot of small chunks',
    bytes: 5 * MIB,
    make: (size) => snapshotOf(Array.from({ length: size / 80 }, () => new Uint8Array(76))),
    decode: decodeSnapshot,
  },
  ...(
    [
      ['constants', [i32(1), OP.i32_add]],
      ['blocks', [OP.block, T.empty, OP.end]],
      ['branches', [OP.block, T.empty, OP.br, 0, OP.i64_eqz, OP.drop, OP.end]],
      ['calls', [OP.call, 0]],
    ] as const
  ).map(([name, operators]) => ({
    name: `a contract of ${name}`,
    bytes: MIB,
    make: (size: number) => contractOf(size, operators),
    decode: validated,
  })),
  {
    name: 'a contract of many functions',
    bytes: 80_000,
    make: (size) =>
      moduleOf({ types: [funcType()], functions: Array.from({ length: size / 8 }, () => ({})) }),
    decode: validated,
  },
  {
    name: 'a contract of many exports',
    bytes: 80_000,
    make: (size) =>
      moduleOf({
        types: [funcType()],
        functions: [{}],
        exports: Array.from({ length: size / 8 }, (_, i) => exportOf(`${i}`, 'function')),
      }),
    decode: validated,
  },
  {
    name: 'an ABI of many names',
    bytes: 400_000,
    make: (size) =>
      encode((w) =>
        w
          .u32(0x1_0000)
          .u8(0)
          .vec(
            Array.from({ length: size / 800 }, () => 'name'),
            (v, name) =>
              v
                .string(name)
                .u32(0)
                .u32(128)
                .vec(Array(96).fill(name), (list, slot) => list.string(slot)),
          )
          .fixed(new Uint8Array(35)),
      ),
    decode: decodeAbi,
  },
  {
    name: 'hex',
    bytes: 5 * MIB,
    make: (size) => utf8.encode(toHex(new Uint8Array(size / 2))),
    decode: (bytes) => fromHex(new TextDecoder().decode(bytes), { maxBytes: 5 * MIB }),
  },
  ...(
    [
      ['one long string', '["', 'x', '"]'],
      ['escapes', '["', '\\u0041', '"]'],
      ['many small arrays', '[', '[],', '0]'],
      ['many names', '{"a":0', ',"a":0', '}'],
      ['openings', '', '[', ''],
      ['blanks', '', ' ', '1'],
    ] as const
  ).flatMap(([name, head, part, tail]) => [
    {
      name: `JSON bounds of ${name}`,
      bytes: 5 * MIB,
      make: (size: number) => repeated(size, head, part, tail),
      decode: (bytes: Uint8Array) => checkJsonBounds(new TextDecoder().decode(bytes)),
    },
    {
      name: `JSON-RPC with ${name} as parameters`,
      bytes: 5 * MIB,
      make: (size: number) =>
        repeated(size, `{"jsonrpc":"2.0","id":1,"method":"x","params":${head}`, part, `${tail}}`),
      decode: answer,
    },
  ]),
];

describe('work grows no faster than the input', () => {
  it.each(LARGE)('$name', async ({ bytes, make, decode }) => {
    const timed = async (input: Uint8Array): Promise<number> => {
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 2; i++) {
        const started = performance.now();
        try {
          await decode(input);
        } catch (error) {
          if (!isPydeError(error)) throw error;
        }
        best = Math.min(best, performance.now() - started);
      }
      return best;
    };
    const small = await timed(make(bytes / 8));
    const large = await timed(make(bytes));
    // In proportion would be 8 times, with the square 64 times; a busy machine stands between.
    expect(large).toBeLessThan(24 * small + 150);
  });
});
