import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAccount } from '../account/index.ts';
import { encodeGasTankDeposit, encodeGasTankWithdraw, encodeTx } from '../tx/index.ts';
import { addressOf, registrationOf, signedBy } from '../tx/testing.ts';
import { TX_TYPE, type Tx, toNonce, toQuanta } from '../types/index.ts';
import { DEVNET_BALANCE, DEVNET_PARAMETERS, TestChain, testGenesis } from './testing.ts';

/** Odd percents and a fee of one quantum, so that every division leaves something. */
const parameters = {
  ...DEVNET_PARAMETERS,
  burnPercent: 33,
  rewardPoolPercent: 33,
  startBaseFee: toQuanta(3n),
  waveGasCeiling: 100_000n,
};

const amount = fc.oneof(
  fc.bigInt({ min: 0n, max: 10n }),
  fc.bigInt({ min: 0n, max: 2n * DEVNET_BALANCE }),
);
const step = fc.record({
  kind: fc.constantFrom('transfer', 'deposit', 'withdraw', 'register'),
  sender: fc.nat(6),
  other: fc.nat(6),
  amount,
  ahead: fc.constantFrom(0n, 0n, 0n, 1n, 20n),
});

describe('the supply', () => {
  it('is kept by every wave of random transactions, each held to it by the chain of this test', async () => {
    const waves = fc.array(fc.array(step, { maxLength: 6 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(waves, async (plan) => {
        const chain = await TestChain.start(testGenesis({ parameters }));
        for (const steps of plan) {
          const wires = steps.map((one) => {
            const base = readAccount(chain.state, addressOf(one.sender)).nonceBase;
            return encodeTx(txOfStep(one, base + one.ahead));
          });
          const wave = await chain.wave(wires);
          expect(wave.executed.length + wave.passedOver.length).toBe(wires.length);
        }
      }),
      { numRuns: 25 },
    );
  });
});

function txOfStep(
  one: { kind: string; sender: number; other: number; amount: bigint },
  nonce: bigint,
): Tx {
  const value = toQuanta(one.amount);
  const target = addressOf(one.other);
  const fields = { nonce: toNonce(nonce) };
  switch (one.kind) {
    case 'deposit':
      return signedBy(one.sender, {
        ...fields,
        type: TX_TYPE.gasTankDeposit,
        data: encodeGasTankDeposit({ target, amount: value }),
      });
    case 'withdraw':
      return signedBy(one.sender, {
        ...fields,
        type: TX_TYPE.gasTankWithdraw,
        data: encodeGasTankWithdraw({
          target: addressOf(one.sender),
          amount: value,
          recipient: target,
        }),
      });
    case 'register':
      return registrationOf(one.sender, nonce);
    default:
      return signedBy(one.sender, { ...fields, to: target, value });
  }
}
