/** What the tests of sync share: a chain of four members that is executed and certified in memory. */

import { u64BigEndian } from '../bytes/index.ts';
import { falconVerifyBatch } from '../crypto/index.ts';
import { DEVNET_PARAMETERS, TestChain, testGenesis } from '../execution/testing.ts';
import { buildCert, type Committee, encodeCert, genesisCommittee } from '../finality/index.ts';
import type { MemoryStore } from '../platform/index.ts';
import { TABLE, Table } from '../state/index.ts';
import { encodeTx } from '../tx/index.ts';
import { addressOf, publicKeyOf, signatureOf, signedBy } from '../tx/testing.ts';
import {
  type Genesis,
  type HardFinalityCert,
  toFalconSignature,
  toNonce,
  toQuanta,
  type WaveCommitRecord,
  waveDigest,
} from '../types/index.ts';

export const verify = falconVerifyBatch;

/** Devnet accounts 0 … 3 validate. */
export const fourMembers: Genesis = testGenesis({
  parameters: { ...DEVNET_PARAMETERS, gcRounds: 10 },
  validators: [0, 1, 2, 3].map((i) => ({
    address: addressOf(i),
    operator: addressOf(i),
    publicKey: publicKeyOf(i),
    stake: toQuanta(10n ** 13n),
  })),
});

export const committee: Committee = genesisCommittee(fourMembers);

export function certOf(record: WaveCommitRecord, signers = [0, 1, 3]): HardFinalityCert {
  const signatures = signers.map((member) => ({
    member,
    signature: toFalconSignature(signatureOf(member, waveDigest(record))),
  }));
  return buildCert(record, signatures, committee.members.length);
}

export async function keepCert(store: MemoryStore, cert: HardFinalityCert): Promise<void> {
  const key = u64BigEndian(cert.record.waveId);
  await store.batch([new Table(store, TABLE.certs).put(key, encodeCert(cert))]);
}

/** A transfer of devnet account 4, the `i`-th one. */
export const transfer = (i: number, value = 1n): Uint8Array =>
  encodeTx(signedBy(4, { to: addressOf(0), value: toQuanta(value), nonce: toNonce(BigInt(i)) }));

/**
 * A chain of `waves` waves with a transfer in every third, a copy of it in the wave after, which is
 * passed over, and certificates for every fifth wave alone.
 */
export async function certifiedChain(waves: number): Promise<TestChain> {
  const chain = await TestChain.start(fourMembers);
  let sent = 0;
  for (let wave = 1; wave <= waves; wave++) {
    const transactions: Uint8Array[] = [];
    if (wave % 3 === 0) transactions.push(transfer(sent++), new Uint8Array(150));
    if (wave % 3 === 1 && sent > 0) transactions.push(transfer(sent - 1));
    const { record } = await chain.wave(transactions);
    if (wave % 5 === 0) await keepCert(chain.store, certOf(record));
  }
  return chain;
}
