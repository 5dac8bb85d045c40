export { type TrustOptions, trustOptions, trustRoots } from './trust-root.ts';
export { acceptedRoots, acceptGenesis, acceptRoot, type TrustRoot } from './trust-store.ts';
export { type VerifiedAccount, verifiedAccount } from './verified-account.ts';
