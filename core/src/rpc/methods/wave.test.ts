import { beforeEach, describe, expect, it } from 'vitest';
import { decodeExactly, fromHex, toHex, toQuantity, u64BigEndian } from '../../bytes/index.ts';
import { genesisCommittee, verifyCert } from '../../finality/index.ts';
import { TABLE, Table } from '../../state/index.ts';
import {
  readWaveCommitRecord,
  toEpoch,
  toFalconSignature,
  toMemberIndex,
  toRound,
  toVertexHash,
  type Vertex,
  vertexHash,
} from '../../types/index.ts';
import { TestNode, transfer } from '../testing.ts';

const ZEROS = `0x${'00'.repeat(32)}`;

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start();
});

const vertexOf = (round: number, parent: Uint8Array): Vertex => ({
  chainId: node.chainId,
  epoch: toEpoch(0),
  round: toRound(round),
  author: toMemberIndex(0),
  timestampMs: 1_000n,
  parents: [{ author: toMemberIndex(0), name: toVertexHash(parent) }],
  weakParents: [],
  batches: [],
  attestations: [],
  signature: toFalconSignature(Uint8Array.of(0x39, ...new Uint8Array(665))),
});

describe('waves and certificates', () => {
  it('show the record of a wave; null for one to come', async () => {
    await node.send(0, transfer());
    const { record } = await node.wave();
    expect(await node.call('pyde_getWave', 1)).toMatchObject({
      wave_id: '0x1',
      anchor_hash: toHex(record.anchorHash),
      anchor_round: '0x1',
      state_root: {
        blake3: toHex(record.stateRoot.blake3),
        poseidon2: toHex(record.stateRoot.poseidon2),
      },
      events_root: ZEROS,
      tx_count: 1,
      timestamp: toQuantity(record.timestampMs),
      gas_used: '0x5208',
      next_beacon: null,
    });
    expect(await node.call('pyde_getWave')).toEqual(await node.call('pyde_getWave', '0x1'));
    expect(await node.call('pyde_getWave', 2)).toBeNull();
  });

  it('show a certificate from which the signatures can be checked; null for wave 0', async () => {
    await node.wave();
    const answer = await node.call('pyde_getHardFinalityCert', 1);
    expect(answer).toMatchObject({
      commit: {
        wave_id: '0x1',
        prior_anchor_round: '0x0',
        epoch: '0x0',
        events_bloom: `0x${'00'.repeat(256)}`,
      },
      signatures: [[0, expect.stringMatching(/^0x39[0-9a-f]{1330}$/)]],
    });
    const { commit, signatures } = JSON.parse(JSON.stringify(answer));
    const record = decodeExactly(fromHex(commit.record, { maxBytes: 4096 }), readWaveCommitRecord);
    const cert = {
      record,
      signers: Uint8Array.of(1),
      signatures: [toFalconSignature(fromHex(signatures[0][1], { maxBytes: 666 }))],
    };
    verifyCert(cert, genesisCommittee(node.genesis), { chainId: node.chainId });
    expect(await node.call('pyde_getHardFinalityCert', 0)).toBeNull();
    expect(await node.call('pyde_getHardFinalityCert', 9)).toBeNull();
  });

  it('have certificates that are refused, and not missing, when they are no longer kept', async () => {
    for (let i = 0; i < 3; i++) await node.wave();
    const certs = new Table(node.store, TABLE.certs);
    await node.store.batch([certs.delete(u64BigEndian(1n))], { sync: false });
    await expect(node.call('pyde_getHardFinalityCert', 1)).rejects.toMatchObject({
      message: expect.stringContaining('the oldest that is kept is 0x2'),
      data: { code: 'rpc.wave-pruned' },
    });
    expect(await node.call('pyde_getHardFinalityCert', 2)).not.toBeNull();
    await node.chain.wave([]);
    expect(await node.call('pyde_getHardFinalityCert', 4)).toBeNull();
  });

  it('show the vertices of rounds with votes, anchors and decisions', async () => {
    // The chain's waves have anchors of 32 times 7 in rounds 1, 2 …: round 1 is skipped here.
    const first = vertexOf(1, new Uint8Array(32));
    const second = vertexOf(2, vertexHash(first));
    await node.storeVertex(first);
    await node.storeVertex(second);
    await node.wave();
    const name = toHex(vertexHash(first));
    expect(await node.call('pyde_getRounds', 1, 200)).toEqual([
      {
        round: '0x1',
        author: 0,
        name,
        timestamp: '0x3e8',
        parents: [{ author: 0, name: ZEROS }],
        weak_parents: [],
        batches: [],
        votes: null,
        anchor: true,
        decision: 'skipped',
      },
      expect.objectContaining({ round: '0x2', votes: name, decision: 'undecided' }),
    ]);
    expect(await node.call('pyde_getRounds', 0, 2)).toHaveLength(2);
    expect(await node.call('pyde_getRounds', 2, 2)).toHaveLength(1);
    expect(await node.call('pyde_getRounds', 3, 9)).toEqual([]);
  });

  it('name the oldest round that is kept when earlier ones are asked for', async () => {
    expect(await node.call('pyde_getRounds', 1, 200)).toEqual([]);
    await node.storeVertex(vertexOf(7, new Uint8Array(32)));
    const early = node.call('pyde_getRounds', 6, 20);
    await expect(early).rejects.toMatchObject({
      message: expect.stringContaining('from round 7'),
      data: { code: 'rpc.wave-pruned' },
    });
    expect(await node.call('pyde_getRounds', 7, 20)).toHaveLength(1);
  });
});
