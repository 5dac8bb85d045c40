/// <reference path="../webassembly.d.ts" />
/** What stands at a bound is accepted, here and by the engine, and still is with metering. */
import { describe, expect, it } from 'vitest';
import { decodeModule, validateModule } from './index.ts';
import { rewriteModule } from './rewrite/index.ts';
import { ACCEPTED } from './testing/accepted.ts';

describe('odd modules, and those as large as they may be', () => {
  it.each(ACCEPTED)('$name: accepted', ({ make }) => {
    const bytes = make();
    const valid = validateModule(decodeModule(bytes), 'contract');
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(WebAssembly.validate(rewriteModule(valid).bytes)).toBe(true);
  });
});
