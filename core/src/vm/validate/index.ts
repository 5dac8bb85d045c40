export type { ContractType } from '../host-signatures.ts';
export { type ValidModule, validateModule } from './validate-module.ts';
