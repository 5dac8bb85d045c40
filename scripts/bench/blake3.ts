/** Blake3 of the state tree: inputs of 64 bytes in batches, beside noble one at a time. */
import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js';
import { blake3Batch64 } from '@pyde/core/crypto';
import type { Row } from '../bench.ts';
import { rate } from './rate.ts';

export async function run(): Promise<Row[]> {
  const inputs = new Uint8Array(64 * 1024).map((_, i) => i * 7);
  const one = inputs.subarray(0, 64);
  const value = rate(1024, () => void blake3Batch64(inputs));
  const noble = rate(16, () => {
    for (let i = 0; i < 16; i++) nobleBlake3(one);
  });
  return [
    {
      name: 'Blake3 of 64 bytes, in batches',
      value,
      unit: '/s',
      comparedWith: '@noble/hashes',
      ratio: value / noble,
    },
  ];
}
