import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { keccak256 } from './index.ts';

describe('keccak256', () => {
  it.each([
    ['', '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'],
    ['abc', '0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'],
    ['testing', '0x5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02'],
  ])('of "%s" is the known digest', (text, digest) => {
    expect(toHex(keccak256(new TextEncoder().encode(text)))).toBe(digest);
  });
});
