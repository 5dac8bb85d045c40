/** FALCON-512: verification in batches with the key cached, and signing; beside noble. */
import { randomBytes } from 'node:crypto';
import { falcon512padded } from '@noble/post-quantum/falcon.js';
import { concatBytes } from '@pyde/core/bytes';
import { FALCON_SIGN_RANDOM_BYTES, falconSign, falconVerifyBatch } from '@pyde/core/crypto';
import { devnetAccounts } from '@pyde/platform-node/devnet';
import type { Row } from '../bench.ts';
import { rate } from './rate.ts';

export async function run(): Promise<Row[]> {
  const [key] = devnetAccounts(1);
  if (key === undefined) throw new Error('the first devnet account is a constant');
  const items = Array.from({ length: 64 }, (_, i) => {
    const message = new Uint8Array(32).fill(i);
    const randomness = new Uint8Array(randomBytes(FALCON_SIGN_RANDOM_BYTES));
    const signature = falconSign(key.secretKey, message, randomness);
    return { publicKey: key.publicKey, message, signature };
  });
  const prefix = concatBytes(new Uint8Array([0, 14]), new TextEncoder().encode('pyde-falcon-v1'));
  const first = items[0];
  if (first === undefined) throw new Error('64 items were made');
  const wrapped = concatBytes(prefix, first.message);
  if (!falcon512padded.verify(first.signature, wrapped, first.publicKey)) {
    throw new Error('noble does not accept the signature');
  }
  const verify = rate(64, () => {
    if (falconVerifyBatch(items).includes(false)) throw new Error('a good signature was refused');
  });
  const nobleVerify = rate(1, () =>
    falcon512padded.verify(first.signature, wrapped, key.publicKey),
  );
  const randomness = new Uint8Array(randomBytes(FALCON_SIGN_RANDOM_BYTES));
  const sign = rate(1, () => falconSign(key.secretKey, first.message, randomness));
  const nobleSign = rate(1, () => falcon512padded.sign(wrapped, key.secretKey));
  return [
    {
      name: 'FALCON-512 verify, key cached',
      value: verify,
      unit: '/s',
      comparedWith: 'noble',
      ratio: verify / nobleVerify,
    },
    {
      name: 'FALCON-512 sign, key expanded',
      value: sign,
      unit: '/s',
      comparedWith: 'noble',
      ratio: sign / nobleSign,
    },
  ];
}
