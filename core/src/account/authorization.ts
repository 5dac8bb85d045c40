/**
 * Which signatures must verify for an account to have signed (design/state-and-execution.md,
 * "Accounts and transactions"; spec/wire.md, "Transaction").
 *
 * The keys come from the account's record, never from the transaction. This file turns a signature
 * field into checks and judges its form; the arithmetic is the caller's, who may batch it. A field
 * names at least as many signers as the threshold asks for, none twice and none unknown, and each of
 * its signatures must verify.
 */
import { decodeExactly, encode, PydeError } from '../bytes/index.ts';
import {
  FALCON_CONSTANT_TIME_SIGNATURE_BYTES,
  FALCON_MAX_SIGNATURE_BYTES,
  FALCON_NONCE_BYTES,
} from '../crypto/index.ts';
import type { SignatureCheck } from '../platform/index.ts';
import { type AuthKeys, MAX_MULTISIG_KEYS } from '../types/index.ts';

export type AuthorizationErrorCode =
  | 'account.unregistered'
  | 'account.signature-form'
  | 'account.signature-threshold';

/** bitmap ‖ count ‖ 16 times (length ‖ the longest signature). */
export const MAX_SIGNATURE_FIELD_BYTES =
  2 + 4 + MAX_MULTISIG_KEYS * (4 + FALCON_MAX_SIGNATURE_BYTES);

/** One signature of a multi-signature account, by the place of its key. */
export interface SignerSignature {
  readonly signer: number;
  readonly signature: Uint8Array;
}

/**
 * The checks that must all verify for `signature` to authorise `message`.
 * @param message the 32-byte transaction hash
 * @throws PydeError of {@link AuthorizationErrorCode} when the field cannot be right
 */
export function signatureChecks(
  authKeys: AuthKeys,
  message: Uint8Array,
  signature: Uint8Array,
): SignatureCheck[] {
  switch (authKeys.kind) {
    case 'none':
      throw new PydeError(
        'account.unregistered',
        'the sender has no public key on record; send a RegisterPubkey transaction first',
      );
    case 'single':
      requireSignatureForm(signature);
      return [{ publicKey: authKeys.key, message, signature }];
    case 'multisig':
      return multisigChecks(authKeys, message, signature);
    default:
      return authKeys satisfies never;
  }
}

/** `bitmap u16 LE ‖ Vec<Vec<u8>>`, signatures in the order of the keys. */
export function encodeMultisigSignature(signatures: readonly SignerSignature[]): Uint8Array {
  const ordered = [...signatures].sort((a, b) => a.signer - b.signer);
  let bitmap = 0;
  for (const { signer } of ordered) {
    if (signer < 0 || signer >= MAX_MULTISIG_KEYS || ((bitmap >> signer) & 1) === 1) {
      throw form(`signer ${signer} is named twice or is not a place from 0 to 15`);
    }
    bitmap |= 1 << signer;
  }
  return encode((w) => w.u16(bitmap).vec(ordered, (v, one) => v.bytes(one.signature)));
}

/** Reads what {@link encodeMultisigSignature} writes. @throws PydeError `account.signature-form` */
export function decodeMultisigSignature(field: Uint8Array): readonly SignerSignature[] {
  let bitmap: number;
  let signatures: readonly Uint8Array[];
  try {
    [bitmap, signatures] = decodeExactly(field, (r) => [
      r.u16(),
      r.vec(MAX_MULTISIG_KEYS, 4, (v) => v.bytes(FALCON_MAX_SIGNATURE_BYTES)),
    ]);
  } catch (error) {
    if (!(error instanceof PydeError)) throw error;
    throw form(`a multi-signature field is a u16 bitmap and a list: ${error.message}`);
  }
  const signers: number[] = [];
  for (let place = 0; place < MAX_MULTISIG_KEYS; place++) {
    if (((bitmap >> place) & 1) === 1) signers.push(place);
  }
  if (signers.length !== signatures.length) {
    throw form(
      `the bitmap names ${signers.length} signers, ${signatures.length} signatures follow`,
    );
  }
  return signatures.map((signature, i) => ({ signer: signers[i] ?? 0, signature }));
}

function multisigChecks(
  authKeys: Extract<AuthKeys, { kind: 'multisig' }>,
  message: Uint8Array,
  field: Uint8Array,
): SignatureCheck[] {
  const signatures = decodeMultisigSignature(field);
  if (signatures.length < authKeys.threshold) {
    throw new PydeError(
      'account.signature-threshold',
      `${signatures.length} signatures are given where the account asks for ` +
        `${authKeys.threshold} of its ${authKeys.keys.length} keys; let more of them sign`,
      { given: signatures.length, threshold: authKeys.threshold },
    );
  }
  return signatures.map(({ signer, signature }) => {
    const publicKey = authKeys.keys[signer];
    if (publicKey === undefined) {
      throw form(`signer ${signer} is not one of the account's ${authKeys.keys.length} keys`);
    }
    requireSignatureForm(signature);
    return { publicKey, message, signature };
  });
}

/** Header and length of one of the three FALCON encodings; the verifier judges the rest. */
function requireSignatureForm(signature: Uint8Array): void {
  const { length } = signature;
  const compressed =
    signature[0] === 0x39 &&
    length > 1 + FALCON_NONCE_BYTES &&
    length <= FALCON_MAX_SIGNATURE_BYTES;
  const constantTime = signature[0] === 0x59 && length === FALCON_CONSTANT_TIME_SIGNATURE_BYTES;
  if (!compressed && !constantTime) {
    throw form(
      `a FALCON-512 signature starts with 0x39 or is ${FALCON_CONSTANT_TIME_SIGNATURE_BYTES} bytes ` +
        `that start with 0x59; got ${length} bytes`,
    );
  }
}

function form(message: string): PydeError<AuthorizationErrorCode> {
  return new PydeError('account.signature-form', `${message}; sign again with a current client`);
}
