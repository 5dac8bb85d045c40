import { beforeEach, describe, expect, it } from 'vitest';
import { concatBytes, toHex, toQuantity } from '../../bytes/index.ts';
import { DEVNET_BALANCE } from '../../execution/testing.ts';
import { encodeTx, txHash } from '../../tx/index.ts';
import { addressOf, signedBy, txOf, wireBy } from '../../tx/testing.ts';
import { refusal, TestNode, transfer } from '../testing.ts';

const A0 = toHex(addressOf(0));
const A1 = toHex(addressOf(1));
const ZEROS = `0x${'00'.repeat(32)}`;

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start();
});

describe('transactions', () => {
  it('are answered with their hash when sent again, also after a restart', async () => {
    const wire = toHex(wireBy(0, transfer()));
    const hash = await node.call('pyde_sendRawTransaction', wire);
    await node.wave();
    expect(await node.call('pyde_sendRawTransaction', wire)).toBe(hash);
    node.forgetPool();
    expect(await node.call('pyde_sendRawTransaction', wire)).toBe(hash);
    const other = node.call('pyde_sendRawTransaction', toHex(wireBy(0, transfer(0n, 6n))));
    expect(await refusal(other)).toEqual([-32000, 'account.nonce-past']);
  });

  it('go from pending to executed, and every read is current with the receipt', async () => {
    const tx = signedBy(0, transfer());
    const hash = toHex(txHash(tx));
    expect(await node.call('pyde_getTransactionStatus', hash)).toBeNull();
    expect(await node.call('pyde_sendRawTransaction', toHex(encodeTx(tx)))).toBe(hash);
    expect(await node.call('pyde_sendRawTransaction', toHex(encodeTx(tx)))).toBe(hash);
    expect(await node.call('pyde_getTransactionStatus', hash)).toEqual({ status: 'pending' });
    expect(await node.call('pyde_getTransactionReceipt', hash)).toBeNull();
    const shown = {
      sender: A0,
      to: A1,
      value: '0x5',
      data: '0x',
      gas_limit: '0x5208',
      nonce: '0x0',
      chain_id: '0x7a69',
      tx_type: 0,
    };
    expect(await node.call('pyde_getTx', hash)).toEqual(shown);
    await node.wave();
    const receipt = {
      tx_hash: hash,
      tx_index: '0x0',
      wave_id: '0x1',
      status: 'success',
      gas_used: '0x5208',
      fee_paid: toQuantity(2_100_000n),
      return_data: '0x',
      events: [],
      revert_reason: null,
    };
    expect(await node.call('pyde_getTransactionReceipt', hash)).toEqual(receipt);
    expect(await node.call('pyde_getReceipt', hash)).toEqual(receipt);
    expect(await node.call('pyde_getTx', hash)).toEqual({ ...shown, wave_id: '0x1' });
    expect(await node.call('pyde_getTransactionStatus', hash)).toEqual({
      status: 'executed',
      wave_id: '0x1',
      tx_index: '0x0',
      receipt_status: 'success',
    });
    expect(await node.call('pyde_getTransactionCount', A0)).toBe('0x1');
    expect(await node.call('pyde_getTransactionReceipt', ZEROS)).toBeNull();
    expect(await node.call('pyde_getTx', ZEROS)).toBeNull();
  });

  it('are refused at once with the code of the rule that they break', async () => {
    const wire = wireBy(0, transfer());
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [wire.subarray(0, wire.length - 9), 'borsh.truncated'],
      [concatBytes(wire, Uint8Array.of(0)), 'borsh.trailing-bytes'],
      [wireBy(0, { ...transfer(), chainId: 1n }), 'tx.chain-id'],
      [wireBy(0, { ...transfer(), gasLimit: 20_999n }), 'tx.gas-limit'],
      [wireBy(0, { ...transfer(16n) }), 'account.nonce-far'],
      [encodeTx(txOf({ ...transfer(), signature: signedBy(1).signature })), 'tx.signature'],
      [wireBy(0, transfer(0n, DEVNET_BALANCE - 2_100_000n + 1n)), 'account.balance'],
    ];
    for (const [bytes, code] of cases) {
      expect(await refusal(node.call('pyde_sendRawTransaction', toHex(bytes))), code).toEqual([
        -32000,
        code,
      ]);
    }
    await node.send(0, transfer());
    await node.wave();
    expect(
      await refusal(node.call('pyde_sendRawTransaction', toHex(wireBy(0, transfer(0n, 6n))))),
    ).toEqual([-32000, 'account.nonce-past']);
  });

  it('tell why they were dropped', async () => {
    const hash = await node.send(0, { ...transfer(3n), deadline: 1n });
    await node.chain.wave([]);
    await node.wave();
    expect(await node.call('pyde_getTransactionStatus', hash)).toEqual({
      status: 'dropped',
      reason: { code: 'tx.expired', message: expect.stringContaining('deadline') },
    });
    expect(await node.call('pyde_getTransactionReceipt', hash)).toBeNull();
    expect(await node.call('pyde_getTx', hash)).toBeNull();
  });

  it('are listed by wave and by account with cursors', async () => {
    const hashes: string[] = [];
    for (let nonce = 0n; nonce < 5n; nonce++) hashes.push(await node.send(0, transfer(nonce)));
    await node.wave();
    const page = async (method: string, ...params: unknown[]) =>
      JSON.parse(JSON.stringify(await node.call(method, ...params)));
    const first = await page('pyde_getWaveTransactions', 1, null, 2);
    expect(first.transactions.map((t: { tx_hash: string }) => t.tx_hash)).toEqual(
      hashes.slice(0, 2),
    );
    expect(first.transactions[1]).toMatchObject({ status: 'success', tx_index: '0x1', to: A1 });
    const second = await page('pyde_getWaveTransactions', 1, first.next_cursor, 3);
    expect(second.transactions.map((t: { tx_hash: string }) => t.tx_hash)).toEqual(hashes.slice(2));
    expect(second.next_cursor).toBeUndefined();
    expect(await node.call('pyde_getWaveTransactions', 7)).toEqual({ transactions: [] });
    const seen: string[] = [];
    let cursor: unknown = null;
    do {
      const got = await page('pyde_getAccountTransactions', A1, cursor, 2);
      for (const t of got.transactions) seen.push(t.tx_hash);
      cursor = got.next_cursor ?? null;
    } while (cursor !== null);
    expect(seen).toEqual([...hashes].reverse());
  });

  it('have a trace of one frame', async () => {
    const hash = await node.send(0, transfer());
    expect(await refusal(node.call('pyde_traceTransaction', hash))).toEqual([
      -32000,
      'rpc.transaction-unknown',
    ]);
    const simulated = await node.call('pyde_simulateTransaction', toHex(wireBy(0, transfer())));
    await node.wave();
    const trace = JSON.parse(JSON.stringify(await node.call('pyde_traceTransaction', hash)));
    expect(trace.frames).toHaveLength(1);
    expect(trace.frames[0]).toMatchObject({
      contract: A1,
      input: '0x',
      output: '0x',
      gas_used: '0x5208',
      events: [],
      frames: [],
    });
    const { access_list } = JSON.parse(JSON.stringify(simulated));
    expect([...trace.frames[0].writes].sort()).toEqual([...access_list.writes].sort());
  });
});
