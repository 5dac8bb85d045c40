/**
 * FALCON-512 signing (round-3 specification, Algorithm 10; spec/wire.md, FALCON-512) by the kernel.
 *
 * A key is expanded once, which takes about half the time of a signature, and kept in the kernel's
 * memory while it is among the last `FALCON_SIGN_SLOTS` used. Randomness is handed in and must be
 * fresh for every signature: two short vectors for one hash, or one sampler stream for two, give
 * the key away bit by bit.
 */
import { invariant, PydeError } from '../bytes/index.ts';
import { type CryptoErrorCode, requireLength } from './bounds.ts';
import { createFalconSignKernel, type FalconSignKernel } from './falcon-sign-kernel.ts';
import { FalconKeySlots } from './falcon-sign-slots.ts';
import {
  COMPRESSED_HEADER,
  FALCON_CONTEXT_PREFIX,
  FALCON_MAX_MESSAGE_BYTES,
  FALCON_NONCE_BYTES,
  FALCON_PADDED_SIGNATURE_BYTES,
  FALCON_SIGN_RANDOM_BYTES,
} from './falcon-sizes.ts';
import { feedWindow, once } from './kernel.ts';

export type FalconSignErrorCode = 'crypto.falcon-secret-key' | 'crypto.falcon-sign';

/** Keys kept expanded at a time, 56 KB each. */
const FALCON_SIGN_SLOTS = 16;

const BODY = 1 + FALCON_NONCE_BYTES;
const BODY_BYTES = FALCON_PADDED_SIGNATURE_BYTES - BODY;
/** Fewer than one attempt in a hundred fails, so sixteen failures mean a fault. */
const MAX_ATTEMPTS = 16;

/**
 * The 666-byte padded signature of `message`. The same arguments give the same bytes everywhere.
 * @param randomness `FALCON_SIGN_RANDOM_BYTES` unpredictable bytes, used for this signature only
 * @throws PydeError `crypto.falcon-secret-key` when the bytes are no FALCON-512 secret key,
 * `crypto.length` for randomness of a wrong length or a message above FALCON_MAX_MESSAGE_BYTES
 */
export function falconSign(
  secretKey: Uint8Array,
  message: Uint8Array,
  randomness: Uint8Array,
): Uint8Array {
  requireLength('FALCON signing randomness', randomness, FALCON_SIGN_RANDOM_BYTES);
  if (message.length > FALCON_MAX_MESSAGE_BYTES) {
    throw new PydeError<CryptoErrorCode>(
      'crypto.length',
      `a message of ${message.length} bytes is not signed; sign its hash instead`,
      { length: message.length, limit: FALCON_MAX_MESSAGE_BYTES },
    );
  }
  const { kernel, slots } = shared();
  return signWith(kernel, slots.slotOf(secretKey), message, randomness);
}

/** Signs under one key with a platform's randomness. */
export class FalconSigner {
  readonly #random: (length: number) => Uint8Array;
  #secretKey: Uint8Array | undefined;

  /**
   * @param secretKey 1281 bytes, of which a copy is kept until `dispose`
   * @param random cryptographically strong bytes, fresh on every call
   * @throws PydeError `crypto.falcon-secret-key` when the bytes are no FALCON-512 secret key
   */
  constructor(secretKey: Uint8Array, random: (length: number) => Uint8Array) {
    shared().slots.slotOf(secretKey);
    this.#secretKey = Uint8Array.from(secretKey);
    this.#random = random;
  }

  /** The 666-byte padded signature of `message`. */
  sign(message: Uint8Array): Uint8Array {
    invariant(this.#secretKey !== undefined, 'a disposed FalconSigner does not sign');
    return falconSign(this.#secretKey, message, this.#random(FALCON_SIGN_RANDOM_BYTES));
  }

  /** Overwrites the key here and in the kernel's memory. The signer is of no use afterwards. */
  dispose(): void {
    if (this.#secretKey === undefined) return;
    shared().slots.forget(this.#secretKey);
    this.#secretKey.fill(0);
    this.#secretKey = undefined;
  }
}

/** Hash, sample, encode. Exported for the tests, which hold a kernel of their own. */
export function signWith(
  kernel: FalconSignKernel,
  slot: number,
  message: Uint8Array,
  randomness: Uint8Array,
): Uint8Array {
  const { call, inbox, outbox } = kernel;
  const nonce = randomness.subarray(0, FALCON_NONCE_BYTES);
  call.hashStart();
  const hashed = [nonce, FALCON_CONTEXT_PREFIX, message];
  call.hashAbsorb(feedWindow(hashed, inbox, () => call.hashAbsorb(inbox.length)));
  inbox.set(randomness.subarray(FALCON_NONCE_BYTES));
  if (call.sign(slot, BODY_BYTES, MAX_ATTEMPTS) === 0) {
    throw new PydeError<FalconSignErrorCode>(
      'crypto.falcon-sign',
      `no short signature in ${MAX_ATTEMPTS} attempts; sign again with other randomness`,
    );
  }
  const signature = new Uint8Array(FALCON_PADDED_SIGNATURE_BYTES);
  signature[0] = COMPRESSED_HEADER;
  signature.set(nonce, 1);
  signature.set(outbox.subarray(0, BODY_BYTES), BODY);
  return signature;
}

/** The one kernel of this thread, made when first needed. */
const shared = once(() => {
  const kernel = createFalconSignKernel(FALCON_SIGN_SLOTS);
  return { kernel, slots: new FalconKeySlots(kernel) };
});
