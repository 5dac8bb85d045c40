/** Imports: core specification §5.5.5. Only functions can be imported. */
import { featureError, wasmError } from '../error.ts';
import { FEATURE } from '../features.ts';
import type { FunctionImport } from '../module.ts';
import type { ModuleReader } from './reader.ts';

const FUNCTION = 0x00;
const TAG = 0x04;
const OTHERS = ['function', 'table', 'memory', 'global'];

export function readImports(reader: ModuleReader): FunctionImport[] {
  const imports: FunctionImport[] = [];
  const count = reader.count('imports', 4);
  for (let i = 0; i < count; i++) {
    const offset = reader.at;
    const module = reader.name();
    const name = reader.name();
    const at = reader.at;
    const kind = reader.u8();
    if (kind === TAG)
      throw featureError(FEATURE.exceptions, at, `import ${module}.${name}, a tag,`);
    if (kind > TAG)
      throw wasmError('wasm.form', at, `an import has the unknown kind ${kind}`, { kind });
    if (kind !== FUNCTION) {
      throw wasmError(
        'wasm.import',
        offset,
        `${module}.${name} is a ${OTHERS[kind]}; only functions can be imported`,
        { name: `${module}.${name}` },
      );
    }
    imports.push({ module, name, typeIndex: reader.u32(), offset });
  }
  return imports;
}
