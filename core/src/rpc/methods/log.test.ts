import { beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../bytes/index.ts';
import { addressOf } from '../../tx/testing.ts';
import { TestNode } from '../testing.ts';

const A0 = toHex(addressOf(0));
const A1 = toHex(addressOf(1));
const ZEROS = `0x${'00'.repeat(32)}`;

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start();
});

describe('logs', () => {
  it('are none, for every filter that is well-formed', async () => {
    const filter = {
      from_wave: '0x0',
      to_wave: '0x1388',
      topics: [[ZEROS], null, null, [A0, A1]],
      contracts: [A0],
      limit: 1000,
      cursor: { wave_id: '0x1', tx_index: 0, event_index: '0x2' },
    };
    expect(await node.call('pyde_getLogs', filter)).toEqual({ entries: [] });
    expect(
      await node.call('pyde_getLogs', { from_wave: 0, to_wave: 0, contracts: null, limit: 1 }),
    ).toEqual({ entries: [] });
    expect(await node.call('pyde_getEvents')).toEqual([]);
    expect(await node.call('pyde_getEvents', { fromWave: '0x0', contract: A0 })).toEqual([]);
    expect(await node.call('pyde_getEvents', { fromWave: 0, toWave: '0xffff' })).toEqual([]);
  });
});
