export { decodeModule } from './decode-module.ts';
export { ModuleReader } from './reader.ts';
