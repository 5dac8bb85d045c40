/**
 * Names of state entries (design/state-and-execution.md; docs/protocol/encoding-state.md, "Keys").
 *
 * A state key is kind ‖ owner ‖ slot, so that one contract's state is one contiguous range of the
 * flat table. Its place in the tree is a hash of the same bytes: an owner chooses slots freely and
 * can still never reach another owner or another kind.
 */
import { PydeError } from '../bytes/index.ts';
import { blake3, blake3Batch } from '../crypto/index.ts';

export const STATE_KIND = { account: 0, code: 1, contract: 2, system: 3, parachain: 4 } as const;
export type StateKind = (typeof STATE_KIND)[keyof typeof STATE_KIND];

export const STATE_KEY_BYTES = 65;
export const TREE_KEY_BYTES = 32;

export interface StateKey {
  readonly kind: StateKind;
  /** 32 bytes. */
  readonly owner: Uint8Array;
  /** 32 bytes. */
  readonly slot: Uint8Array;
}

const TREE_KEY_DOMAIN = new TextEncoder().encode('pyde/key/1');

/**
 * kind ‖ owner ‖ slot, 65 bytes.
 * @throws PydeError `state.key` when owner or slot is not 32 bytes
 */
export function stateKeyBytes(key: StateKey): Uint8Array {
  requireKeyLengths(key);
  const bytes = new Uint8Array(STATE_KEY_BYTES);
  bytes[0] = key.kind;
  bytes.set(key.owner, 1);
  bytes.set(key.slot, 33);
  return bytes;
}

/**
 * Reads the 65 bytes of `stateKeyBytes` back.
 * @throws PydeError `state.key` for another length or an unknown kind
 */
export function stateKeyFromBytes(bytes: Uint8Array): StateKey {
  const kind = bytes[0];
  if (bytes.length !== STATE_KEY_BYTES || kind === undefined || !isStateKind(kind)) {
    throw new PydeError(
      'state.key',
      `a state key is 65 bytes that start with a kind from 0 to 4, got ${bytes.length} bytes`,
      { length: bytes.length, kind: kind ?? null },
    );
  }
  return { kind, owner: bytes.slice(1, 33), slot: bytes.slice(33, 65) };
}

/** Blake3("pyde/key/1" ‖ kind ‖ owner ‖ slot): the leaf's place in the tree. */
export function treeKey(key: StateKey): Uint8Array {
  return treeKeyOfBytes(stateKeyBytes(key));
}

/** `treeKey` for key bytes that are at hand already. */
export function treeKeyOfBytes(keyBytes: Uint8Array): Uint8Array {
  return blake3(TREE_KEY_DOMAIN, keyBytes);
}

/** kind ‖ owner ‖ slot and tree key of each of many keys, as `stateKeyBytes` and `treeKey` give. */
export function namesOf(keys: readonly StateKey[]): {
  stateKeys: Uint8Array[];
  treeKeys: Uint8Array[];
} {
  const prefix = TREE_KEY_DOMAIN.length;
  const length = prefix + STATE_KEY_BYTES;
  const bytes = new Uint8Array(keys.length * length);
  const messages = keys.map((key, i) => {
    requireKeyLengths(key);
    const at = i * length;
    bytes.set(TREE_KEY_DOMAIN, at);
    bytes[at + prefix] = key.kind;
    bytes.set(key.owner, at + prefix + 1);
    bytes.set(key.slot, at + prefix + 33);
    return bytes.subarray(at, at + length);
  });
  const digests = blake3Batch(messages);
  return {
    stateKeys: messages.map((message) => message.subarray(prefix)),
    treeKeys: messages.map((_, i) =>
      digests.subarray(i * TREE_KEY_BYTES, (i + 1) * TREE_KEY_BYTES),
    ),
  };
}

const NAME_UNITS = 33;
const units = new Array<number>(NAME_UNITS).fill(0);

/**
 * A key of a map: kind, then two bytes a character, high byte first: the order of names is the order of key bytes,
 * since strings are compared by code unit.
 */
export function stateKeyName({ kind, owner, slot }: StateKey): string {
  units[0] = kind;
  for (let i = 0; i < 16; i++) {
    units[1 + i] = ((owner[2 * i] ?? 0) << 8) | (owner[2 * i + 1] ?? 0);
    units[17 + i] = ((slot[2 * i] ?? 0) << 8) | (slot[2 * i + 1] ?? 0);
  }
  return String.fromCharCode.apply(undefined, units);
}

function isStateKind(kind: number): kind is StateKind {
  return kind <= STATE_KIND.parachain;
}

function requireKeyLengths(key: StateKey): void {
  if (key.owner.length !== 32 || key.slot.length !== 32) {
    throw new PydeError(
      'state.key',
      `a state key has an owner and a slot of 32 bytes, got ${key.owner.length} and ${key.slot.length}`,
      { owner: key.owner.length, slot: key.slot.length },
    );
  }
}
