/** Exports: core specification §5.5.10. Their names differ. */
import { featureError, wasmError } from '../error.ts';
import { FEATURE } from '../features.ts';
import type { Export, ExportKind } from '../module.ts';
import type { ModuleReader } from './reader.ts';

const KINDS: readonly ExportKind[] = ['function', 'table', 'memory', 'global'];
const TAG = 0x04;

export function readExports(reader: ModuleReader): Export[] {
  const exports: Export[] = [];
  const names = new Set<string>();
  const count = reader.count('exports', 3);
  for (let i = 0; i < count; i++) {
    const offset = reader.at;
    const name = reader.name();
    if (names.has(name)) {
      throw wasmError('wasm.export', offset, `two exports are named ${name}`, { name });
    }
    names.add(name);
    const at = reader.at;
    const code = reader.u8();
    if (code === TAG) throw featureError(FEATURE.exceptions, at, `export ${name}, a tag,`);
    const kind = KINDS[code];
    if (kind === undefined) {
      throw wasmError('wasm.form', at, `export ${name} has the unknown kind ${code}`, { name });
    }
    exports.push({ name, kind, index: reader.u32(), offset });
  }
  return exports;
}
