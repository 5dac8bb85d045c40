/**
 * The chain's records as JSON (spec/rpc.md): keys in snake_case, bytes and hashes as hex, quantities
 * as `0x` strings. Key names are what existing clients parse.
 */
import type { Account } from '../account/index.ts';
import { encode, toHex, toQuantity } from '../bytes/index.ts';
import type { ListedTx, TxPosition } from '../execution/index.ts';
import {
  type Address,
  type AuthKeys,
  encodeWaveCommitRecord,
  type HardFinalityCert,
  type Receipt,
  signerIndexes,
  type Tx,
  type WaveCommitRecord,
  waveDigest,
  writeAuthKeys,
  ZERO_HASH,
} from '../types/index.ts';
import type { Validator } from '../validators/index.ts';

export type Json = string | number | boolean | null | readonly Json[] | JsonRecord;

export interface JsonRecord {
  readonly [key: string]: Json;
}

export function accountJson(address: Address, account: Account, keys: AuthKeys): JsonRecord {
  return {
    address: toHex(address),
    nonce: toQuantity(account.nonceBase),
    balance: toQuantity(account.balance),
    code_hash: toHex(account.codeHash),
    // One tree holds all: an account has no root of its own.
    state_root: toHex(ZERO_HASH),
    account_type: account.accountType,
    auth_keys: toHex(encode((w) => writeAuthKeys(w, keys))),
    gas_tank: toQuantity(account.gasTank),
    key_nonce: account.keyNonce,
  };
}

/** `pyde_getWave`, and what `newWaves` pushes. */
export function waveJson(record: WaveCommitRecord): JsonRecord {
  return {
    chain_id: toQuantity(record.chainId),
    epoch: toQuantity(record.epoch),
    wave_id: toQuantity(record.waveId),
    anchor_round: toQuantity(record.anchorRound),
    prior_anchor_round: toQuantity(record.priorAnchorRound),
    anchor_hash: toHex(record.anchorHash),
    prev_digest: toHex(record.prevDigest),
    timestamp: toQuantity(record.timestampMs),
    state_root: {
      blake3: toHex(record.stateRoot.blake3),
      poseidon2: toHex(record.stateRoot.poseidon2),
    },
    events_root: toHex(record.eventsRoot),
    tx_root: toHex(record.txRoot),
    tx_count: record.txCount,
    events_count: record.eventsCount,
    gas_used: toQuantity(record.gasUsed),
    base_fee: toQuantity(record.baseFee),
    next_beacon: record.nextBeacon === undefined ? null : toHex(record.nextBeacon),
    next_committee_hash:
      record.nextCommitteeHash === undefined ? null : toHex(record.nextCommitteeHash),
    digest: toHex(waveDigest(record)),
  };
}

/** `pyde_getHardFinalityCert`, and what `finality` pushes. */
export function certJson(cert: HardFinalityCert): JsonRecord {
  const { record, signatures } = cert;
  const members = signerIndexes(cert.signers);
  return {
    commit: {
      ...waveJson(record),
      events_bloom: toHex(record.eventsBloom),
      record: toHex(encodeWaveCommitRecord(record)),
    },
    signatures: signatures.map((signature, i) => [members[i] ?? 0, toHex(signature)]),
  };
}

/** `pyde_getTransactionReceipt`. No transaction that is served emits events. */
export function receiptJson(receipt: Receipt): JsonRecord {
  const { revertReason } = receipt;
  return {
    tx_hash: toHex(receipt.txHash),
    tx_index: toQuantity(receipt.txIndex),
    wave_id: toQuantity(receipt.waveId),
    status: receipt.status,
    gas_used: toQuantity(receipt.gasUsed),
    fee_paid: toQuantity(receipt.feePaid),
    return_data: toHex(receipt.returnData),
    events: [],
    revert_reason:
      revertReason === undefined
        ? null
        : { category: revertReason.category, message: revertReason.message },
  };
}

/** `pyde_getTx`; without a wave while the transaction is pending. */
export function txJson(tx: Tx, position: TxPosition | undefined): JsonRecord {
  return {
    sender: toHex(tx.from),
    to: toHex(tx.to),
    value: toQuantity(tx.value),
    data: toHex(tx.data),
    gas_limit: toQuantity(tx.gasLimit),
    nonce: toQuantity(tx.nonce),
    chain_id: toQuantity(tx.chainId),
    tx_type: tx.type,
    ...(position === undefined ? {} : { wave_id: toQuantity(position.waveId) }),
  };
}

/** One entry of `pyde_getWaveTransactions` and `pyde_getAccountTransactions`. */
export function listedTxJson(listed: ListedTx): JsonRecord {
  return {
    tx_hash: toHex(listed.hash),
    tx_index: toQuantity(listed.txIndex),
    ...txJson(listed.tx, listed),
    status: listed.receipt.status,
    gas_used: toQuantity(listed.receipt.gasUsed),
    fee_paid: toQuantity(listed.receipt.feePaid),
  };
}

export function positionJson(position: TxPosition): JsonRecord {
  return { wave_id: toQuantity(position.waveId), tx_index: toQuantity(position.txIndex) };
}

export function validatorJson(address: Address, validator: Validator): JsonRecord {
  const wave = (id: bigint | undefined): Json => (id === undefined ? null : toQuantity(id));
  return {
    validator_address: toHex(address),
    operator: toHex(validator.operator),
    pubkey: toHex(validator.publicKey),
    stake: toQuantity(validator.stake),
    status: validator.status,
    unbond_at_wave: wave(validator.unbondAtWave),
    jail_until_wave: wave(validator.jailUntilWave),
    last_claimed_rps: toQuantity(validator.lastClaimedRps),
    uptime_bps: validator.uptimeBps,
  };
}
