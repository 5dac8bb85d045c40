/** Globals: core specification §5.5.9. */
import { featureError, wasmError } from '../error.ts';
import { FEATURE, numberType } from '../features.ts';
import type { Global } from '../module.ts';
import { readConstantExpression } from './constant-expression.ts';
import type { ModuleReader } from './reader.ts';

const MUTABLE = 0x01;
const SHARED = 0x02;

export function readGlobals(reader: ModuleReader): Global[] {
  const globals: Global[] = [];
  const count = reader.count('globals', 5);
  for (let i = 0; i < count; i++) {
    const at = reader.at;
    const type = numberType(reader.u8(), at, `global ${i}`);
    const mutability = reader.u8();
    if (mutability > (MUTABLE | SHARED)) {
      throw wasmError('wasm.form', at + 1, `global ${i} has the mutability ${mutability}`, {
        mutability,
      });
    }
    if ((mutability & SHARED) !== 0) throw featureError(FEATURE.threads, at, `a shared global`);
    globals.push({ type, isMutable: mutability === MUTABLE, init: readConstantExpression(reader) });
  }
  return globals;
}
