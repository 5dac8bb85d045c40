/// <reference path="../webassembly.d.ts" />
/** The catalogue of modules that must be refused (testing/malformed/), one test a module. */
import { describe, expect, it } from 'vitest';
import { isPydeError, type PydeError } from '../bytes/index.ts';
import { AllocationWatch } from '../bytes/testing/allocation-watch.ts';
import { checkAbi, decodeModule, validateModule } from './index.ts';
import { abiFirst, abiModule } from './testing/malformed/abi.ts';
import { CATALOGUE } from './testing/malformed/catalogue.ts';
import type { Malformed } from './testing/malformed/malformed.ts';

/** The stacks of validation are of one size whatever the module, and nothing else is large. */
const LARGEST_REQUEST = 64 * 1024;
const ALL_REQUESTS = 512 * 1024;

/**
 * Reasons that the chain has and an engine has not: what it does not run, how large things may be,
 * and what a contract must import and export.
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

/** V8 reads the offset of a load as if memory had 64 bits, in up to ten bytes. */
const READ_BY_ENGINES: ReadonlySet<string> = new Set(['an offset of six bytes']);

function judge(bytes: Uint8Array): void {
  checkAbi(validateModule(decodeModule(bytes), 'contract').module, 'contract');
}

function refusalOf({ make }: Malformed): PydeError | undefined {
  const bytes = make();
  const given = bytes.slice();
  const watch = new AllocationWatch(LARGEST_REQUEST);
  watch.start();
  try {
    judge(bytes);
    return undefined;
  } catch (error) {
    if (isPydeError(error)) return error;
    throw error;
  } finally {
    watch.stop();
    expect(watch.total).toBeLessThan(ALL_REQUESTS);
    expect(bytes).toEqual(given);
  }
}

describe.each(Object.entries(CATALOGUE))('%s that must be refused', (_, cases) => {
  it.each(cases)('$name', (one) => {
    const refusal = refusalOf(one);
    expect(refusal?.code, refusal?.message).toBe(one.code);
    expect(refusal?.details).toMatchObject(one.details);
    expect(refusal?.details['offset']).toBeTypeOf('number');
    expect(refusal?.details['offset']).toBeGreaterThanOrEqual(0);
    expect(refusal?.details['offset']).toBeLessThanOrEqual(one.make().length);
  });
});

describe('the catalogue', () => {
  it('names each module once', () => {
    const names = Object.values(CATALOGUE).flatMap((cases) => cases.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(500);
  });

  const { abi = [], ...modules } = CATALOGUE;

  it.each(Object.entries(modules))(
    'has %s that an engine refuses too, or the chain for a reason of its own',
    (_, cases) => {
      const accepted = cases.filter(
        ({ name, code, make }) =>
          !OWN_REASONS.has(code) && !READ_BY_ENGINES.has(name) && WebAssembly.validate(make()),
      );
      expect(accepted.map(({ name }) => name)).toEqual([]);
    },
  );

  it('has ABIs in modules that an engine accepts', () => {
    const refused = abi.filter(({ make }) => !WebAssembly.validate(make()));
    expect(refused.map(({ name }) => name)).toEqual([]);
  });

  it('differs from modules that are right', () => {
    for (const bytes of [abiModule(), abiFirst()]) expect(() => judge(bytes)).not.toThrow();
  });
});
