/**
 * Writes falcon-hash-tables.generated.ts: for each set of accepted samples among eight (bit i for
 * sample i) the byte shuffle that moves them to the front of a vector, and turns them from
 * big-endian to little-endian on the way.
 */
import { writeFileSync } from 'node:fs';

const shuffles = Array.from({ length: 256 }, (_, accepted) => {
  const bytes = [];
  for (let i = 0; i < 8; i++) if ((accepted >> i) & 1) bytes.push(2 * i + 1, 2 * i);
  return [...bytes, ...new Array(16 - bytes.length).fill(0)];
});

writeFileSync(
  new URL('./falcon-hash-tables.generated.ts', import.meta.url),
  '// Written by falcon-hash-tables.mjs.\n' +
    `export const PACK_ACCEPTED: usize = memory.data<u8>([${shuffles.flat()}], 16);\n`,
);
