import { beforeEach, describe, expect, it } from 'vitest';
import { accountKey, decodeAccount } from '../../account/index.ts';
import { decodeExactly, fromHex, toHex } from '../../bytes/index.ts';
import { txRootLeaf } from '../../execution/index.ts';
import { DEVNET_BALANCE } from '../../execution/testing.ts';
import { decodeStateProof, stateKeyBytes, verifyStateProof } from '../../state/index.ts';
import { verifyMerkleListProof } from '../../tx/index.ts';
import { addressOf } from '../../tx/testing.ts';
import { readReceipt } from '../../types/index.ts';
import { TestNode, transfer } from '../testing.ts';

const A1 = toHex(addressOf(1));
const ZEROS = `0x${'00'.repeat(32)}`;

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start();
});

describe('proofs', () => {
  it('of accounts verify against the root in the certificate of their wave', async () => {
    await node.send(0, transfer());
    const { record } = await node.wave();
    await node.wave();
    const keys = [accountKey(addressOf(1)), accountKey(addressOf(9))];
    const answer = JSON.parse(
      JSON.stringify(
        await node.call('pyde_getProof', {
          keys: keys.map((key) => toHex(stateKeyBytes(key))),
          wave: 1,
        }),
      ),
    );
    expect(answer.wave_id).toBe('0x1');
    keys.forEach((key, i) => {
      const hex = answer.values[i];
      const value = hex === null ? undefined : fromHex(hex, { maxBytes: 65_536 });
      const proof = decodeStateProof(fromHex(answer.proofs[i], { maxBytes: 65_536 }));
      verifyStateProof({ root: record.stateRoot, key, value, proof });
    });
    expect(answer.values[1]).toBeNull();
    const account = decodeAccount(fromHex(answer.values[0], { maxBytes: 65_536 }));
    expect(account.balance).toBe(DEVNET_BALANCE + 5n);
    const byAddress = await node.call('pyde_getProof', { address: A1, wave: '0x1' });
    expect(byAddress).toMatchObject({ values: [answer.values[0]] });
    expect(await node.call('pyde_getProof', { address: A1, slots: [ZEROS] })).toMatchObject({
      wave_id: '0x2',
      values: [null],
    });
  });

  it('of transactions verify against tx_root, by hash and by position', async () => {
    for (let nonce = 0n; nonce < 3n; nonce++) await node.send(0, transfer(nonce));
    const hash = await node.send(1, { to: addressOf(0) });
    const { record } = await node.wave();
    const answer = await node.call('pyde_getTxProof', hash);
    const shown = JSON.parse(JSON.stringify(answer));
    const receipt = decodeExactly(fromHex(shown.receipt, { maxBytes: 65_536 }), readReceipt);
    expect(toHex(receipt.txHash)).toBe(hash);
    expect(toHex(txRootLeaf(receipt))).toBe(shown.leaf);
    const proof = {
      ...shown.proof,
      siblings: shown.proof.siblings.map((s: string) => fromHex(s, { exactBytes: 32 })),
    };
    expect(proof.count).toBe(record.txCount);
    expect(verifyMerkleListProof(record.txRoot, txRootLeaf(receipt), proof)).toBe(true);
    expect(await node.call('pyde_getTxProof', { wave_id: '0x1', tx_index: 3 })).toEqual(answer);
    expect(await node.call('pyde_getTxProof', { wave_id: '0x1', tx_index: 4 })).toBeNull();
    expect(await node.call('pyde_getTxProof', ZEROS)).toBeNull();
  });
});
