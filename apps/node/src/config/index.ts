export {
  DEFAULT_RPC_LISTEN,
  type Endpoint,
  isAddress,
  type NodeConfig,
  parseEndpoint,
  readNodeConfig,
} from './node-config.ts';
export { type ConfigErrorCode, readTomlFile, type TomlFile } from './toml-file.ts';
