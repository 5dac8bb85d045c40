import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, isPydeError, toHex } from '../bytes/index.ts';
import { aes256Gcm, chacha20Poly1305, xchacha20Poly1305 } from './index.ts';

const hex = (text: string): Uint8Array => fromHex(`0x${text}`, { maxBytes: 1024 });
const SUNSCREEN = new TextEncoder().encode(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
);
const RFC_KEY = hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f');
const RFC_ASSOCIATED = hex('50515253c0c1c2c3c4c5c6c7');
const GCM_KEY = hex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308');
const GCM_PLAINTEXT = hex(
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
);

const KNOWN = [
  {
    name: 'AES-256-GCM, GCM specification test case 13',
    cipher: aes256Gcm,
    key: new Uint8Array(32),
    nonce: new Uint8Array(12),
    plaintext: new Uint8Array(0),
    associated: undefined,
    sealed: '530f8afbc74536b9a963b4f1c4cb738b',
  },
  {
    name: 'AES-256-GCM, GCM specification test case 14',
    cipher: aes256Gcm,
    key: new Uint8Array(32),
    nonce: new Uint8Array(12),
    plaintext: new Uint8Array(16),
    associated: undefined,
    sealed: 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
  },
  {
    name: 'AES-256-GCM, GCM specification test case 16',
    cipher: aes256Gcm,
    key: GCM_KEY,
    nonce: hex('cafebabefacedbaddecaf888'),
    plaintext: GCM_PLAINTEXT,
    associated: hex('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
    sealed:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
  },
  {
    name: 'ChaCha20-Poly1305, RFC 8439 §2.8.2',
    cipher: chacha20Poly1305,
    key: RFC_KEY,
    nonce: hex('070000004041424344454647'),
    plaintext: SUNSCREEN,
    associated: RFC_ASSOCIATED,
    sealed:
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
  },
  {
    name: 'XChaCha20-Poly1305, draft-irtf-cfrg-xchacha-03 §A.3.1',
    cipher: xchacha20Poly1305,
    key: RFC_KEY,
    nonce: hex('404142434445464748494a4b4c4d4e4f5051525354555657'),
    plaintext: SUNSCREEN,
    associated: RFC_ASSOCIATED,
    sealed:
      'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49',
  },
] as const;

describe.each(KNOWN)('$name', ({ cipher, key, nonce, plaintext, associated, sealed }) => {
  it('seals to the known bytes', () => {
    expect(toHex(cipher.seal(key, nonce, plaintext, associated))).toBe(`0x${sealed}`);
  });

  it('opens the known bytes', () => {
    expect(toHex(cipher.open(key, nonce, hex(sealed), associated))).toBe(toHex(plaintext));
  });
});

describe.each([
  ['AES-256-GCM', aes256Gcm],
  ['ChaCha20-Poly1305', chacha20Poly1305],
  ['XChaCha20-Poly1305', xchacha20Poly1305],
] as const)('%s', (_, cipher) => {
  const key = new Uint8Array(32).fill(7);
  const nonce = new Uint8Array(cipher.nonceBytes).fill(9);

  it('opens what it sealed and refuses every changed bit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (plaintext, n) => {
        const sealed = cipher.seal(key, nonce, plaintext);
        expect(cipher.open(key, nonce, sealed)).toEqual(plaintext);
        const bit = n % (8 * sealed.length);
        const changed = sealed.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(codeOf(() => cipher.open(key, nonce, changed))).toBe('crypto.aead');
      }),
      { numRuns: 40 },
    );
  });

  it('refuses another key, nonce or associated data, cut and lengthened bytes', () => {
    const sealed = cipher.seal(key, nonce, SUNSCREEN, RFC_ASSOCIATED);
    const other = nonce.map((byte) => byte ^ 1);
    const refused = [
      () =>
        cipher.open(
          key.map((byte) => byte ^ 1),
          nonce,
          sealed,
          RFC_ASSOCIATED,
        ),
      () => cipher.open(key, other, sealed, RFC_ASSOCIATED),
      () => cipher.open(key, nonce, sealed),
      () => cipher.open(key, nonce, sealed.subarray(1), RFC_ASSOCIATED),
      () => cipher.open(key, nonce, sealed.subarray(0, 15), RFC_ASSOCIATED),
      () => cipher.open(key, nonce, new Uint8Array(0), RFC_ASSOCIATED),
      () => cipher.open(key, nonce, concatBytes(sealed, new Uint8Array(1)), RFC_ASSOCIATED),
    ];
    expect(refused.map(codeOf)).toEqual(refused.map(() => 'crypto.aead'));
  });

  it('refuses keys and nonces of another length', () => {
    const long = new Uint8Array(33);
    expect(codeOf(() => cipher.seal(long, nonce, SUNSCREEN))).toBe('crypto.length');
    expect(codeOf(() => cipher.open(key, long, SUNSCREEN))).toBe('crypto.length');
  });
});

function codeOf(operation: () => unknown): unknown {
  try {
    return operation();
  } catch (error) {
    return isPydeError(error) ? error.code : error;
  }
}
