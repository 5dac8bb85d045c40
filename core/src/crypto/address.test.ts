import { describe, expect, it } from 'vitest';
import accounts from '../../vectors/devnet-accounts.json' with { type: 'json' };
import vectors from '../../vectors/wire-vectors.json' with { type: 'json' };
import { fromHex, toHex } from '../bytes/index.ts';
import { childAddress, contractAddress, eoaAddress, FALCON_PUBLIC_KEY_BYTES } from './index.ts';

const digest = (text: string): Uint8Array => fromHex(text, { exactBytes: 32 });

describe('addresses', () => {
  it.each([...vectors.address.map(({ pk, address }) => ({ address, publicKey: pk })), ...accounts])(
    'of an account is $address',
    ({ publicKey, address }) => {
      const key = fromHex(publicKey, { exactBytes: FALCON_PUBLIC_KEY_BYTES });
      expect(toHex(eoaAddress(key))).toBe(address);
    },
  );

  it('of a named contract is the known one', () => {
    const { name, poseidon2 } = vectors.contract_address;
    expect(toHex(contractAddress(name))).toBe(poseidon2);
  });

  it('of a child is the known one', () => {
    const { parent, template, salt, out } = vectors.child_address;
    expect(toHex(childAddress(digest(parent), digest(template), digest(salt)))).toBe(out);
  });

  it('are refused for keys and parts of another length', () => {
    const whole = new Uint8Array(32);
    expect(() => eoaAddress(new Uint8Array(896))).toThrow('896 bytes');
    expect(() => childAddress(whole.subarray(1), whole, whole)).toThrow('31 bytes');
    expect(() => childAddress(whole, whole.subarray(1), whole)).toThrow('31 bytes');
    expect(() => childAddress(whole, whole, whole.subarray(1))).toThrow('31 bytes');
  });
});
