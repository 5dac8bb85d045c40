/**
 * Writes `platform-node/src/devnet/devnet-keys.json`: the key pairs of the ten devnet accounts and
 * of the devnet's validator, so that a start generates no FALCON keys (150 ms each). They are
 * public by design; `devnet-keys.test.ts` derives them again.
 *
 *     node scripts/devnet-keys.ts
 */
import { writeFileSync } from 'node:fs';
import {
  deriveDevnetAccount,
  deriveDevnetValidator,
} from '../platform-node/src/devnet/devnet-keys.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const row = (pair: { publicKey: Uint8Array; secretKey: Uint8Array }) => ({
  publicKey: hex(pair.publicKey),
  secretKey: hex(pair.secretKey),
});
const keys = {
  accounts: Array.from({ length: 10 }, (_, i) => row(deriveDevnetAccount(i))),
  validator: row(deriveDevnetValidator(0n)),
};
const target = new URL('../platform-node/src/devnet/devnet-keys.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(keys, null, 2)}\n`);
