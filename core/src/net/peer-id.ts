/**
 * Names of peers as libp2p writes them: base58btc text of the hash of a public key. Core compares
 * them and never looks inside; that a connection belongs to one is proven by noise.
 */
import { netError } from './error.ts';

/** Ed25519 names have 52 characters, those of RSA keys 46. */
export const MIN_PEER_ID_BYTES = 20;
export const MAX_PEER_ID_BYTES = 64;

const BASE58 = /^[1-9A-HJ-NP-Za-km-z]+$/;

export function isPeerId(text: string): boolean {
  return text.length >= MIN_PEER_ID_BYTES && text.length <= MAX_PEER_ID_BYTES && BASE58.test(text);
}

/** The text itself. @throws PydeError `net.peer-id` */
export function checkPeerId(text: string): string {
  if (isPeerId(text)) return text;
  throw netError(
    'net.peer-id',
    `a peer id is ${MIN_PEER_ID_BYTES} to ${MAX_PEER_ID_BYTES} characters of base58`,
    { length: text.length },
  );
}
