/**
 * Who signs in a simulation, and how signatures are checked. `real` is FALCON-512 with keys that are
 * handed in (making one takes a while). `keyed` stands in for it where 128 members would spend all
 * the time on arithmetic: a keyed Blake3 in the 666-byte form, checked by whoever knows every
 * member's secret, which is the simulator. Both go through the interfaces of the real node.
 */
import { concatBytes, equalBytes, invariant, u32BigEndian } from '../bytes/index.ts';
import {
  blake3,
  FALCON_PUBLIC_KEY_BYTES,
  type FalconKeyPair,
  FalconSigner,
  falconVerifyBatch,
} from '../crypto/index.ts';
import type { Signer } from '../finality/index.ts';
import type { SignatureCheck, VerifySignatures } from '../platform/index.ts';
import { FALCON_SIGNATURE_BYTES, toFalconPublicKey, toFalconSignature } from '../types/index.ts';
import { ByteMap } from './byte-map.ts';
import { Prng } from './prng.ts';

export type SignatureKind = 'real' | 'keyed';

export interface SimSignatures {
  readonly kind: SignatureKind;
  /** One a key: members first, then accounts. */
  readonly signers: readonly Signer[];
  readonly verify: VerifySignatures;
}

const text = new TextEncoder();
const SECRET_DOMAIN = text.encode('pyde/sim/secret/1');
const PUBLIC_DOMAIN = text.encode('pyde/sim/public/1');
const SIGNATURE_DOMAIN = text.encode('pyde/sim/signature/1');
const PUBLIC_KEY_HEADER = 0x09;
const SIGNATURE_HEADER = 0x39;
const SIGNING_STREAM = 0x5160;

/** @param keys one a signer */
export function realSignatures(seed: number, keys: readonly FalconKeyPair[]): SimSignatures {
  const signers = keys.map(({ publicKey, secretKey }, i) => {
    const random = Prng.seeded(seed, SIGNING_STREAM + i);
    const falcon = new FalconSigner(secretKey, (length) => random.bytes(length));
    return {
      publicKey: toFalconPublicKey(publicKey),
      sign: (message: Uint8Array) => toFalconSignature(falcon.sign(message)),
    };
  });
  return { kind: 'real', signers, verify: remembering(falconVerifyBatch) };
}

export function keyedSignatures(seed: number, count: number): SimSignatures {
  const secrets = new ByteMap<Uint8Array>();
  const signers = Array.from({ length: count }, (_, i) => {
    const secret = blake3(SECRET_DOMAIN, text.encode(`${seed}`), u32BigEndian(i));
    const publicKey = toFalconPublicKey(publicKeyOf(secret));
    secrets.set(publicKey, secret);
    return { publicKey, sign: (message: Uint8Array) => toFalconSignature(keyed(secret, message)) };
  });
  const verifyOne = ({ publicKey, message, signature }: SignatureCheck): boolean => {
    const secret = secrets.get(publicKey);
    return secret !== undefined && equalBytes(keyed(secret, message), signature);
  };
  return { kind: 'keyed', signers, verify: remembering((checks) => checks.map(verifyOne)) };
}

/** A key in FALCON's form: 512 coefficients of 14 bits, the highest bit of each left out. */
function publicKeyOf(secret: Uint8Array): Uint8Array {
  const bytes = stretched(FALCON_PUBLIC_KEY_BYTES, PUBLIC_DOMAIN, secret);
  bytes[0] = PUBLIC_KEY_HEADER;
  for (let bit = 0; bit < (FALCON_PUBLIC_KEY_BYTES - 1) * 8; bit += 14) {
    const at = 1 + (bit >> 3);
    bytes[at] = (bytes[at] ?? 0) & ~(0x80 >> (bit & 7));
  }
  return bytes;
}

function keyed(secret: Uint8Array, message: Uint8Array): Uint8Array {
  const tag = blake3(SIGNATURE_DOMAIN, secret, message);
  const out = new Uint8Array(FALCON_SIGNATURE_BYTES);
  out[0] = SIGNATURE_HEADER;
  out.set(tag, 1);
  for (let end = 1 + tag.length; end < out.length; end += end - 1) out.copyWithin(end, 1, end);
  return out;
}

function stretched(length: number, domain: Uint8Array, secret: Uint8Array): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    blake3(domain, secret, u32BigEndian(i)),
  );
  return concatBytes(...blocks).slice(0, length);
}

/** All members see the same message objects, so each signature is worked out once. */
function remembering(verify: VerifySignatures): VerifySignatures {
  const known = new WeakMap<Uint8Array, SignatureCheck & { readonly valid: boolean }>();
  const one = oneObjectEach();
  const recall = ({ publicKey, message, signature }: SignatureCheck): boolean | undefined => {
    const seen = known.get(signature);
    if (seen === undefined || !equalBytes(seen.message, message)) return undefined;
    return seen.publicKey === one(publicKey) ? seen.valid : undefined;
  };
  return (checks) => {
    const verdicts = checks.map(recall);
    if (verdicts.every((valid) => valid !== undefined)) return verdicts;
    const fresh = verify(checks.filter((_, i) => verdicts[i] === undefined));
    let next = 0;
    return checks.map((check, i) => {
      const verdict = verdicts[i];
      if (verdict !== undefined) return verdict;
      const valid = fresh[next++];
      invariant(valid !== undefined, 'every check has a verdict');
      known.set(check.signature, { ...check, publicKey: one(check.publicKey), valid });
      return valid;
    });
  };
}

const MAX_KEYS = 65_536;

/** Members read keys from their own stores: equal ones become one object. */
function oneObjectEach(): (key: Uint8Array) => Uint8Array {
  const known = new WeakMap<Uint8Array, Uint8Array>();
  const byBytes = new ByteMap<Uint8Array>();
  return (key) => {
    const seen = known.get(key);
    if (seen !== undefined) return seen;
    if (byBytes.size > MAX_KEYS) byBytes.clear();
    const one = byBytes.get(key) ?? key;
    byBytes.set(one, one);
    known.set(key, one);
    return one;
  };
}
