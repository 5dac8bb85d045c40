/** Address derivation (spec/wire.md, Addresses): every address is one Poseidon2 wire digest. */
import { concatBytes } from '../bytes/index.ts';
import { requireLength } from './bounds.ts';
import { FALCON_PUBLIC_KEY_BYTES } from './falcon-sizes.ts';
import { poseidon2 } from './poseidon2.ts';

const ADDRESS_BYTES = 32;
const CONTRACT_PREFIX = 'pyde-contract:';
const CHILD_PREFIX = 'pyde-child:';

/**
 * Address of an externally owned account: Poseidon2(public key).
 * @throws PydeError `crypto.length`
 */
export function eoaAddress(publicKey: Uint8Array): Uint8Array {
  requireLength('FALCON public key', publicKey, FALCON_PUBLIC_KEY_BYTES);
  return poseidon2(publicKey);
}

/** Address of a named contract: Poseidon2("pyde-contract:" ‖ name). The caller checks the name. */
export function contractAddress(name: string): Uint8Array {
  return poseidon2(new TextEncoder().encode(CONTRACT_PREFIX + name));
}

/**
 * Address of a contract's child: Poseidon2("pyde-child:" ‖ parent ‖ template ‖ salt), 32 bytes each.
 * @throws PydeError `crypto.length`
 */
export function childAddress(
  parent: Uint8Array,
  template: Uint8Array,
  salt: Uint8Array,
): Uint8Array {
  requireLength('parent address', parent, ADDRESS_BYTES);
  requireLength('template address', template, ADDRESS_BYTES);
  requireLength('child salt', salt, ADDRESS_BYTES);
  return poseidon2(concatBytes(new TextEncoder().encode(CHILD_PREFIX), parent, template, salt));
}
