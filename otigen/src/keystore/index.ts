export {
  DEVNET_ACCOUNT_COUNT,
  DEVNET_PASSWORD,
  devnetEntries,
  devnetKeys,
  importDevnetAccounts,
} from './devnet.ts';
export { type Entry, type EntryJson, entryJson, openEntry, readEntry, sealEntry } from './entry.ts';
export {
  alreadyExists,
  changeKeystore,
  checkName,
  Keystore,
  readKeystore,
  writeWhole,
} from './file.ts';
export { withLock } from './lock.ts';
