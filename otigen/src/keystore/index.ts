export {
  DEVNET_ACCOUNT_COUNT,
  DEVNET_PASSWORD,
  devnetEntries,
  importDevnetAccounts,
} from './devnet.ts';
export { type Entry, type EntryJson, entryJson, openEntry, sealEntry } from './entry.ts';
export {
  alreadyExists,
  changeKeystore,
  checkName,
  Keystore,
  readKeystore,
  writeWhole,
} from './file.ts';
export { withLock } from './lock.ts';
