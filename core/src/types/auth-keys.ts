/**
 * Who may sign for an account (design/state-and-execution.md, "Accounts and transactions").
 * Borsh: tag 0 None, 1 Single(Vec<u8>), 2 MultiSig { keys Vec<Vec<u8>>, threshold u32 };
 * tag 3 is reserved for programmable accounts and refused, never aliased.
 */
import { type BorshReader, type BorshWriter, PydeError } from '../bytes/index.ts';
import { FALCON_PUBLIC_KEY_BYTES, type FalconPublicKey, toFalconPublicKey } from './brand.ts';

export const MAX_MULTISIG_KEYS = 16;

export type AuthKeys =
  | { readonly kind: 'none' }
  | { readonly kind: 'single'; readonly key: FalconPublicKey }
  | {
      readonly kind: 'multisig';
      /** 1 … 16 distinct keys; a signer is named by its place. */
      readonly keys: readonly FalconPublicKey[];
      /** 1 … keys.length. */
      readonly threshold: number;
    };

export type AuthKeysErrorCode =
  | 'auth-keys.programmable'
  | 'auth-keys.count'
  | 'auth-keys.threshold'
  | 'auth-keys.duplicate';

export function writeAuthKeys(writer: BorshWriter, keys: AuthKeys): void {
  switch (keys.kind) {
    case 'none':
      writer.u8(0);
      return;
    case 'single':
      writer.u8(1).bytes(keys.key);
      return;
    case 'multisig':
      writer
        .u8(2)
        .vec(keys.keys, (w, key) => w.bytes(key))
        .u32(keys.threshold);
      return;
    default:
      keys satisfies never;
  }
}

/** @throws PydeError of {@link AuthKeysErrorCode}, `types.*` or `borsh.*` */
export function readAuthKeys(reader: BorshReader): AuthKeys {
  const tag = reader.tag(4, 'AuthKeys');
  if (tag === 0) return { kind: 'none' };
  if (tag === 1) {
    return { kind: 'single', key: readKey(reader) };
  }
  if (tag === 3) {
    throw new PydeError(
      'auth-keys.programmable',
      'programmable accounts are reserved and not accepted; use one key or a multi-signature',
    );
  }
  const keys = reader.vec(MAX_MULTISIG_KEYS, 4 + FALCON_PUBLIC_KEY_BYTES, readKey);
  const threshold = reader.u32();
  if (keys.length === 0) {
    throw new PydeError('auth-keys.count', 'a multi-signature account needs at least one key');
  }
  if (threshold < 1 || threshold > keys.length) {
    throw new PydeError(
      'auth-keys.threshold',
      `threshold ${threshold} is not between 1 and the ${keys.length} keys`,
      { threshold, keys: keys.length },
    );
  }
  const distinct = new Set(keys.map((key) => key.join()));
  if (distinct.size !== keys.length) {
    throw new PydeError('auth-keys.duplicate', 'a multi-signature account lists one key twice');
  }
  return { kind: 'multisig', keys, threshold };
}

function readKey(reader: BorshReader): FalconPublicKey {
  return toFalconPublicKey(reader.bytes(FALCON_PUBLIC_KEY_BYTES));
}
