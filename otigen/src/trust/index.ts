export { type TrustOptions, trustOptions, trustRoots } from './trust-root.ts';
export { acceptGenesis, type TrustRoot } from './trust-store.ts';
export { type VerifiedAccount, verifiedAccount } from './verified-account.ts';
