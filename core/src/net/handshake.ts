/**
 * The handshake that binds a connection to a validator, both ways, before anything is believed
 * (docs/protocol/network.md, "Handshake"). A pure machine of one connection: frames go in, what to
 * do comes out; the caller closes when it takes too long.
 *
 * Both say hello. The side that dialled proves first, so that nobody makes the other side sign
 * without having proved a validator's key: a signature costs a thousand times a verification.
 * Trusted are the genesis validators' keys and, for the other end's peer id, noise.
 */
import { equalBytes, invariant, isPydeError } from '../bytes/index.ts';
import type { VerifySignatures } from '../platform/index.ts';
import type { FalconPublicKey, FalconSignature, Hash, ValidatorIndex } from '../types/index.ts';
import {
  decodeHello,
  decodeProof,
  decodeRefusal,
  encodeHello,
  encodeRefusal,
  type Hello,
  handshakeDigest,
  helloVersion,
  LINK_VERSION,
  NONCE_BYTES,
  type RefusalCode,
  SESSION_BYTES,
} from './handshake-messages.ts';
import type { Frame } from './link-frames.ts';
import type { Offence } from './offence.ts';

export interface HandshakeOptions {
  readonly role: 'dialler' | 'listener';
  readonly genesisHash: Hash;
  readonly validator: ValidatorIndex;
  /** 16 bytes drawn when the process started. */
  readonly session: Uint8Array;
  /** 32 bytes drawn for this handshake. */
  readonly nonce: Uint8Array;
  /** Of our end at which others reach us: our own, or our sentry's. */
  readonly peerId: string;
  /**
   * Of the other end, from noise; what the hello names must be it. Undefined only on a connection
   * from one of our own sentries, which has held the hello against the end that it sees.
   */
  readonly remotePeerId: string | undefined;
  /** Undefined where there is no such validator. */
  publicKeyOf(validator: ValidatorIndex): FalconPublicKey | undefined;
  sign(digest: Hash): FalconSignature;
  readonly verify: VerifySignatures;
}

/** The other end of a link, as it proved to be. */
export interface ProvenPeer {
  readonly validator: ValidatorIndex;
  readonly peerId: string;
  readonly session: Uint8Array;
}

export type HandshakeEffect =
  | { readonly kind: 'send'; readonly frame: Frame }
  /** From now on message frames may be taken and sent. */
  | { readonly kind: 'proven'; readonly peer: ProvenPeer }
  /** We refuse; the frame that says so was sent before. Close, and count the offence. */
  | {
      readonly kind: 'failed';
      readonly code: RefusalCode;
      readonly message: string;
      readonly offence: Offence | undefined;
    }
  /**
   * The other side refuses; close. Nobody has proved to be anybody yet: `live-elsewhere` counts
   * only in a refusal that comes over a proven link.
   */
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly message: string };

export type HandshakeState = 'new' | 'hello' | 'proof' | 'proven' | 'over';

export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #own: Hello;
  #state: HandshakeState = 'new';
  #other: Hello | undefined;

  constructor(options: HandshakeOptions) {
    invariant(
      options.session.length === SESSION_BYTES && options.nonce.length === NONCE_BYTES,
      'a session has 16 bytes and a nonce 32',
    );
    this.#options = options;
    this.#own = {
      version: LINK_VERSION,
      genesisHash: options.genesisHash,
      validator: options.validator,
      session: options.session,
      nonce: options.nonce,
      peerId: options.peerId,
    };
  }

  /** What is waited for: a hello, a proof, nothing more. */
  get state(): HandshakeState {
    return this.#state;
  }

  /** Whom the other end says to be; believed only once proven. */
  get claimed(): ValidatorIndex | undefined {
    return this.#other?.validator;
  }

  /** Once, when the stream is open. */
  begin(): HandshakeEffect[] {
    invariant(this.#state === 'new', 'a handshake begins once');
    this.#state = 'hello';
    return [{ kind: 'send', frame: { kind: 'hello', payload: encodeHello(this.#own) } }];
  }

  /** Ends it from our side with a refusal: `busy`, for one. */
  refuse(code: RefusalCode, message: string): HandshakeEffect[] {
    return this.#fail(code, message, undefined);
  }

  /** A frame that the other side sent. After a refusal, what still comes is nothing. */
  receive({ kind, payload }: Frame): HandshakeEffect[] {
    if (this.#state === 'over') return [];
    const waiting = this.#state === 'hello' || this.#state === 'proof';
    invariant(waiting, `a handshake takes no frame in state ${this.#state}`);
    try {
      if (kind === 'refuse') return this.#refused(payload);
      if (kind === 'hello' && this.#state === 'hello') return this.#hello(payload);
      if (kind === 'proof' && this.#state === 'proof') return this.#proof(payload);
    } catch (error) {
      if (!isPydeError(error)) throw error;
      return this.#fail('bad-proof', `the ${kind} cannot be read: ${error.message}`, 'bad-frame');
    }
    return this.#fail('bad-proof', `a ${kind} came instead of a ${this.#state}`, 'bad-frame');
  }

  #hello(payload: Uint8Array): HandshakeEffect[] {
    const version = helloVersion(payload);
    if (version !== LINK_VERSION) {
      const message = `links here have version ${LINK_VERSION}, not ${version}`;
      return this.#fail('wrong-version', message, undefined);
    }
    const hello = decodeHello(payload);
    const refusal = this.#whyNot(hello);
    if (refusal !== undefined) return this.#fail(...refusal);
    this.#other = hello;
    this.#state = 'proof';
    return this.#options.role === 'dialler' ? [this.#ownProof(hello)] : [];
  }

  #whyNot(hello: Hello): readonly [RefusalCode, string, Offence | undefined] | undefined {
    const { genesisHash, remotePeerId, publicKeyOf } = this.#options;
    const own = this.#own;
    if (!equalBytes(hello.genesisHash, genesisHash)) {
      return ['wrong-chain', 'the genesis is another one', undefined];
    }
    if (equalBytes(hello.nonce, own.nonce)) {
      return [
        'bad-proof',
        'the nonce is our own: this hello is a reflection',
        'replayed-handshake',
      ];
    }
    if (hello.validator === own.validator) {
      if (equalBytes(hello.session, own.session)) {
        // From another end than ours they are our own words, heard somewhere and said again.
        const ours = remotePeerId === undefined || remotePeerId === own.peerId;
        const offence = ours ? undefined : 'replayed-handshake';
        return ['bad-proof', 'this process does not link to itself', offence];
      }
      const message = `validator ${own.validator} is this one; its key must not run twice`;
      return ['live-elsewhere', message, undefined];
    }
    if (publicKeyOf(hello.validator) === undefined) {
      const message = `there is no validator ${hello.validator}`;
      return ['not-a-validator', message, 'failed-handshake'];
    }
    if (hello.peerId === own.peerId) {
      return ['bad-proof', 'the peer id is our own', 'replayed-handshake'];
    }
    if (remotePeerId !== undefined && hello.peerId !== remotePeerId) {
      return ['bad-proof', 'the peer id is not that of the connection', 'replayed-handshake'];
    }
    return undefined;
  }

  #proof(payload: Uint8Array): HandshakeEffect[] {
    const other = this.#other;
    const publicKey = other && this.#options.publicKeyOf(other.validator);
    invariant(other !== undefined && publicKey !== undefined, 'a proof comes after a hello');
    const message = handshakeDigest(this.#options.genesisHash, other, this.#own);
    const signature = decodeProof(payload);
    if (this.#options.verify([{ publicKey, message, signature }])[0] !== true) {
      const why = `the proof is not made with the key of validator ${other.validator}`;
      return this.#fail('bad-proof', why, 'bad-signature');
    }
    this.#state = 'proven';
    const { validator, peerId, session } = other;
    const proven: HandshakeEffect = { kind: 'proven', peer: { validator, peerId, session } };
    return this.#options.role === 'dialler' ? [proven] : [this.#ownProof(other), proven];
  }

  #ownProof(other: Hello): HandshakeEffect {
    const payload = this.#options.sign(
      handshakeDigest(this.#options.genesisHash, this.#own, other),
    );
    return { kind: 'send', frame: { kind: 'proof', payload } };
  }

  #refused(payload: Uint8Array): HandshakeEffect[] {
    const { code, message } = decodeRefusal(payload);
    this.#state = 'over';
    return [{ kind: 'refused', code, message }];
  }

  #fail(code: RefusalCode, message: string, offence: Offence | undefined): HandshakeEffect[] {
    this.#state = 'over';
    return [
      { kind: 'send', frame: { kind: 'refuse', payload: encodeRefusal({ code, message }) } },
      { kind: 'failed', code, message, offence },
    ];
  }
}
