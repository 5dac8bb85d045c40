/** Modules and their ABI, from who deploys a contract. */
/// <reference path="../../webassembly.d.ts" />
import { isPydeError, type PydeError } from '../../bytes/index.ts';
import { bytesTarget, FuzzFailure, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import { recordLayout } from '../../bytes/testing/layout.ts';
import { mutateField } from '../../bytes/testing/mutation.ts';
import type { SeededRandom } from '../../bytes/testing/random.ts';
import {
  ABI_VERSION,
  ATTRIBUTE,
  type ContractAbi,
  checkAbi,
  decodeAbi,
  decodeModule,
  encodeAbi,
  selectorOf,
  type ValidModule,
  validateModule,
} from '../index.ts';
import { rewriteModule } from '../rewrite/index.ts';
import { ACCEPTED } from './accepted.ts';
import { abiModule, moduleWithAbi } from './malformed/abi.ts';
import { CATALOGUE } from './malformed/catalogue.ts';
import { mutateModule } from './module-mutation.ts';
import { programOf } from './random-program.ts';
import { numbersOf } from './random-program-choices.ts';
import { wat } from './wat.ts';

/**
 * Reasons that the chain has and an engine has not: what it does not run, how large things may be,
 * what a contract must import and may export.
 */
const OWN_REASONS: ReadonlySet<string> = new Set([
  'wasm.feature',
  'wasm.limit',
  'wasm.import',
  'wasm.import-signature',
  'wasm.parachain-only',
  'wasm.test-only-import',
  'wasm.export',
]);

const TEXTS: readonly string[] = [
  '(module)',
  `(module
    (import "pyde" "sload" (func $sload (param i32 i32 i32) (result i32)))
    (import "pyde" "wave_id" (func $wave (result i64)))
    (memory (export "memory") 1 2)
    (table 2 funcref)
    (global $g (mut i64) (i64.const -1))
    (global f32 (f32.const 1.5))
    (func (export "run") (drop (call $sload (i32.const 0) (i32.const 32) (i32.const 64)))
      (global.set $g (i64.add (global.get $g) (call $wave))))
    (func $start (call_indirect (i32.const 1)))
    (start $start)
    (elem (i32.const 0) $start $start)
    (data (i32.const 8) "data"))`,
  `(module
    (type $two (func (param i32 i64) (result i64 i32)))
    (memory 1)
    (func $swap (type $two) local.get 1 local.get 0)
    (func (export "f") (param i32) (result i32) (local f64 i64)
      (block $out (result i32)
        (loop $again (param) (result i32)
          (br_if $again (i32.eqz (local.get 0)))
          (if (result i32) (local.get 0)
            (then (br $out (i32.const 1)))
            (else (i32.const 2) (i64.const 3) (call $swap) (drop) (drop) (i32.const 4)))))
      (br_table 0 0 0 (i32.const 5))))`,
  `(module
    (memory 1)
    (func (export "g") (local i32)
      (memory.copy (i32.const 0) (i32.const 1) (i32.const 2))
      (memory.fill (i32.const 0) (i32.const 1) (memory.size))
      (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 3))
      (data.drop 0)
      (drop (memory.grow (i32.const 1)))
      (i32.store8 offset=70000 (local.tee 0 (i32.const 4)) (i32.extend8_s (local.get 0)))
      (drop (i32.trunc_sat_f64_u (f64.promote_f32 (f32.demote_f64 (f64.const nan)))))
      (drop (select (f32.load (i32.const 0)) (f32.const 0) (i32.const 1)))
      return
      (drop (i32.add (unreachable) (i32.const 1))))
    (data "abc"))`,
];

const programs = Array.from({ length: 6 }, (_, seed) => programOf(numbersOf(seed, 120)).bytes);

/** Small ones of those at a bound. */
const odd = ACCEPTED.map(({ make }) => make()).filter(({ length }) => length < 512);

const { abi: abiCatalogue = [], ...others } = CATALOGUE;
const catalogue = Object.values(others).flat();

/** One step from a named malformed module. */
function nearCatalogue(random: SeededRandom): Uint8Array {
  const module = random.pick(catalogue).make();
  return module.length > 4_096 ? module : mutateModule(random, module);
}

/** Case i is the catalogue's module i, so that every refusal in it is met whatever the seed. */
const namedModules: FuzzTarget = {
  name: 'named malformed module',
  share: 0.25,
  async run({ runs, done }) {
    const refusals = new Map<string, number>();
    const cases = Math.min(runs, catalogue.length);
    let i = 0;
    for (; i < cases && done?.() !== true; i++) {
      const one = catalogue[i];
      const code = one === undefined ? undefined : refusalOf(one.make());
      if (one?.code !== code) throw new FuzzFailure(`${one?.name} is ${code ?? 'accepted'}`);
      refusals.set(code ?? '', (refusals.get(code ?? '') ?? 0) + 1);
    }
    return { cases: i, accepted: 0, refusals };
  },
};

function refusalOf(bytes: Uint8Array): string | undefined {
  try {
    decodeAndValidate(bytes);
    return undefined;
  } catch (error) {
    if (isPydeError(error)) return error.code;
    throw error;
  }
}

/** The validator keeps stacks of fixed size, one set a module. */
const validates = (length: number) => ({
  largest: Math.max(64 * 1024, 2 * length),
  total: 512 * 1024 + 16 * length,
});

/** What it accepts an engine accepts; what an engine accepts it refuses for its own reasons only. */
function decodeAndValidate(bytes: Uint8Array): ValidModule {
  try {
    return validateModule(decodeModule(bytes), 'contract');
  } catch (error) {
    if (!isPydeError(error) || isOwnReason(error, bytes) || !WebAssembly.validate(bytes)) {
      throw error;
    }
    throw new Error(`an engine accepts what is refused: ${error.message}`);
  }
}

/** As it was deployed, and with metering. */
const isRunnable = (valid: ValidModule): boolean =>
  WebAssembly.validate(valid.module.bytes) && WebAssembly.validate(rewriteModule(valid).bytes);

function isOwnReason({ code, details }: PydeError, bytes: Uint8Array): boolean {
  if (code !== 'wasm.leb') return OWN_REASONS.has(code);
  // V8 reads the offset of a load as if memory had 64 bits, in up to ten bytes.
  const from = Number(details['offset']);
  return bytes.subarray(from, from + 5).every((byte) => byte >= 0x80);
}

const abi = (functions: readonly (readonly [name: string, attributes: number])[]): ContractAbi => ({
  version: ABI_VERSION,
  contractType: 'contract',
  functions: functions.map(([name, attributes]) => ({
    name,
    selector: selectorOf(name),
    attributes,
    accessList: ['balances', 'owner'],
  })),
  stateSchemaHash: new Uint8Array(32).fill(7),
  constructorIndex: undefined,
  fallbackIndex: undefined,
  receiveIndex: undefined,
});
const { constructor: onDeploy, fallback, receive, payable, entry, view } = ATTRIBUTE;
const ABIS: readonly Uint8Array[] = [
  abi([]),
  abi([['run', view | entry]]),
  {
    ...abi([
      ['run', onDeploy | payable],
      ['other', entry],
    ]),
    constructorIndex: 0,
  },
  {
    ...abi([
      ['other', fallback],
      ['run', receive | payable],
    ]),
    fallbackIndex: 0,
    receiveIndex: 1,
  },
].map(encodeAbi);

export const vmTargets: readonly FuzzTarget[] = [
  namedModules,
  bytesTarget({
    name: 'WebAssembly module',
    seeds: [...TEXTS.map((text) => wat(text)), ...odd, ...programs],
    decode: decodeAndValidate,
    encode: (valid) => (isRunnable(valid) ? valid.module.bytes : new Uint8Array(0)),
    craft: (random, seed) => (random.oneIn(8) ? nearCatalogue(random) : mutateModule(random, seed)),
    bound: validates,
  }),
  bytesTarget({
    name: 'contract ABI',
    seeds: [...ABIS, encodeAbi({ ...abi([]), contractType: 'parachain' })],
    decode: decodeAbi,
    encode: encodeAbi,
  }),
  bytesTarget({
    name: 'contract module with its ABI',
    seeds: [abiModule(), ...ABIS.map((bytes) => moduleWithAbi(bytes))],
    decode: (bytes) => checkAbi(validateModule(decodeModule(bytes), 'contract').module, 'contract'),
    craft: (random) => {
      if (random.oneIn(4)) return random.pick(abiCatalogue).make();
      const bytes = random.pick(ABIS);
      return moduleWithAbi(mutateField(random, bytes, recordLayout(bytes, decodeAbi)));
    },
    bound: validates,
    share: 0.5,
  }),
];
