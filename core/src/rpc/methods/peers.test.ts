import { expect, it } from 'vitest';
import { toValidatorIndex } from '../../types/index.ts';
import { TestNode } from '../testing.ts';

const request = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'pyde_getPeers', params: [] });

it('shows peers to the operator of the node, and to nobody else', async () => {
  const node = await TestNode.start();
  node.connectedPeers = [
    {
      ...{ peerId: '12D3KooWPeer', validator: toValidatorIndex(3), score: 0, roundTripMs: 4 },
      ...{ address: '/ip4/127.0.0.1/tcp/2', direction: 'inbound', transport: 'tcp' },
      ...{ sinceMs: 5, bytesIn: 6, bytesOut: 7 },
    },
    {
      ...{ peerId: '12D3KooWOther', address: '/ip4/127.0.0.1/udp/3/quic-v1', score: -2 },
      ...{ direction: 'outbound', transport: 'quic', sinceMs: 8, bytesIn: 0, bytesOut: 0 },
    },
  ];
  const operator = await node.service.handle(request, { isOperator: true });
  expect(JSON.parse(operator ?? '').result).toMatchObject([
    { peer_id: '12D3KooWPeer', validator: 3, round_trip_ms: 4, bytes_out: 7 },
    { peer_id: '12D3KooWOther', validator: null, round_trip_ms: null, score: -2 },
  ]);
  for (const caller of [undefined, { isOperator: false }]) {
    const { error } = JSON.parse((await node.service.handle(request, caller)) ?? '');
    expect(error.data.code).toBe('rpc.operator-only');
  }
  const answered: string[] = [];
  const sink = { send: (text: string) => void answered.push(text), buffered: () => 0, close() {} };
  await node.service.connect(sink).receive(request);
  expect(answered.join()).toContain('rpc.operator-only');
});
