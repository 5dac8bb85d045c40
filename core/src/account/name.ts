/**
 * The name registry (docs/protocol/encoding.md, "Name"): a label of [a-z0-9-] names one address,
 * first come. Contracts take a name when they are deployed, genesis may give some.
 */
import { decodeExactly, encode, PydeError } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { type Overlay, STATE_KIND, type StateKey, type StateReader } from '../state/index.ts';
import { ADDRESS_BYTES, type Address, MAX_NAME_BYTES, toAddress } from '../types/index.ts';

export type NameErrorCode = 'name.label' | 'name.taken';

const NAMES_OWNER = blake3(new TextEncoder().encode('pyde/system/names'));
const LABEL = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** 1 to 32 of [a-z0-9-], no leading, trailing or double dash (spec/wire.md, "Deploy"). */
export function isName(label: string): boolean {
  return label.length <= MAX_NAME_BYTES && LABEL.test(label);
}

/** Kind 3, owner = H("pyde/system/names"), slot = H(label). */
export function nameKey(label: string): StateKey {
  const slot = blake3(new TextEncoder().encode(label));
  return { kind: STATE_KIND.system, owner: NAMES_OWNER, slot };
}

/** The address that `label` names; undefined when it names none, or is no label. */
export function resolveName(reader: StateReader, label: string): Address | undefined {
  const bytes = isName(label) ? reader.get(nameKey(label)) : undefined;
  return bytes === undefined ? undefined : decodeName(bytes);
}

/** @throws PydeError of {@link NameErrorCode} */
export function registerName(overlay: Overlay, label: string, address: Address): void {
  if (!isName(label)) {
    throw new PydeError(
      'name.label',
      'a name is 1 to 32 of a-z, 0-9 and -, with no dash at either end and no two in a row',
    );
  }
  if (overlay.get(nameKey(label)) !== undefined) {
    throw new PydeError('name.taken', `the name ${label} is taken; choose another`, { label });
  }
  overlay.set(nameKey(label), encodeName(address));
}

export const encodeName = (address: Address): Uint8Array => encode((w) => w.fixed(address));

export const decodeName = (bytes: Uint8Array): Address =>
  decodeExactly(bytes, (r) => toAddress(r.fixed(ADDRESS_BYTES)));
