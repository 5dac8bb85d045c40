/**
 * Function bodies: core specification §5.5.13. Finds locals and operators; the operators themselves
 * are read by the validator.
 */
import { limitError, wasmError } from '../error.ts';
import { numberType } from '../features.ts';
import { LIMITS } from '../limits.ts';
import type { FuncType, FunctionBody, LocalGroup } from '../module.ts';
import { ModuleReader } from './reader.ts';

/** `typeIndices` are what the function section lists, `types` what the type section does. */
export function readBodies(
  reader: ModuleReader,
  typeIndices: readonly number[],
  types: readonly FuncType[],
): FunctionBody[] {
  const at = reader.at;
  const count = reader.count('functions', 3);
  if (count !== typeIndices.length) {
    throw wasmError(
      'wasm.count',
      at,
      `${typeIndices.length} functions are declared and ${count} have a body`,
      { declared: typeIndices.length, bodies: count },
    );
  }
  return typeIndices.map((typeIndex, i) => {
    const params = types[typeIndex]?.params.length;
    if (params === undefined) {
      throw wasmError('wasm.index', reader.at, `function ${i} has the unknown type ${typeIndex}`, {
        typeIndex,
        types: types.length,
      });
    }
    return readBody(reader, typeIndex, params);
  });
}

function readBody(section: ModuleReader, typeIndex: number, params: number): FunctionBody {
  const size = section.count('bodyBytes', 1);
  const start = section.at;
  section.skip(size);
  const end = section.at;
  const reader = new ModuleReader(section.bytes, start, end, 'function body');
  const locals = readLocals(reader, params);
  return {
    typeIndex,
    locals,
    code: { start: reader.at, end },
    declaration: { start, end },
  };
}

const NO_LOCALS: readonly LocalGroup[] = [];

/** Runs of locals of one type. Their sum is bounded; a run may be empty. */
function readLocals(reader: ModuleReader, params: number): readonly LocalGroup[] {
  const groups = reader.count('bodyBytes', 2);
  if (groups === 0) return NO_LOCALS;
  const locals: LocalGroup[] = [];
  let total = params;
  for (let i = 0; i < groups; i++) {
    const at = reader.at;
    const count = reader.u32();
    total += count;
    if (total > LIMITS.locals) throw limitError('locals', total, LIMITS.locals, at);
    const typeAt = reader.at;
    locals.push({ count, type: numberType(reader.u8(), typeAt, `local group ${i}`) });
  }
  return locals;
}
