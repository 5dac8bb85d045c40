import { argon2id as nobleArgon2id } from '@noble/hashes/argon2.js';
import { describe, expect, it } from 'vitest';
import { isPydeError, toHex } from '../bytes/index.ts';
import { argon2id, argon2idAsync } from './index.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const PASSWORD = text('password');
const SALT = text('somesalt');

describe('argon2id', () => {
  // The tests of the reference implementation, phc-winner-argon2 src/test.c.
  it.each([
    [
      { memoryKb: 256, iterations: 2, parallelism: 1 },
      '9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe',
    ],
    [
      { memoryKb: 256, iterations: 2, parallelism: 2 },
      '6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037',
    ],
  ])('with %o gives the known key', async (parameters, key) => {
    expect(toHex(argon2id(PASSWORD, SALT, parameters))).toBe(`0x${key}`);
    expect(toHex(await argon2idAsync(PASSWORD, SALT, parameters))).toBe(`0x${key}`);
  });

  it('rests on an Argon2id that gives the tag of RFC 9106 §5.3', () => {
    const tag = nobleArgon2id(new Uint8Array(32).fill(1), new Uint8Array(16).fill(2), {
      t: 3,
      m: 32,
      p: 4,
      dkLen: 32,
      version: 0x13,
      key: new Uint8Array(8).fill(3),
      personalization: new Uint8Array(12).fill(4),
    });
    const known = '0x0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659';
    expect(toHex(tag)).toBe(known);
  });

  it('reports progress from 0 to 1 in the asynchronous form', async () => {
    const seen: number[] = [];
    const parameters = { memoryKb: 256, iterations: 2, parallelism: 1 };
    await argon2idAsync(PASSWORD, SALT, parameters, (fraction) => seen.push(fraction));
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
  });

  it.each([
    ['memory above 1 GiB', { memoryKb: 1024 * 1024 + 1, iterations: 1, parallelism: 1 }],
    ['memory below 8 KiB a lane', { memoryKb: 31, iterations: 1, parallelism: 4 }],
    ['no iteration', { memoryKb: 64, iterations: 0, parallelism: 1 }],
    ['17 iterations', { memoryKb: 64, iterations: 17, parallelism: 1 }],
    ['no lane', { memoryKb: 64, iterations: 1, parallelism: 0 }],
    ['17 lanes', { memoryKb: 256, iterations: 1, parallelism: 17 }],
    ['half an iteration', { memoryKb: 64, iterations: 1.5, parallelism: 1 }],
    ['a memory that is no number', { memoryKb: Number.NaN, iterations: 1, parallelism: 1 }],
  ])('refuses %s', async (_, parameters) => {
    const refused = (error: unknown): boolean => isPydeError(error, 'crypto.argon2');
    expect(() => argon2id(PASSWORD, SALT, parameters)).toThrow(expect.toSatisfy(refused));
    await expect(argon2idAsync(PASSWORD, SALT, parameters)).rejects.toSatisfy(refused);
  });

  it('refuses a salt below 8 bytes', () => {
    const parameters = { memoryKb: 64, iterations: 1, parallelism: 1 };
    expect(() => argon2id(PASSWORD, SALT.subarray(1), parameters)).toThrow('salt bytes');
  });
});
