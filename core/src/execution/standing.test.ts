import { describe, expect, it } from 'vitest';
import { ZERO_ACCOUNT } from '../account/index.ts';
import { encodeGasTankDeposit } from '../tx/index.ts';
import { registrationOf, txOf } from '../tx/testing.ts';
import { TX_TYPE, toHash, toQuanta, ZERO_ADDRESS } from '../types/index.ts';
import { gasBoundOf, maxFeeOf, requireRunnable, spendOf } from './index.ts';

const code = toHash(new Uint8Array(32).fill(1));

describe('a transfer', () => {
  it('does not go to a contract, told by its type or its code', () => {
    const contract = { ...ZERO_ACCOUNT, accountType: 'contract' } as const;
    const coded = { ...ZERO_ACCOUNT, codeHash: code };
    for (const recipient of [contract, coded]) {
      expect(() => requireRunnable(txOf(), ZERO_ACCOUNT, recipient, 1n)).toThrow('calls');
    }
    const system = { ...ZERO_ACCOUNT, accountType: 'system' } as const;
    for (const recipient of [ZERO_ACCOUNT, system]) {
      expect(() => requireRunnable(txOf(), ZERO_ACCOUNT, recipient, 1n)).not.toThrow();
    }
  });
});

describe('what a transaction may take', () => {
  it('is value or deposit, and the fee of its whole gas limit', () => {
    const amount = toQuanta(9n);
    const data = encodeGasTankDeposit({ target: ZERO_ADDRESS, amount });
    const deposit = txOf({ type: TX_TYPE.gasTankDeposit, data, gasLimit: 30_000n });
    expect([spendOf(txOf({ value: amount })), spendOf(deposit), spendOf(txOf())]).toEqual([
      9n,
      9n,
      0n,
    ]);
    expect([maxFeeOf(deposit, 7n), gasBoundOf(deposit)]).toEqual([210_000n, 21_000n]);
    expect([maxFeeOf(registrationOf(1), 7n), gasBoundOf(registrationOf(1))]).toEqual([0n, 0n]);
  });
});
