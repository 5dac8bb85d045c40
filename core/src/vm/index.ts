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
export { HOST_FUNCTIONS, HOST_MODULE, type HostScope } from './host-signatures.ts';
// To run a module: `new Machine({ host }).run(cache.prepare(hash, code, type), entry, request)`.
export {
  type CallRequest,
  Frame,
  HostFault,
  type HostFunction,
  type HostFunctions,
  type HostTrapCode,
  MAX_CALL_DEPTH,
  MAX_LIVE_PAGES,
  Machine,
  type MachineOptions,
  MemoryPool,
  type MemoryPoolOptions,
  type MemoryShape,
  ModuleCache,
  type ModuleCacheOptions,
  type Outcome,
  PAGE_BYTES,
  type PreparedModule,
  prepareModule,
  type Returned,
  type Reverted,
  type TrapCode,
  type TrapDetail,
  type Trapped,
} from './instance/index.ts';
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
export { INTERNAL, type RewrittenModule, rewriteModule } from './rewrite/index.ts';
export { type ContractType, type ValidModule, validateModule } from './validate/index.ts';
