export { ATTRIBUTE, type Attribute, hasAttribute, isDispatched } from './attributes.ts';
export { checkAbi } from './check-abi.ts';
export {
  ABI_SECTION,
  ABI_VERSION,
  type AbiFunction,
  type ContractAbi,
  decodeAbi,
  encodeAbi,
  selectorOf,
} from './contract-abi.ts';
