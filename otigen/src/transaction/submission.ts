/**
 * A signed transaction on its way: handed to the node, which admits or refuses it at once, then
 * watched until it has a receipt (OTIGEN_BINARY_SPEC §3.3 step 6: 60 seconds).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isPydeError, toHex } from '@pyde/core/bytes';
import type { RpcClient } from '@pyde/platform-node/client';
import * as v from 'valibot';
import { badAnswer, quantityOf } from '../network/index.ts';
import { Failure } from '../output/index.ts';

const WAIT_AT_MOST_MS = 60_000;
const FIRST_POLL_MS = 10;
const SLOWEST_POLL_MS = 250;

export interface Inclusion {
  readonly txHash: string;
  readonly waveId: bigint;
  readonly gasUsed: bigint;
  readonly feePaid: bigint;
}

const Answer = v.nullable(
  v.looseObject({
    wave_id: v.string(),
    status: v.picklist(['success', 'reverted', 'out_of_gas']),
    gas_used: v.string(),
    fee_paid: v.string(),
    revert_reason: v.nullish(v.looseObject({ category: v.string(), message: v.string() })),
  }),
);

const Dropped = v.looseObject({
  status: v.literal('dropped'),
  reason: v.looseObject({ code: v.string(), message: v.string() }),
});

/**
 * Submits wire bytes. @returns the hash
 * @throws Failure of kind transaction with the node's code and sentence when a rule is broken
 */
export async function submit(client: RpcClient, wire: Uint8Array): Promise<string> {
  let answer: unknown;
  try {
    answer = await client.call('pyde_sendRawTransaction', [toHex(wire)]);
  } catch (error) {
    if (!isPydeError(error, 'rpc.refused') && !isPydeError(error, 'rpc.params')) throw error;
    const { code, ...details } = error.details;
    throw new Failure('transaction', String(code ?? error.code), error.message, { details });
  }
  if (typeof answer === 'string') return answer;
  throw badAnswer('pyde_sendRawTransaction', client.url);
}

/**
 * Waits for the receipt of a submitted transaction.
 * @throws Failure of kind transaction when it failed or was dropped; `NoReceipt` after a minute
 */
export async function waitForInclusion(client: RpcClient, txHash: string): Promise<Inclusion> {
  const until = performance.now() + WAIT_AT_MOST_MS;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, SLOWEST_POLL_MS)) {
    const receipt = v.safeParse(Answer, await client.call('pyde_getTransactionReceipt', [txHash]));
    if (!receipt.success) throw badAnswer('pyde_getTransactionReceipt', client.url);
    if (receipt.output !== null) return inclusion(client, txHash, receipt.output);
    if (pollMs === SLOWEST_POLL_MS) await refuseDropped(client, txHash);
    if (performance.now() > until) {
      throw new Failure(
        'resource',
        'NoReceipt',
        'the transaction has no receipt after 60 seconds',
        {
          details: { tx_hash: txHash },
          next: 'it may still be included: ask the node for its status later, do not sign it anew yet',
        },
      );
    }
    await sleep(pollMs);
  }
}

function inclusion(
  client: RpcClient,
  txHash: string,
  receipt: NonNullable<v.InferOutput<typeof Answer>>,
): Inclusion {
  if (receipt.status !== 'success') {
    const { category, message } = receipt.revert_reason ?? {};
    const code = receipt.status === 'reverted' ? 'Reverted' : 'OutOfGas';
    throw new Failure('transaction', code, message ?? 'the transaction failed', {
      details: { tx_hash: txHash, ...(category === undefined ? {} : { category }) },
    });
  }
  const quantity = (field: 'wave_id' | 'gas_used' | 'fee_paid') =>
    quantityOf(receipt[field], `${field} of the receipt`, client.url);
  return {
    txHash,
    waveId: quantity('wave_id'),
    gasUsed: quantity('gas_used'),
    feePaid: quantity('fee_paid'),
  };
}

async function refuseDropped(client: RpcClient, txHash: string): Promise<void> {
  const answer = await client.call('pyde_getTransactionStatus', [txHash]);
  const dropped = v.safeParse(Dropped, answer);
  if (!dropped.success) return;
  const { code, message } = dropped.output.reason;
  throw new Failure('transaction', code, message, { details: { tx_hash: txHash } });
}
