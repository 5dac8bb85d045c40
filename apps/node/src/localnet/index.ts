export { ChildNode, type Ended, lastWords } from './child-node.ts';
export {
  type LocalnetErrorCode,
  type LocalnetJson,
  MAX_RPC_BASE,
  type NodeJson,
} from './layout.ts';
export {
  LOCALNET_ACCOUNTS,
  LOCALNET_BALANCE,
  LOCALNET_CHAIN_ID,
  type LocalnetOptions,
  type MadeLocalnet,
  makeLocalnet,
} from './make-localnet.ts';
export { type LocalnetWatch, type RunningLocalnet, runLocalnet } from './run-localnet.ts';
