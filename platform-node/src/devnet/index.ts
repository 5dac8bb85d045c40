export {
  type DevnetAccount,
  type DevnetHandle,
  type DevnetOptions,
  startDevnet,
} from './devnet.ts';
export { type DevnetKey, devnetAccounts, MAX_DEVNET_ACCOUNTS } from './devnet-keys.ts';
