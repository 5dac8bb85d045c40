export {
  ABI_SECTION,
  ABI_VERSION,
  type AbiFunction,
  ATTRIBUTE,
  type Attribute,
  type ContractAbi,
  checkAbi,
  decodeAbi,
  encodeAbi,
  hasAttribute,
  isDispatched,
  selectorOf,
} from './abi/index.ts';
export { decodeModule } from './decode/index.ts';
export type { WasmError, WasmErrorCode } from './error.ts';
export { LIMITS } from './limits.ts';
export {
  type ByteRange,
  type ConstantExpression,
  type CustomSection,
  type DataSegment,
  describeFuncType,
  type ElementSegment,
  type Export,
  type FuncType,
  type FunctionBody,
  type FunctionImport,
  type Global,
  type Limits,
  VALUE_TYPE,
  type ValueType,
  type WasmModule,
} from './module.ts';
export { type ContractType, type ValidModule, validateModule } from './validate/index.ts';
