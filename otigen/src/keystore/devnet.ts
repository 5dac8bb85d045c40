/**
 * The ten prefunded devnet accounts as keystore entries under the password "devnet". Their keys are
 * public (spec/wire.md, Addresses), so the sealed entries are constants, with salt and nonce derived
 * from the account's number: a devnet fills the keystore without ten key generations and ten runs
 * of Argon2id. `devnet.test.ts` derives every byte again.
 */
import { u64LittleEndian } from '@pyde/core/bytes';
import { blake3, type FalconKeyPair } from '@pyde/core/crypto';
import * as v from 'valibot';
import constants from './devnet-accounts.json' with { type: 'json' };
import { EntryJson, sealEntry } from './entry.ts';
import { changeKeystore } from './file.ts';

export const DEVNET_PASSWORD = 'devnet';
export const DEVNET_ACCOUNT_COUNT = 10;

/** Entries devnet-0 … devnet-9, in order, sealed under {@link DEVNET_PASSWORD}. */
export function devnetEntries(): readonly EntryJson[] {
  return v.parse(v.array(EntryJson), constants);
}

/** The entry of devnet account `i` as {@link devnetEntries} holds it, derived from the start. */
export function deriveDevnetEntry(i: number, keys: FalconKeyPair): Promise<EntryJson> {
  return sealEntry(keys, DEVNET_PASSWORD, {
    salt: numbered('pyde-devnet-keystore/salt/', i).slice(0, 16),
    nonce: numbered('pyde-devnet-keystore/nonce/', i).slice(0, 12),
  });
}

/** Adds devnet-0 … devnet-9 where those names are free; returns the names it added. */
export async function importDevnetAccounts(path: string): Promise<string[]> {
  const added: string[] = [];
  await changeKeystore(path, (accounts) => {
    devnetEntries().forEach((entry, i) => {
      const name = `devnet-${i}`;
      if (accounts.has(name)) return;
      accounts.add(name, entry);
      added.push(name);
    });
  });
  return added;
}

function numbered(domain: string, i: number): Uint8Array {
  return blake3(new TextEncoder().encode(domain), u64LittleEndian(BigInt(i)));
}
