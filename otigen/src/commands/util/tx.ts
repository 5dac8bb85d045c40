/** `otigen util tx <wire hex>`: every field of a transaction, and its hash. */
import { toHex } from '@pyde/core/bytes';
import { decodeTx, txHash, txTypeName } from '@pyde/core/tx';
import type { Tx } from '@pyde/core/types';
import type { Cli } from '../../cli.ts';
import type { JsonValue } from '../../output/index.ts';
import type { DefineCommand } from '../../program.ts';
import { hexInput } from './hex-input.ts';

export const define: DefineCommand = (command, cli) => {
  command
    .argument('<HEX>', 'wire bytes; - reads hex from standard input')
    .action((hex) => run(cli(), hex));
};

async function run(cli: Cli, hex: string): Promise<void> {
  const tx = decodeTx(await hexInput(hex, 'HEX'));
  const fields = { tx_hash: toHex(txHash(tx)), ...txFields(tx) };
  cli.output.event('util_tx', fields, () => {
    const width = Math.max(...Object.keys(fields).map((key) => key.length));
    const show = (value: JsonValue) => (typeof value === 'string' ? value : JSON.stringify(value));
    return Object.entries(fields)
      .map(([key, value]) => `${key.padEnd(width)}  ${show(value)}`)
      .join('\n');
  });
}

/** Numbers that may pass 2⁵³ are decimal strings. */
function txFields(tx: Tx): Record<string, JsonValue> {
  const payer = tx.feePayer;
  return {
    tx_type: tx.type,
    type_name: txTypeName(tx.type) ?? null,
    chain_id: tx.chainId.toString(),
    from: toHex(tx.from),
    to: toHex(tx.to),
    value: tx.value.toString(),
    nonce: tx.nonce.toString(),
    gas_limit: tx.gasLimit.toString(),
    fee_payer:
      payer.kind === 'paymaster' ? { kind: payer.kind, address: toHex(payer.address) } : payer.kind,
    deadline: tx.deadline?.toString() ?? null,
    access_list: tx.accessList.map((entry) => ({
      address: toHex(entry.address),
      access: entry.access,
      storage_keys: entry.storageKeys.map(toHex),
    })),
    data: toHex(tx.data),
    signature: toHex(tx.signature),
  };
}
