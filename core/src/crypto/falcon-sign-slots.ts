/**
 * Which secret keys the signing kernel holds expanded: a fixed number of slots of its memory, the
 * least recently used key giving way to a new one. A slot that is given up is overwritten with
 * zeros, and so is the copy of the key by which it was found.
 */
import { equalBytes, invariant, PydeError } from '../bytes/index.ts';
import type { FalconSignKernel } from './falcon-sign-kernel.ts';
import { FALCON_SECRET_KEY_BYTES } from './falcon-sizes.ts';

/** By the number that the kernel answers (core/kernels/falcon-sign-key.ts). */
const REFUSALS = [
  '',
  'its first byte is not 0x59',
  'a coefficient has the one value its encoding forbids',
  'f has no inverse modulo 12289',
  'G = gF/f has a coefficient beyond 127',
  'f*G - g*F is not 12289',
  'its basis is too long to sample with',
];

interface ResidentKey {
  readonly slot: number;
  readonly secretKey: Uint8Array;
}

export class FalconKeySlots {
  readonly #kernel: FalconSignKernel;
  readonly #vacant: number[];
  /** The most recently used first. */
  readonly #resident: ResidentKey[] = [];

  /** @param kernel all of its slots are this object's from now on */
  constructor(kernel: FalconSignKernel) {
    this.#kernel = kernel;
    this.#vacant = Array.from({ length: kernel.slots }, (_, slot) => slot);
  }

  /**
   * The slot where `secretKey` lies expanded.
   * @throws PydeError `crypto.falcon-secret-key` when the bytes are no FALCON-512 secret key
   */
  slotOf(secretKey: Uint8Array): number {
    const entry = this.#take(secretKey) ?? this.#expand(secretKey);
    this.#resident.unshift(entry);
    return entry.slot;
  }

  /** Overwrites what is held of a key, if anything. */
  forget(secretKey: Uint8Array): void {
    const entry = this.#take(secretKey);
    if (entry !== undefined) this.#vacate(entry);
  }

  #take(secretKey: Uint8Array): ResidentKey | undefined {
    const at = this.#resident.findIndex((entry) => equalBytes(entry.secretKey, secretKey));
    return at < 0 ? undefined : this.#resident.splice(at, 1)[0];
  }

  #expand(secretKey: Uint8Array): ResidentKey {
    if (secretKey.length !== FALCON_SECRET_KEY_BYTES) {
      throw refused(`it has ${secretKey.length} bytes where ${FALCON_SECRET_KEY_BYTES} are needed`);
    }
    const oldest = this.#vacant.length === 0 ? this.#resident.pop() : undefined;
    if (oldest !== undefined) this.#vacate(oldest);
    const slot = this.#vacant.at(-1);
    invariant(slot !== undefined, 'a slot is vacant or a key gives way');
    this.#kernel.inbox.set(secretKey);
    const outcome = this.#kernel.call.expandKey(slot);
    if (outcome !== 0) throw refused(REFUSALS[outcome] ?? `the kernel answers ${outcome}`);
    this.#vacant.pop();
    return { slot, secretKey: Uint8Array.from(secretKey) };
  }

  #vacate({ slot, secretKey }: ResidentKey): void {
    this.#kernel.call.clearKey(slot);
    secretKey.fill(0);
    this.#vacant.push(slot);
  }
}

function refused(reason: string): PydeError<'crypto.falcon-secret-key'> {
  return new PydeError(
    'crypto.falcon-secret-key',
    `not a FALCON-512 secret key: ${reason}; check where the key was read from`,
    { reason },
  );
}
