import { describe, expect, it } from 'vitest';
import {
  deriveDevnetAccount,
  deriveDevnetValidator,
  devnetAccounts,
  devnetValidator,
} from './devnet-keys.ts';

describe('devnet keys', () => {
  it('the constants are what the definition derives', () => {
    const accounts = devnetAccounts(10);
    expect(accounts).toHaveLength(10);
    for (const [i, account] of accounts.entries()) expect(account).toEqual(deriveDevnetAccount(i));
    expect(devnetValidator(undefined)).toEqual(deriveDevnetValidator(0n));
  });

  it('further accounts and seeds are derived, out-of-range counts refused', () => {
    expect(devnetAccounts(11)[10]).toEqual(deriveDevnetAccount(10));
    expect(devnetValidator(7n)).toEqual(deriveDevnetValidator(7n));
    expect(() => devnetAccounts(1001)).toThrow(/between 0 and 1000/);
  });
});
