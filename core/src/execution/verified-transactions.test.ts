import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { authKeysHash, readAccount, readAuthKeysOf, signatureChecks } from '../account/index.ts';
import { invariant } from '../bytes/index.ts';
import { falconVerifyBatch } from '../crypto/index.ts';
import type { SignatureCheck } from '../platform/index.ts';
import type { StateReader } from '../state/index.ts';
import { decodeTx, encodeRotateKeys, encodeTx, txHash } from '../tx/index.ts';
import { addressOf, publicKeyOf, signatureOf, signedByAll, txOf, wireBy } from '../tx/testing.ts';
import { type AuthKeys, TX_TYPE, toHash, toNonce, toQuanta } from '../types/index.ts';
import {
  type RightlySigned,
  VERIFIED_ENTRY_BYTES,
  VerifiedTransactions,
  verifiedEntries,
  type WaveResult,
} from './index.ts';
import { TestChain } from './testing.ts';

let chain: TestChain;
beforeEach(async () => {
  chain = await TestChain.start();
});

const nonce = (value: number) => toNonce(BigInt(value));
const transfer = (i: number, n = 0, key = i): Uint8Array => {
  const tx = txOf({ from: addressOf(i), to: addressOf(7), value: toQuanta(5n), nonce: nonce(n) });
  return encodeTx({ ...tx, signature: signatureOf(key, txHash(tx)) });
};
const rotation = (i: number, authKeys: AuthKeys, n = 0): Uint8Array =>
  wireBy(i, { type: TX_TYPE.rotateKeys, data: encodeRotateKeys(authKeys), nonce: nonce(n) });
const single = (i: number): AuthKeys => ({ kind: 'single', key: publicKeyOf(i) });
const anyOf = (threshold: number, keys: readonly number[]): AuthKeys => ({
  kind: 'multisig',
  threshold,
  keys: keys.map(publicKeyOf),
});
const twoOf = (...keys: number[]): AuthKeys => anyOf(2, keys);
const byPlaces = (places: [number, number][], n: number): Uint8Array =>
  encodeTx(
    signedByAll(
      places.map(([place, key]) => ({ place, key })),
      { to: addressOf(7), value: toQuanta(5n), nonce: nonce(n) },
    ),
  );

/** What admission finds of `bytes` on this state; undefined when it is not rightly signed. */
function admitted(state: StateReader, bytes: Uint8Array): RightlySigned | undefined {
  const tx = decodeTx(bytes);
  const hash = txHash(tx);
  const sender = readAccount(state, tx.from);
  try {
    const keys = readAuthKeysOf(state, tx.from, sender);
    const checks = signatureChecks(keys, hash, tx.signature);
    if (falconVerifyBatch(checks).includes(false)) return undefined;
  } catch {
    return undefined;
  }
  return { bytes, hash, keysHash: sender.authKeysHash };
}

function memoryOf(transactions: readonly Uint8Array[], state: StateReader = chain.state) {
  const verified = new VerifiedTransactions();
  const found = transactions.flatMap((bytes) => admitted(state, bytes) ?? []);
  verified.add(verifiedEntries(found));
  return verified;
}

/** The next wave, and the checks that it asked for. */
function executed(transactions: readonly Uint8Array[], verified?: VerifiedTransactions) {
  const asked: SignatureCheck[] = [];
  const verify = (checks: readonly SignatureCheck[]) => {
    asked.push(...checks);
    return falconVerifyBatch(checks);
  };
  const instead = verified === undefined ? { verify } : { verify, verified };
  const wave = chain.execute(transactions, undefined, undefined, instead);
  return { wave, asked };
}

const reasons = (wave: WaveResult) => wave.passedOver.map(({ reason }) => reason);
const outcome = ({ record, digest, executed: done, passedOver, writes }: WaveResult) => ({
  record,
  digest,
  done,
  passedOver,
  writes,
});

describe('a wave whose transactions were verified before', () => {
  it('asks for no check that was made, and for every other', () => {
    const wires = [transfer(0), transfer(1), transfer(2)];
    const all = executed(wires, memoryOf(wires));
    expect(all.asked).toEqual([]);
    const some = executed(wires, memoryOf(wires.slice(0, 2)));
    expect(some.asked.map(({ publicKey }) => publicKey)).toEqual([publicKeyOf(2)]);
    const none = executed(wires);
    expect(none.asked.length).toBe(3);
    expect(none.wave.executed.length).toBe(3);
    expect(outcome(some.wave)).toEqual(outcome(none.wave));
    expect(outcome(all.wave)).toEqual(outcome(none.wave));
  });

  it('refuses another signature on a transaction that was verified', () => {
    const right = transfer(0);
    const forged = transfer(0, 0, 1);
    expect(txHash(decodeTx(forged))).toEqual(txHash(decodeTx(right)));
    const verified = memoryOf([right]);
    expect(verified.find([forged])).toEqual([undefined]);
    expect(reasons(executed([forged], verified).wave)).toEqual(['tx.signature']);
    const { wave, asked } = executed([forged, right], verified);
    expect(reasons(wave)).toEqual(['tx.signature']);
    expect(wave.executed.length).toBe(1);
    expect(asked.length).toBe(1);
  });

  it('refuses what was verified under keys that an earlier wave replaced', async () => {
    const old = transfer(0, 1);
    const verified = memoryOf([old]);
    await chain.wave([rotation(0, single(5))]);
    expect(verified.find([old])[0]).toBeDefined();
    const { wave, asked } = executed([old], verified);
    expect(reasons(wave)).toEqual(['tx.signature']);
    expect(asked.map(({ publicKey }) => publicKey)).toEqual([publicKeyOf(5)]);
  });

  it('refuses what was verified under keys that the same wave replaces', () => {
    const wires = [rotation(0, single(5)), transfer(0, 1), transfer(0, 2, 5)];
    const { wave } = executed(wires, memoryOf(wires));
    expect(reasons(wave)).toEqual(['tx.signature']);
    expect(wave.executed.length).toBe(2);
    expect(outcome(wave)).toEqual(outcome(executed(wires).wave));
  });

  it('takes what was verified before a rotation to keys that were rotated back', async () => {
    const old = transfer(0, 3);
    const verified = memoryOf([old]);
    await chain.wave([rotation(0, single(5))]);
    const tx = txOf({
      from: addressOf(0),
      type: TX_TYPE.rotateKeys,
      data: encodeRotateKeys(single(0)),
      nonce: nonce(1),
    });
    await chain.wave([encodeTx({ ...tx, signature: signatureOf(5, txHash(tx)) })]);
    const { wave, asked } = executed([old], verified);
    expect(wave.executed.length).toBe(1);
    expect(asked).toEqual([]);
  });

  it('of several signers, asks anew for other signers and under another threshold', async () => {
    await chain.wave([rotation(0, twoOf(1, 2, 3))]);
    const wire = byPlaces(
      [
        [0, 1],
        [2, 3],
      ],
      1,
    );
    const verified = memoryOf([wire]);
    expect(verified.size).toBe(1);
    expect(executed([wire], verified)).toMatchObject({ asked: [], wave: { passedOver: [] } });
    const others = byPlaces(
      [
        [0, 1],
        [1, 2],
      ],
      1,
    );
    expect(executed([others], verified).asked.length).toBe(2);
    const halfForged = byPlaces(
      [
        [0, 1],
        [2, 4],
      ],
      1,
    );
    expect(reasons(executed([halfForged], verified).wave)).toEqual(['tx.signature']);

    const stricter = anyOf(3, [1, 2, 3]);
    const tx = { type: TX_TYPE.rotateKeys, data: encodeRotateKeys(stricter), nonce: nonce(1) };
    const signers = [1, 2, 3].map((key, place) => ({ place, key }));
    await chain.wave([encodeTx(signedByAll(signers, tx))]);
    const later = byPlaces(
      [
        [0, 1],
        [2, 3],
      ],
      2,
    );
    const asIfBefore = {
      bytes: later,
      hash: txHash(decodeTx(later)),
      keysHash: authKeysHash(twoOf(1, 2, 3)),
    };
    verified.add(verifiedEntries([asIfBefore]));
    expect(reasons(executed([later], verified).wave)).toEqual(['account.signature-threshold']);
  });

  it('ends the same with a full, a partial and an empty memory, whatever is in it', async () => {
    await chain.wave([rotation(3, twoOf(1, 2)), rotation(4, single(1))]);
    const before = chain.state;
    const kinds: readonly ((sender: number, n: number) => Uint8Array)[] = [
      (sender, n) => transfer(sender, n),
      (sender, n) => transfer(sender, n, (sender + 1) % 3),
      (sender, n) => transfer(4, n, sender === 0 ? 1 : 4),
      (sender, n) => rotation(sender, single((sender + 1) % 3), n),
      (sender, n) => rotation(sender, single(sender), n),
      (sender, n) => transfer(sender, n + 40),
      (sender, n) => transfer(sender, n).subarray(1),
    ];
    const step = fc.tuple(fc.nat(kinds.length - 1), fc.nat(2), fc.nat(2), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const wires = steps.map(([kind, sender, n]) => {
          const make = kinds[kind];
          invariant(make !== undefined, 'a kind was drawn');
          return make(sender, n);
        });
        const whole = wires.filter((wire) => wire.at(0) !== undefined && isTx(wire));
        const part = whole.filter((_, i) => steps[i]?.[3] === true);
        const bare = executed(wires);
        for (const remembered of [whole, part]) {
          const { wave, asked } = executed(wires, memoryOf(remembered, before));
          expect(outcome(wave)).toEqual(outcome(bare.wave));
          expect(asked.length).toBeLessThanOrEqual(bare.asked.length);
        }
      }),
      { numRuns: 60 },
    );
  });
});

function isTx(wire: Uint8Array): boolean {
  try {
    decodeTx(wire);
    return true;
  } catch {
    return false;
  }
}

describe('VerifiedTransactions', () => {
  const entry = (start: number, last: number): Uint8Array => {
    const flat = new Uint8Array(VERIFIED_ENTRY_BYTES).fill(start);
    flat[31] = last;
    return flat;
  };
  const wires = (count: number) =>
    Array.from({ length: count }, (_, i) => new Uint8Array(200).fill(i & 0xff).fill(i >> 8, 100));
  const entriesOf = (bytes: readonly Uint8Array[]) =>
    verifiedEntries(
      bytes.map((wire, i) => ({
        bytes: wire,
        hash: txHash(txOf({ nonce: nonce(i) })),
        keysHash: toHash(new Uint8Array(32).fill(i & 0xff)),
      })),
    );

  it('tells the hash and the keys of what was added, and nothing of the rest', () => {
    const verified = new VerifiedTransactions();
    const [first, second] = wires(2);
    invariant(first !== undefined && second !== undefined, 'two were made');
    verified.add(entriesOf([first]));
    const [found, missing] = verified.find([first, second]);
    expect(found?.hash).toEqual(txHash(txOf({ nonce: nonce(0) })));
    expect(found?.keysHash).toEqual(new Uint8Array(32));
    expect(missing).toBeUndefined();
  });

  it('holds at most its capacity and forgets the oldest first', () => {
    const verified = new VerifiedTransactions(50);
    const all = wires(500);
    for (let i = 0; i < all.length; i += 7) {
      verified.add(entriesOf(all.slice(i, i + 7)));
      expect(verified.size).toBeLessThanOrEqual(50);
    }
    expect(verified.size).toBe(50);
    const found = verified.find(all).map((one) => one !== undefined);
    expect(found).toEqual(all.map((_, i) => i >= 450));
  });

  it('forgets nothing while it grows to a capacity that is no power of two', () => {
    const verified = new VerifiedTransactions(1300);
    const all = wires(1500);
    verified.add(entriesOf(all.slice(0, 1299)));
    expect(verified.find(all.slice(0, 1299))).not.toContain(undefined);
    verified.add(entriesOf(all.slice(1299)));
    const found = verified.find(all).map((one) => one !== undefined);
    expect(found).toEqual(all.map((_, i) => i >= 200));
    expect(verified.size).toBe(1300);
  });

  it('takes no name for another that starts alike', () => {
    const [wire] = wires(1);
    invariant(wire !== undefined, 'one was made');
    const right = entriesOf([wire]);
    for (let at = 6; at < 32; at++) {
      const alike = right.slice();
      alike[at] = (alike[at] ?? 0) ^ 1;
      const verified = new VerifiedTransactions();
      verified.add(alike);
      expect(verified.find([wire])).toEqual([undefined]);
      verified.add(right);
      expect(verified.find([wire])[0]).toBeDefined();
      verified.add(alike);
      expect(verified.find([wire])).toEqual([undefined]);
    }
  });

  it('stays within its bound when the same names and starts come again and again', () => {
    const verified = new VerifiedTransactions(4);
    for (let i = 0; i < 100; i++) {
      verified.add(entry(i % 3, i));
      expect(verified.size).toBeLessThanOrEqual(3);
    }
    expect(() => verified.add(new Uint8Array(95))).toThrow('whole');
  });
});
