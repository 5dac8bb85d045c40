import { describe, expect, it } from 'vitest';
import { isFalconPublicKey } from '../crypto/index.ts';
import { testKey } from '../crypto/testing.ts';
import type { SignatureCheck } from '../platform/index.ts';
import { keyedSignatures, realSignatures, type SimSignatures } from './signatures.ts';

const message = new Uint8Array(32).fill(7);

function checkOf({ signers }: SimSignatures, i: number, text = message): SignatureCheck {
  const signer = signers[i];
  if (signer === undefined) throw new Error('there is such a signer');
  return { publicKey: signer.publicKey, message: text, signature: signer.sign(text) };
}

describe.each([
  ['keyed', () => keyedSignatures(1, 3)],
  ['real', () => realSignatures(1, [testKey(0), testKey(1), testKey(2)])],
] as const)('%s signatures', (_, make) => {
  it('verify for their own key and message, whether asked once or again', () => {
    const all = make();
    const good = checkOf(all, 0);
    const other = checkOf(all, 1);
    const wrongKey = { ...good, publicKey: other.publicKey };
    const wrongMessage = { ...good, message: new Uint8Array(32) };
    const bent = { ...good, signature: good.signature.map((b, i) => (i === 100 ? b ^ 1 : b)) };
    for (let times = 0; times < 2; times++) {
      expect(all.verify([good, wrongKey, other, wrongMessage, bent])).toEqual([
        true,
        false,
        true,
        false,
        false,
      ]);
    }
  });

  it('repeat with the seed and have keys that genesis takes', () => {
    expect(checkOf(make(), 2)).toEqual(checkOf(make(), 2));
    for (const { publicKey } of make().signers) expect(isFalconPublicKey(publicKey)).toBe(true);
  });
});
