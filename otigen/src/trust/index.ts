export { type TrustOptions, trustOptions, trustRoot } from './trust-root.ts';
export { acceptGenesis, rememberHead, type TrustRoot } from './trust-store.ts';
export { type Verification, verifiedAccount } from './verified-account.ts';
