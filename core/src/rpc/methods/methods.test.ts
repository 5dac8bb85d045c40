import { beforeEach, describe, expect, it } from 'vitest';
import { accountKey, decodeAccount, readAccount } from '../../account/index.ts';
import { concatBytes, decodeExactly, fromHex, toHex, toQuantity } from '../../bytes/index.ts';
import { txRootLeaf } from '../../execution/index.ts';
import { DEVNET_BALANCE, testGenesis } from '../../execution/testing.ts';
import { genesisCommittee, verifyCert } from '../../finality/index.ts';
import {
  decodeSnapshot,
  decodeStateProof,
  STATE_KIND,
  stateKeyBytes,
  TABLE,
  Table,
  treeKey,
  verifyStateProof,
} from '../../state/index.ts';
import { encodeGasTankDeposit, encodeTx, txHash, verifyMerkleListProof } from '../../tx/index.ts';
import {
  addressOf,
  publicKeyOf,
  registrationOf,
  signedBy,
  txOf,
  wireBy,
} from '../../tx/testing.ts';
import {
  readReceipt,
  readWaveCommitRecord,
  TX_TYPE,
  type Tx,
  toEpoch,
  toFalconSignature,
  toMemberIndex,
  toNonce,
  toQuanta,
  toRound,
  toVertexHash,
  type Vertex,
  vertexHash,
} from '../../types/index.ts';
import { refusal, TestNode } from '../testing.ts';
import { METHODS } from './index.ts';
import { toBase64 } from './snapshot.ts';

const A0 = toHex(addressOf(0));
const A1 = toHex(addressOf(1));
const NOBODY = `0x${'77'.repeat(32)}`;
const ZEROS = `0x${'00'.repeat(32)}`;

let node: TestNode;
beforeEach(async () => {
  node = await TestNode.start(testGenesis({ names: [{ label: 'alice', address: addressOf(1) }] }));
});

async function send(i: number, fields: Partial<Tx> = {}): Promise<string> {
  const hash = await node.call('pyde_sendRawTransaction', toHex(wireBy(i, fields)));
  expect(typeof hash).toBe('string');
  return String(hash);
}

const transfer = (nonce = 0n, value = 5n): Partial<Tx> => ({
  to: addressOf(1),
  value: toQuanta(value),
  nonce: toNonce(nonce),
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
      'traceTransaction getNonce getContractState',
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
      ['pyde_getLogs', { from_wave: 0, to_wave: 1, contracts: [A0, A0] }],
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
    await send(0, transfer());
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

describe('waves and certificates', () => {
  it('show the record of a wave; null for one to come', async () => {
    await send(0, transfer());
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

  it('show the vertices of rounds with votes, anchors and decisions', async () => {
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
    expect(await node.call('pyde_getRounds', 2, 2)).toHaveLength(1);
    expect(await node.call('pyde_getRounds', 3, 9)).toEqual([]);
  });
});

describe('transactions', () => {
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
      [wire.subarray(0, wire.length - 1), 'borsh.truncated'],
      [concatBytes(wire, Uint8Array.of(0)), 'borsh.trailing-bytes'],
      [wireBy(0, { ...transfer(), chainId: 1n }), 'tx.chain-id'],
      [wireBy(0, { ...transfer(), gasLimit: 20_999n }), 'tx.gas-limit'],
      [wireBy(0, { ...transfer(16n) }), 'account.nonce-far'],
      [encodeTx(txOf({ ...transfer(), signature: signedBy(1).signature })), 'tx.signature'],
      [wireBy(0, transfer(0n, DEVNET_BALANCE - 2_100_000n + 1n)), 'account.balance'],
    ];
    for (const [bytes, code] of cases) {
      const [rpcCode, dataCode] = await refusal(node.call('pyde_sendRawTransaction', toHex(bytes)));
      expect([rpcCode, dataCode], code).toEqual([
        -32000,
        code === 'borsh.truncated' ? expect.stringMatching(/^(borsh|tx)\./) : dataCode,
      ]);
      if (!code.startsWith('borsh')) expect(dataCode).toBe(code);
    }
    await send(0, transfer());
    await node.wave();
    expect(
      await refusal(node.call('pyde_sendRawTransaction', toHex(wireBy(0, transfer(0n, 6n))))),
    ).toEqual([-32000, 'account.nonce-past']);
  });

  it('tell why they were dropped', async () => {
    const hash = await send(0, { ...transfer(3n), deadline: 1n });
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
    for (let nonce = 0n; nonce < 5n; nonce++) hashes.push(await send(0, transfer(nonce)));
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
    const hash = await send(0, transfer());
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

describe('proofs', () => {
  it('of accounts verify against the root in the certificate of their wave', async () => {
    await send(0, transfer());
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
    for (let nonce = 0n; nonce < 3n; nonce++) await send(0, transfer(nonce));
    const hash = await send(1, { to: addressOf(0) });
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
  });
});

describe('snapshots', () => {
  it('are described and sent at one wave, in standard base64', async () => {
    const { record } = await node.wave();
    const manifest = JSON.parse(JSON.stringify(await node.call('pyde_getSnapshotManifest')));
    expect(manifest).toMatchObject({
      wave_id: '0x1',
      state_root: toHex(record.stateRoot.blake3),
      chunk_size: 4 * 1024 * 1024,
      chunk_count: 1,
    });
    expect(manifest.chunk_hashes).toHaveLength(1);
    const bytes = Buffer.from(String(await node.call('pyde_getSnapshot')), 'base64');
    const snapshot = decodeSnapshot(Uint8Array.from(bytes));
    expect(snapshot.version).toBe(1n);
    expect(Number(snapshot.totalKeys)).toBe(manifest.total_keys);
  });

  it('encode base64 as the standard does', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 89 + length) & 0xff);
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
    }
  });
});
