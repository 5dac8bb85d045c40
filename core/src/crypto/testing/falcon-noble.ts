/**
 * FALCON-512 by noble, the reference against which the kernels are checked. Signs and verifies the
 * context-prefixed message (spec/wire.md, FALCON-512).
 */
import { falcon512, falcon512padded } from '@noble/post-quantum/falcon.js';
import { concatBytes, isPydeError, PydeError } from '../../bytes/index.ts';
import { type CryptoErrorCode, requireLength } from '../bounds.ts';
import { falconSignatureToPadded } from '../falcon-signature.ts';
import {
  CONSTANT_TIME_HEADER,
  FALCON_CONTEXT_PREFIX,
  FALCON_MAX_MESSAGE_BYTES,
  FALCON_PADDED_SIGNATURE_BYTES,
  FALCON_SECRET_KEY_BYTES,
  FALCON_SIGN_RANDOM_BYTES,
} from '../falcon-sizes.ts';

/**
 * The 666-byte padded signature of `message` under `secretKey`. `randomness` is 40 bytes of nonce
 * and 48 of sampler seed; the same bytes must never sign two messages. Takes about 6 ms.
 * @throws PydeError `crypto.length` also for a message above FALCON_MAX_MESSAGE_BYTES, `crypto.falcon-key` when the bytes are no secret key
 */
export function falconSignWithNoble(
  secretKey: Uint8Array,
  message: Uint8Array,
  randomness: Uint8Array,
): Uint8Array {
  requireLength('FALCON secret key', secretKey, FALCON_SECRET_KEY_BYTES);
  requireLength('FALCON signing randomness', randomness, FALCON_SIGN_RANDOM_BYTES);
  if (message.length > FALCON_MAX_MESSAGE_BYTES) {
    throw new PydeError<CryptoErrorCode>(
      'crypto.length',
      `a message of ${message.length} bytes is above the ${FALCON_MAX_MESSAGE_BYTES} that are signed`,
      { length: message.length, most: FALCON_MAX_MESSAGE_BYTES },
    );
  }
  const signed = concatBytes(FALCON_CONTEXT_PREFIX, message);
  // Noble asks for the nonce first and for the sampler's seed second.
  let drawn = 0;
  const random = (bytes = 0): ReturnType<typeof Uint8Array.from> => {
    const part = Uint8Array.from(randomness.subarray(drawn, drawn + bytes));
    drawn += bytes;
    return part;
  };
  try {
    // The padded attached form is the detached signature, then the message.
    const attached = falcon512padded.attached.seal(signed, secretKey, { random });
    return attached.slice(0, FALCON_PADDED_SIGNATURE_BYTES);
  } catch {
    throw new PydeError<CryptoErrorCode>(
      'crypto.falcon-key',
      'these 1281 bytes are no FALCON-512 secret key: wrong header or a coefficient out of range',
    );
  }
}

/** Noble's verdict on a signature in any of the three encodings. */
export function falconVerifyWithNoble(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const signed = concatBytes(FALCON_CONTEXT_PREFIX, message);
  if (signature[0] !== CONSTANT_TIME_HEADER) {
    return (
      falcon512padded.verify(signature, signed, publicKey) ||
      falcon512.verify(signature, signed, publicKey)
    );
  }
  try {
    return falcon512padded.verify(falconSignatureToPadded(signature), signed, publicKey);
  } catch (error) {
    if (isPydeError(error, 'crypto.falcon-signature')) return false;
    throw error;
  }
}
