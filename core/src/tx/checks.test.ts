import { describe, expect, it } from 'vitest';
import { PydeError } from '../bytes/index.ts';
import { TX_TYPE, type Tx, toFalconPublicKey, toQuanta, ZERO_ADDRESS } from '../types/index.ts';
import {
  checkTx,
  encodeGasTankDeposit,
  encodeGasTankWithdraw,
  encodeRegisterPubkey,
  encodeRotateKeys,
  TX_TYPE_NAME,
} from './index.ts';
import { addressOf, DEVNET_CHAIN_ID, publicKeyOf, registrationOf, txOf } from './testing.ts';

const RULES = { chainId: DEVNET_CHAIN_ID, waveGasCeiling: 400_000_000n };

function codeOf(tx: Tx): string {
  try {
    checkTx(tx, RULES);
  } catch (error) {
    if (error instanceof PydeError) return error.code;
    throw error;
  }
  return 'accepted';
}

const amount = toQuanta(5n);
const rotation = (data = encodeRotateKeys({ kind: 'single', key: publicKeyOf(1) })): Tx =>
  txOf({ type: TX_TYPE.rotateKeys, data });
const withdrawal = (target = addressOf(0)): Tx =>
  txOf({
    type: TX_TYPE.gasTankWithdraw,
    data: encodeGasTankWithdraw({ target, amount, recipient: addressOf(1) }),
  });
const deposit = (): Tx =>
  txOf({
    type: TX_TYPE.gasTankDeposit,
    data: encodeGasTankDeposit({ target: addressOf(1), amount }),
  });

describe('static checks', () => {
  it('accept each served type', () => {
    for (const tx of [txOf(), registrationOf(1), rotation(), deposit(), withdrawal()]) {
      expect(codeOf(tx)).toBe('accepted');
    }
  });

  it('accept data on a transfer, which no code will see', () => {
    expect(codeOf(txOf({ data: Uint8Array.of(1, 2, 3) }))).toBe('accepted');
  });

  it('ask for this chain', () => {
    expect(codeOf(txOf({ chainId: 1n }))).toBe('tx.chain-id');
  });

  it('ask for at least 21,000 gas and at most a wave of it', () => {
    expect(codeOf(txOf({ gasLimit: 20_999n }))).toBe('tx.gas-limit');
    expect(codeOf(txOf({ gasLimit: 400_000_000n }))).toBe('accepted');
    expect(codeOf(txOf({ gasLimit: 400_000_001n }))).toBe('tx.gas-ceiling');
  });

  it('ask for no recipient but in a transfer', () => {
    for (const tx of [registrationOf(1), rotation(), deposit(), withdrawal()]) {
      expect(codeOf({ ...tx, to: addressOf(2) })).toBe('tx.recipient');
      expect(codeOf({ ...tx, to: ZERO_ADDRESS })).toBe('accepted');
    }
  });

  it('ask for no value in the types that move none', () => {
    for (const tx of [registrationOf(1), rotation(), deposit(), withdrawal()]) {
      expect(codeOf({ ...tx, value: toQuanta(1n) })).toBe('tx.value');
    }
  });

  it('refuse a payer other than the sender', () => {
    for (const tx of [txOf(), registrationOf(1)]) {
      expect(codeOf({ ...tx, feePayer: { kind: 'gas-tank' } })).toBe('tx.fee-payer');
      const feePayer = { kind: 'paymaster', address: addressOf(1) } as const;
      expect(codeOf({ ...tx, feePayer })).toBe('tx.fee-payer');
    }
  });

  it('name the type that is not served', () => {
    const served = [
      'standard',
      'registerPubkey',
      'rotateKeys',
      'gasTankDeposit',
      'gasTankWithdraw',
    ];
    const others = Object.entries(TX_TYPE).filter(([name]) => !served.includes(name));
    expect(others.length).toBe(18);
    for (const [, type] of others) {
      expect(codeOf(txOf({ type }))).toBe('tx.not-served');
      expect(() => checkTx(txOf({ type }), RULES)).toThrow(TX_TYPE_NAME.get(type));
    }
    expect(() => checkTx(txOf({ type: 40 }), RULES)).toThrow('Parachain40');
  });
});

describe('a RegisterPubkey', () => {
  it('carries no signature', () => {
    expect(codeOf({ ...registrationOf(1), signature: Uint8Array.of(1) })).toBe('tx.signature');
  });

  it('carries the key of its sender', () => {
    expect(codeOf({ ...registrationOf(1), from: addressOf(2) })).toBe('tx.address');
  });

  it('carries one key and nothing else', () => {
    const { data } = registrationOf(1);
    expect(codeOf({ ...registrationOf(1), data: data.subarray(1) })).toBe('tx.payload');
    expect(codeOf({ ...registrationOf(1), data: new Uint8Array(897) })).toBe('tx.payload');
    const noKey = toFalconPublicKey(new Uint8Array(897).fill(0xff).fill(9, 0, 1));
    expect(codeOf({ ...registrationOf(1), data: encodeRegisterPubkey(noKey) })).toBe('tx.payload');
  });

  it('is not held to a gas limit, since it pays nothing', () => {
    expect(codeOf({ ...registrationOf(1), gasLimit: 0n })).toBe('accepted');
  });
});

describe('the other payloads', () => {
  it('a rotation names valid keys, and some', () => {
    const key = publicKeyOf(1);
    const keys = [key, publicKeyOf(2)];
    expect(codeOf(rotation(encodeRotateKeys({ kind: 'multisig', keys, threshold: 2 })))).toBe(
      'accepted',
    );
    const bad = [
      encodeRotateKeys({ kind: 'none' }),
      encodeRotateKeys({ kind: 'multisig', keys, threshold: 3 }),
      encodeRotateKeys({ kind: 'multisig', keys, threshold: 0 }),
      encodeRotateKeys({ kind: 'multisig', keys: [key, key], threshold: 1 }),
      encodeRotateKeys({ kind: 'multisig', keys: [], threshold: 1 }),
      encodeRotateKeys({
        kind: 'single',
        key: toFalconPublicKey(new Uint8Array(897).fill(0xff).fill(9, 0, 1)),
      }),
      Uint8Array.of(3),
      new Uint8Array(0),
    ];
    for (const data of bad) expect(codeOf(rotation(data))).toBe('tx.payload');
  });

  it('a withdrawal is from the own tank', () => {
    expect(codeOf(withdrawal(addressOf(2)))).toBe('tx.not-owner');
  });

  it('have one length', () => {
    for (const tx of [deposit(), withdrawal()]) {
      const longer = new Uint8Array(tx.data.length + 1);
      expect(codeOf({ ...tx, data: longer })).toBe('tx.payload');
      expect(codeOf({ ...tx, data: tx.data.subarray(1) })).toBe('tx.payload');
    }
  });
});
