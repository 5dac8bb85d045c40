/**
 * What both runtimes are asked: each probe is a function of its argument alone, built from core's
 * public face, and answers text. The same argument must give the same text on Node and in Chromium.
 */
import { toHex } from '@pyde/core/bytes';
import {
  blake3,
  FalconSigner,
  falconKeygen,
  falconVerify,
  mlKem768,
  poseidon2,
} from '@pyde/core/crypto';

/** Bytes that a seed determines; the probes need no quality of them, only that they repeat. */
function bytesOf(seed: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const prefix = new TextEncoder().encode(seed);
  for (let at = 0; at < length; at += 32) {
    const block = blake3(prefix, new TextEncoder().encode(` ${at}`));
    bytes.set(block.subarray(0, Math.min(32, length - at)), at);
  }
  return bytes;
}

function crypto(seed: string): string {
  const { publicKey, secretKey } = falconKeygen(bytesOf(`${seed} key`, 32));
  let draws = 0;
  const signer = new FalconSigner(secretKey, (length) =>
    bytesOf(`${seed} draw ${draws++}`, length),
  );
  const message = bytesOf(`${seed} message`, 100);
  const signature = signer.sign(message);
  const kem = mlKem768.keygen(bytesOf(`${seed} kem`, 64));
  const sealed = mlKem768.encapsulate(kem.publicKey, bytesOf(`${seed} coins`, 32));
  return [
    toHex(blake3(message)),
    toHex(poseidon2(message)),
    toHex(publicKey),
    toHex(signature),
    String(falconVerify(publicKey, message, signature)),
    toHex(sealed.ciphertext),
    toHex(sealed.sharedSecret),
  ].join('\n');
}

export const PROBES = { crypto } as const satisfies Record<
  string,
  (argument: string) => string | Promise<string>
>;

export type ProbeName = keyof typeof PROBES;
