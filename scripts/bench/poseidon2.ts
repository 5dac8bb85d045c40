/** Poseidon2: the wire hash of 64 bytes beside bigints, and the compression of tree nodes. */
import { poseidon2, poseidon2CompressBatch } from '@pyde/core/crypto';
import { poseidon2Reference } from '../../core/src/crypto/testing/poseidon2-reference.ts';
import type { Row } from '../bench.ts';
import { rate } from './rate.ts';

export async function run(): Promise<Row[]> {
  const input = new Uint8Array(64).map((_, i) => i * 3);
  const pairs = new Uint8Array(64 * 256);
  const value = rate(16, () => {
    for (let i = 0; i < 16; i++) poseidon2(input);
  });
  const reference = rate(1, () => poseidon2Reference(input));
  const compress = rate(256, () => void poseidon2CompressBatch(pairs));
  return [
    {
      name: 'Poseidon2 of 64 bytes',
      value,
      unit: '/s',
      comparedWith: 'bigint',
      ratio: value / reference,
    },
    { name: 'Poseidon2 pair compression, in batches', value: compress, unit: '/s' },
  ];
}
