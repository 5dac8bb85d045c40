/**
 * Constant expressions: core specification §3.3.10 and §5.4.9. One constant and `end`. `global.get`
 * could only name an imported global in the accepted language, and only functions can be imported,
 * so it is refused here like the operators of extended constant expressions.
 */
import { featureError, wasmError } from '../error.ts';
import { FEATURE, refusedOperator } from '../features.ts';
import type { ConstantExpression } from '../module.ts';
import { OP, OPERATORS } from '../operators.ts';
import type { ModuleReader } from './reader.ts';

export function readConstantExpression(reader: ModuleReader): ConstantExpression {
  const start = reader.at;
  const { kind, value } = readConstant(reader);
  const end = reader.at;
  const next = reader.u8();
  if (next !== OP.end) throw notConstant(next, end);
  return { kind, value, range: { start, end } };
}

function readConstant(reader: ModuleReader): Pick<ConstantExpression, 'kind' | 'value'> {
  const at = reader.at;
  const code = reader.u8();
  switch (code) {
    case OP.i32Const:
      return { kind: 'i32', value: BigInt.asUintN(32, BigInt(reader.s32())) };
    case OP.i64Const:
      return { kind: 'i64', value: reader.s64() };
    case OP.f32Const:
      return { kind: 'f32', value: reader.bits32() };
    case OP.f64Const:
      return { kind: 'f64', value: reader.bits64() };
    default:
      throw notConstant(code, at);
  }
}

/** `global.get`, second operands, and i32 and i64 add, sub and mul. */
const EXTENDED: ReadonlySet<number> = new Set([
  OP.globalGet,
  OP.i32Const,
  OP.i64Const,
  ...[0x6a, 0x6b, 0x6c],
  ...[0x7c, 0x7d, 0x7e],
]);

function notConstant(code: number, at: number): Error {
  const name = OPERATORS[code]?.name;
  if (name === undefined) return refusedOperator(code, at);
  const what = `a constant expression with ${name}`;
  if (EXTENDED.has(code)) return featureError(FEATURE.extendedConstants, at, what);
  return wasmError('wasm.constant', at, `${what}; it is one constant and an end`, {
    operator: name,
  });
}
