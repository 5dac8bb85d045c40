import { beforeEach, describe, expect, it } from 'vitest';
import { toHex, toQuantity } from '../../bytes/index.ts';
import { DEVNET_BALANCE, testGenesis } from '../../execution/testing.ts';
import { STATE_KIND, TABLE, Table } from '../../state/index.ts';
import { addressOf, publicKeyOf } from '../../tx/testing.ts';
import { TestNode, transfer } from '../testing.ts';

const A0 = toHex(addressOf(0));
const A1 = toHex(addressOf(1));
const NOBODY = `0x${'77'.repeat(32)}`;
const ZEROS = `0x${'00'.repeat(32)}`;

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start(testGenesis({ names: [{ label: 'alice', address: addressOf(1) }] }));
});

describe('chain and accounts', () => {
  it('say where the chain stands', async () => {
    expect(await node.call('pyde_chainId')).toBe('0x7a69');
    expect(await node.call('pyde_waveId')).toBe('0x0');
    expect(await node.call('pyde_getBaseFee')).toBe('0x64');
    expect(await node.call('pyde_getFeeData')).toEqual({ base_fee: '0x64', suggested_tip: '0x0' });
    await node.wave();
    expect(await node.call('pyde_waveId')).toBe('0x1');
    expect(await node.call('pyde_getNodeInfo')).toEqual({
      peer_id: '12D3KooWTest',
      falcon_pubkey: toHex(publicKeyOf(0)),
      listen_addrs: ['/ip4/127.0.0.1/tcp/1'],
      agent_version: 'pyde/0.1.0',
      protocol_version: 'pyde/1',
      phase: 'following',
    });
    expect(await node.call('pyde_getMetrics')).toEqual({ wave_id: 1, transactions_pending: 0 });
  });

  it('show an account, and zeros for an address that nobody used', async () => {
    expect(await node.call('pyde_getAccount', A0)).toEqual({
      address: A0,
      nonce: '0x0',
      balance: toQuantity(DEVNET_BALANCE),
      code_hash: ZEROS,
      state_root: ZEROS,
      account_type: 'eoa',
      auth_keys: `0x01${'81030000'}${toHex(publicKeyOf(0)).slice(2)}`,
      gas_tank: '0x0',
      key_nonce: 0,
    });
    expect(await node.call('pyde_getAccount', NOBODY)).toEqual({
      address: NOBODY,
      nonce: '0x0',
      balance: '0x0',
      code_hash: ZEROS,
      state_root: ZEROS,
      account_type: 'eoa',
      auth_keys: '0x00',
      gas_tank: '0x0',
      key_nonce: 0,
    });
    expect(await node.call('pyde_getBalance', NOBODY)).toBe('0x0');
    expect(await node.call('pyde_getContractCode', A0)).toBe('0x');
  });

  it('read names, validators and storage', async () => {
    expect(await node.call('pyde_resolveName', 'alice')).toBe(A1);
    expect(await node.call('pyde_resolveName', 'bob')).toBeNull();
    expect(await node.call('pyde_getValidator', A0)).toEqual({
      validator_address: A0,
      operator: A1,
      pubkey: toHex(publicKeyOf(0)),
      stake: toQuantity(10n ** 13n),
      status: 'active',
      unbond_at_wave: null,
      jail_until_wave: null,
      last_claimed_rps: '0x0',
      uptime_bps: 10_000,
    });
    expect(await node.call('pyde_getValidator', A1)).toBeNull();
    expect(await node.call('pyde_getOperatorValidators', A1)).toEqual([A0]);
    expect(await node.call('pyde_getOperatorValidators', A0)).toEqual([]);
    expect(await node.call('pyde_getStorageSlot', { slot: ZEROS })).toBeNull();
    expect(await node.call('pyde_getContractState', A0, ZEROS)).toBeNull();
  });

  it('find a slot by itself through the index of its first owner', async () => {
    const owner = addressOf(2);
    const slot = new Uint8Array(32).fill(9);
    const key = { kind: STATE_KIND.contract, owner, slot };
    const prepared = node.state.prepare(1n, [{ key, value: Uint8Array.of(1, 2) }]);
    const index = new Table(node.store, TABLE.slotOwner).put(slot, owner);
    await node.store.batch([...prepared.writes, index], { sync: true });
    node.state.adopt(prepared);
    const where = { slot: toHex(slot) };
    expect(await node.call('pyde_getStorageSlot', where)).toBe('0x0102');
    expect(await node.call('pyde_getStorageSlot', { ...where, address: A0 })).toBeNull();
    expect(await node.call('pyde_getStorageSlot', { ...where, address: toHex(owner) })).toBe(
      '0x0102',
    );
    expect(await node.call('pyde_getStorageSlot', where, 0)).toBeNull();
    expect(await node.call('pyde_getContractState', toHex(owner), toHex(slot))).toBe('0x0102');
  });

  it('show old waves, and name the oldest one when they are no longer kept', async () => {
    await node.send(0, transfer());
    await node.wave();
    await node.wave();
    const before = await node.call('pyde_getBalance', A1, 0);
    expect(before).toBe(toQuantity(DEVNET_BALANCE));
    expect(await node.call('pyde_getBalance', A1, '0x1')).toBe(toQuantity(DEVNET_BALANCE + 5n));
    expect(await node.call('pyde_getTransactionCount', A0, 0)).toBe('0x0');
    expect(await node.call('pyde_getTransactionCount', A0)).toBe('0x1');
    expect(await node.call('pyde_getNonce', A0)).toBe('0x1');
    for (let writes = node.state.prune(2n, 1000); writes.length > 0; ) {
      await node.store.batch(writes, { sync: true });
      writes = node.state.prune(2n, 1000);
    }
    const pruned = node.call('pyde_getBalance', A1, 0);
    await expect(pruned).rejects.toMatchObject({
      code: -32000,
      message: expect.stringContaining('the oldest that is kept is 2'),
      data: { code: 'state.pruned', details: { oldest: '2' } },
    });
  });
});
