import { beforeEach, describe, expect, it } from 'vitest';
import { accountKey, readAccount } from '../../account/index.ts';
import { toHex, toQuantity } from '../../bytes/index.ts';
import { treeKey } from '../../state/index.ts';
import { encodeGasTankDeposit, encodeTx } from '../../tx/index.ts';
import { addressOf, registrationOf, signedBy, wireBy } from '../../tx/testing.ts';
import { TX_TYPE, toQuanta } from '../../types/index.ts';
import { refusal, TestNode, transfer } from '../testing.ts';

const A0 = toHex(addressOf(0));
const A1 = toHex(addressOf(1));
const NOBODY = `0x${'77'.repeat(32)}`;

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start();
});

describe('dry runs', () => {
  const slotOf = (i: number): string => toHex(treeKey(accountKey(addressOf(i))));

  it('of a transfer have no receipt and touch exactly what the wave then changes', async () => {
    const wire = wireBy(0, transfer());
    const simulated = await node.call('pyde_simulateTransaction', toHex(wire));
    expect(simulated).toEqual({
      receipt: null,
      access_list: {
        reads: [0, 1].map((i) => ({ slot: slotOf(i), observed_version: null })),
        writes: expect.arrayContaining([slotOf(0), slotOf(1)]),
      },
    });
    const before = [0, 1, 2].map((i) => readAccount(node.state, addressOf(i)));
    await node.call('pyde_sendRawTransaction', toHex(wire));
    await node.wave();
    const after = [0, 1, 2].map((i) => readAccount(node.state, addressOf(i)));
    const { writes } = JSON.parse(JSON.stringify(simulated)).access_list;
    expect([0, 1, 2].map((i) => writes.includes(slotOf(i)))).toEqual(
      before.map((account, i) => JSON.stringify(account, text) !== JSON.stringify(after[i], text)),
    );
  });

  it('of a gas tank deposit and a registration name the accounts involved', async () => {
    const deposit = signedBy(0, {
      type: TX_TYPE.gasTankDeposit,
      data: encodeGasTankDeposit({ target: addressOf(2), amount: toQuanta(7n) }),
    });
    const shown = await node.call('pyde_simulateTransaction', toHex(encodeTx(deposit)));
    expect(shown).toMatchObject({ receipt: null });
    expect(JSON.stringify(shown)).toContain(slotOf(2));
    const unfunded = node.call('pyde_simulateTransaction', toHex(encodeTx(registrationOf(7))));
    expect(await refusal(unfunded)).toEqual([-32000, 'account.unfunded']);
  });

  it('estimate transfers and refuse what breaks a rule', async () => {
    expect(await node.call('pyde_estimateGas', { from: A0, to: A1, data: '0x' })).toEqual({
      gas_estimate: '0x5208',
      base_fee: '0x64',
      estimated_fee: toQuantity(2_100_000n),
    });
    expect(await node.call('pyde_estimateAccess', { from: A0, to: A1, value: '0x5' })).toEqual({
      reads: [0, 1].map((i) => ({ slot: slotOf(i), observed_version: null })),
      writes: expect.arrayContaining([slotOf(0), slotOf(1)]),
    });
    expect(
      await refusal(node.call('pyde_estimateAccess', { from: NOBODY, to: A1, value: '0x5' })),
    ).toEqual([-32000, 'account.balance']);
  });

  const text = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? value.toString() : value;
});
