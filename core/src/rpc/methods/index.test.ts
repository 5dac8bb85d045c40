import { beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../bytes/index.ts';
import { addressOf } from '../../tx/testing.ts';
import { refusal, TestNode } from '../testing.ts';
import { METHODS } from './index.ts';

const A0 = toHex(addressOf(0));
const ZEROS = `0x${'00'.repeat(32)}`;

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start();
});

describe('the method table', () => {
  it('has every method of rpc.md and the aliases of the book', () => {
    const names = [
      'chainId waveId getBaseFee getFeeData getBalance getTransactionCount getAccount',
      'getContractCode getStorageSlot resolveName getWave getHardFinalityCert',
      'getSnapshotManifest getSnapshot call simulateTransaction estimateGas estimateAccess',
      'sendRawTransaction getTransactionReceipt getTx getReceipt getWaveTransactions',
      'getAccountTransactions getRounds getTransactionStatus getLogs getEvents getValidator',
      'getOperatorValidators getNodeInfo getMetrics getProof getEventProof getTxProof getSealKeys',
      'traceTransaction getNonce getContractState getPeers',
    ].flatMap((line) => line.split(' '));
    expect([...METHODS.keys()].sort()).toEqual(names.map((name) => `pyde_${name}`).sort());
  });

  it('answers -32601 for what is not served, whatever the parameters', async () => {
    for (const method of ['pyde_call', 'pyde_getEventProof', 'pyde_getSealKeys']) {
      for (const params of [[], [{}], [A0, 'f', '0x', 1, 2, 3]]) {
        expect(await refusal(node.call(method, ...params))).toEqual([-32601, 'rpc.not-served']);
      }
    }
    for (const method of ['nope', '__proto__', 'constructor', '', 'pyde_']) {
      expect(await refusal(node.call(method))).toEqual([-32601, 'rpc.method']);
    }
    expect(await refusal(node.call('pyde_subscribe', 'newWaves'))).toEqual([
      -32601,
      'rpc.not-served',
    ]);
  });

  it('answers -32602 for missing, wrong and unknown extra parameters', async () => {
    const bad: readonly (readonly [string, ...unknown[]])[] = [
      ['pyde_chainId', 1],
      ['pyde_getBalance'],
      ['pyde_getBalance', 'alice'],
      ['pyde_getBalance', `${A0}00`],
      ['pyde_getBalance', A0, '0x0', 1],
      ['pyde_getBalance', A0, 99],
      ['pyde_getBalance', A0, 'latest'],
      ['pyde_getStorageSlot', ZEROS],
      ['pyde_getStorageSlot', { slot: ZEROS, owner: A0 }],
      ['pyde_resolveName', 'alice.pyde'],
      ['pyde_resolveName', 'Alice'],
      ['pyde_resolveName', 'x'.repeat(500)],
      ['pyde_getWave', -1],
      ['pyde_getWave', '5'],
      ['pyde_getHardFinalityCert'],
      ['pyde_sendRawTransaction'],
      ['pyde_sendRawTransaction', 'zz'],
      ['pyde_sendRawTransaction', '0x123'],
      ['pyde_sendRawTransaction', `0x${'00'.repeat(1_200_000)}`],
      ['pyde_getTransactionReceipt', '0x12'],
      ['pyde_getWaveTransactions', 0, null, 101],
      ['pyde_getWaveTransactions', 0, null, 0],
      ['pyde_getAccountTransactions', A0, { wave_id: 1 }],
      ['pyde_getRounds', 1],
      ['pyde_getRounds', 5, 4],
      ['pyde_getRounds', 1, 201],
      ['pyde_getProof', {}],
      ['pyde_getProof', { keys: [A0] }],
      ['pyde_getProof', { keys: [`0x09${'00'.repeat(64)}`] }],
      ['pyde_getProof', { keys: new Array(257).fill(`0x00${'00'.repeat(64)}`) }],
      ['pyde_getProof', { keys: [], address: A0 }],
      ['pyde_getProof', { address: A0, wave: 1 }],
      ['pyde_getTxProof', { wave_id: '0x1' }],
      ['pyde_estimateGas', {}],
      ['pyde_estimateGas', { to: A0, nonce: 1 }],
      ['pyde_getLogs'],
      ['pyde_getLogs', {}],
      ['pyde_getLogs', { from_wave: 0, to_wave: 5_001 }],
      ['pyde_getLogs', { from_wave: 2, to_wave: 1 }],
      ['pyde_getLogs', { from_wave: 0, to_wave: 1, limit: 1_001 }],
      ['pyde_getLogs', { from_wave: 0, to_wave: 1, limit: 0 }],
      ['pyde_getLogs', { from_wave: 0, to_wave: 1, topics: [null, null, null, null, null] }],
      ['pyde_getLogs', { from_wave: 0, to_wave: 1, topics: [[]] }],
      ['pyde_getLogs', { from_wave: 0, to_wave: 1, topics: [ZEROS] }],
      ['pyde_getLogs', { from_wave: 0, to_wave: 1, contracts: A0 }],
      ['pyde_getLogs', { from_wave: 0, to_wave: 1, contracts: [] }],
      ['pyde_getLogs', { from_wave: 0, to_wave: 1, topics: [new Array(9).fill(ZEROS)] }],
      ['pyde_getLogs', { from_wave: 0, to_wave: 1, cursor: { wave_id: 1 } }],
      ['pyde_getLogs', { from_wave: 0, to_wave: 1, address: A0 }],
      ['pyde_getEvents', { from_wave: 0 }],
    ];
    for (const [method, ...params] of bad) {
      const got = await refusal(node.call(method, ...params)).catch((error) => error);
      expect(got, `${method} ${JSON.stringify(params).slice(0, 80)}`).toEqual([
        -32602,
        'rpc.params',
      ]);
    }
  });
});
