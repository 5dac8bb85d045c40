import { beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { addressOf } from '../tx/testing.ts';
import { MAX_OUTBOUND_CHARS, MAX_SUBSCRIPTIONS, type RpcConnection } from './index.ts';
import { TestNode } from './testing.ts';

let node: TestNode;
let connection: RpcConnection;
let sent: string[];
let buffered: number;
let closed: string[];
let nextId = 0;

beforeEach(async () => {
  node = await TestNode.start();
  sent = [];
  closed = [];
  buffered = 0;
  connection = node.service.connect({
    send: (text) => {
      sent.push(text);
    },
    buffered: () => buffered,
    close: (reason) => {
      closed.push(reason);
    },
  });
});

/** Sends a request and takes its answer out of what was sent. */
async function ask(method: string, ...params: unknown[]): Promise<Record<string, unknown>> {
  await connection.receive(JSON.stringify({ jsonrpc: '2.0', id: nextId++, method, params }));
  return JSON.parse(sent.pop() ?? 'null');
}

const pushes = (): { subscription: string; result: Record<string, unknown> }[] =>
  sent
    .map((text) => JSON.parse(text))
    .map((message) => {
      expect(message).toMatchObject({ jsonrpc: '2.0', method: 'pyde_subscription' });
      expect('id' in message).toBe(false);
      return message.params;
    });

describe('subscriptions', () => {
  it('push each new wave and each certificate in order, as the read methods show them', async () => {
    const waves = (await ask('pyde_subscribe', 'newWaves'))['result'];
    const finality = (await ask('pyde_subscribe', 'finality'))['result'];
    expect(typeof waves).toBe('string');
    expect(finality).not.toBe(waves);
    await node.wave();
    await node.wave();
    expect(pushes()).toEqual([
      { subscription: waves, result: await node.call('pyde_getWave', 1) },
      { subscription: finality, result: await node.call('pyde_getHardFinalityCert', 1) },
      { subscription: waves, result: await node.call('pyde_getWave', 2) },
      { subscription: finality, result: await node.call('pyde_getHardFinalityCert', 2) },
    ]);
  });

  it('end with unsubscribe, which answers true; an unknown id is refused', async () => {
    const id = (await ask('pyde_subscribe', 'newWaves'))['result'];
    expect((await ask('pyde_unsubscribe', id))['result']).toBe(true);
    expect(await ask('pyde_unsubscribe', id)).toMatchObject({ error: { code: -32602 } });
    await node.wave();
    expect(sent).toEqual([]);
  });

  it('serve every other method on the same connection', async () => {
    expect(await ask('pyde_chainId')).toMatchObject({ result: '0x7a69' });
  });

  it('take a log filter with a cursor, and check it', async () => {
    const filter = {
      contracts: [toHex(addressOf(0))],
      topics: [null, null, null, null],
      cursor: { wave_id: '0x1', tx_index: 0, event_index: 0 },
    };
    expect(typeof (await ask('pyde_subscribe', 'logs', filter))['result']).toBe('string');
    expect(typeof (await ask('pyde_subscribe', 'logs'))['result']).toBe('string');
    const bad: unknown[][] = [
      ['logs', { contract: 'x' }],
      ['logs', { topics: 'x' }],
      ['newHeads'],
      ['newWaves', {}],
      [],
      [{ method: 'logs' }],
      ['logs', filter, 1],
    ];
    for (const params of bad) {
      expect(await ask('pyde_subscribe', ...params), JSON.stringify(params)).toMatchObject({
        error: { code: -32602, data: { code: 'rpc.params' } },
      });
    }
    await node.wave();
    expect(sent).toEqual([]);
  });

  it('are bounded in number', async () => {
    for (let i = 0; i < MAX_SUBSCRIPTIONS; i++) await ask('pyde_subscribe', 'newWaves');
    expect(await ask('pyde_subscribe', 'finality')).toMatchObject({
      error: { code: -32000, data: { code: 'rpc.subscriptions' } },
    });
    await node.wave();
    expect(sent).toHaveLength(MAX_SUBSCRIPTIONS);
  });

  it('close a reader that is too slow, with a reason, and hold nothing for it', async () => {
    await ask('pyde_subscribe', 'newWaves');
    buffered = MAX_OUTBOUND_CHARS;
    await node.wave();
    await node.wave();
    expect(sent).toEqual([]);
    expect(closed).toEqual([expect.stringContaining('slow reader')]);
    expect(node.listeners).toBe(0);
  });

  it('leave nothing behind when the connection goes', async () => {
    await ask('pyde_subscribe', 'newWaves');
    connection.close();
    await node.wave();
    await connection.receive('{"jsonrpc":"2.0","id":1,"method":"pyde_chainId"}');
    expect(sent).toEqual([]);
    expect(closed).toEqual([]);
    expect(node.listeners).toBe(0);
  });

  it('never push before the answer that names them', async () => {
    const batch = JSON.stringify([
      { jsonrpc: '2.0', id: 1, method: 'pyde_subscribe', params: ['newWaves'] },
      { jsonrpc: '2.0', id: 2, method: 'pyde_chainId' },
    ]);
    const receiving = connection.receive(batch);
    const landing = node.wave();
    await Promise.all([receiving, landing]);
    expect(JSON.parse(sent[0] ?? 'null')).toMatchObject([{ id: 1 }, { id: 2 }]);
  });
});
