/// <reference path="../webassembly.d.ts" />
/**
 * The official WebAssembly test suite, where there is a copy of it: `PYDE_WASM_SUITE` names a folder
 * of its `.wast` files. What it calls valid is accepted, or refused for a reason of the chain; what
 * it calls malformed or invalid is refused, unless a later version of WebAssembly made it valid.
 * Imports of the suite's own are made into definitions of the module.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isPydeError } from '../bytes/index.ts';
import { decodeModule, validateModule } from './index.ts';
import { modulesOf } from './testing/wast.ts';
import { withoutImports } from './testing/without-imports.ts';

const folder = process.env['PYDE_WASM_SUITE'] ?? '';
const files = folder === '' ? [] : readdirSync(folder).filter((file) => file.endsWith('.wast'));

/** Reasons for which the chain refuses what WebAssembly allows. */
const OWN_REASONS: ReadonlySet<string> = new Set([
  'wasm.feature',
  'wasm.limit',
  'wasm.import',
  'wasm.export',
]);

/** The code of the refusal, or `accepted`. */
function verdict(bytes: Uint8Array): string {
  try {
    validateModule(decodeModule(withoutImports(bytes)), 'contract');
    return 'accepted';
  } catch (error) {
    if (isPydeError(error)) return error.code;
    throw error;
  }
}

it.skipIf(folder === '')('finds the official suite where PYDE_WASM_SUITE says', () => {
  expect(files.length).toBeGreaterThan(0);
});

describe.skipIf(folder === '')('official test suite', () => {
  it.each(files)('%s', (file) => {
    const defects: string[] = [];
    for (const module of modulesOf(readFileSync(join(folder, file), 'latin1'))) {
      const { line, expectation, reason, bytes } = module;
      if (bytes === undefined) continue;
      const code = verdict(bytes);
      const agrees =
        expectation === 'valid'
          ? code === 'accepted' || OWN_REASONS.has(code) || !WebAssembly.validate(bytes)
          : code !== 'accepted' || WebAssembly.validate(bytes);
      if (!agrees) defects.push(`line ${line}: ${expectation} ${reason}, we say ${code}`);
    }
    expect(defects).toEqual([]);
  });
});
