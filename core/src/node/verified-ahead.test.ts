import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { authKeysHash } from '../account/index.ts';
import { invariant } from '../bytes/index.ts';
import type { CommittedWave } from '../consensus/index.ts';
import { FalconSigner, falconVerifyBatch } from '../crypto/index.ts';
import { testKey } from '../crypto/testing.ts';
import {
  MAX_VERIFIED,
  type RightlySigned,
  VERIFIED_ENTRY_BYTES,
  VerifiedTransactions,
  WaveExecutor,
} from '../execution/index.ts';
import { testGenesis } from '../execution/testing.ts';
import { Mempool } from '../mempool/index.ts';
import { ManualClock, MemoryStore, type SignatureCheck } from '../platform/index.ts';
import { StateStore } from '../state/index.ts';
import { decodeTx, encodeTx, txHash } from '../tx/index.ts';
import {
  addressOf,
  publicKeyOf,
  registrationOf,
  signatureOf,
  signedByAll,
  txOf,
  wireBy,
} from '../tx/testing.ts';
import {
  type AuthKeys,
  TX_TYPE,
  toEpoch,
  toFalconSignature,
  toNonce,
  toQuanta,
  toRound,
  toVertexHash,
  toWaveId,
} from '../types/index.ts';
import { type NodeEffect, type NodeEvent, openNode, writeGenesis } from './index.ts';
import { AHEAD_AT_ONCE, VerifiedAhead } from './verified-ahead.ts';

const START_MS = 1_700_000_000_000;
const multisig: AuthKeys = {
  kind: 'multisig',
  threshold: 2,
  keys: [publicKeyOf(1), publicKeyOf(2), publicKeyOf(3)],
};
const base = testGenesis();
const genesis = testGenesis({
  allocations: base.allocations.map((allocation, i) =>
    i === 4 ? { ...allocation, authKeys: multisig } : allocation,
  ),
});

const transfer = (i: number, n: number, key = i): Uint8Array => {
  const fields = { from: addressOf(i), to: addressOf(7), nonce: toNonce(BigInt(n)) };
  const tx = txOf({ ...fields, value: toQuanta(7n) });
  return encodeTx({ ...tx, signature: signatureOf(key, txHash(tx)) });
};
const signed = (bytes: Uint8Array, signer: number): RightlySigned => ({
  bytes,
  hash: txHash(decodeTx(bytes)),
  keysHash: authKeysHash({ kind: 'single', key: publicKeyOf(signer) }),
});
const waveOf = (...transactions: Uint8Array[]): CommittedWave => ({
  chainId: genesis.chainId,
  epoch: toEpoch(0),
  waveId: toWaveId(1n),
  anchorRound: toRound(1),
  priorAnchorRound: toRound(0),
  anchorHash: toVertexHash(new Uint8Array(32)),
  timestampMs: 2n,
  priorTimestampMs: 1n,
  phase: 'open',
  transactions,
});

let store: MemoryStore;
let state: StateStore;
beforeEach(async () => {
  store = new MemoryStore();
  await writeGenesis(store, genesis);
  state = StateStore.open(store);
});

const knownOf = (entries: Uint8Array, bytes: readonly Uint8Array[]): boolean[] => {
  const memory = new VerifiedTransactions();
  memory.add(entries);
  return memory.find(bytes).map((found) => found !== undefined);
};
const asked = (checks: readonly SignatureCheck[] | undefined) =>
  checks?.map(({ publicKey }) => publicKey);

describe('VerifiedAhead', () => {
  it('hands out what admission verified once', () => {
    const ahead = new VerifiedAhead();
    const wires = [transfer(0, 0), transfer(1, 0), transfer(2, 0)];
    wires.slice(0, 2).forEach((bytes, i) => {
      ahead.add(signed(bytes, i));
    });
    expect(ahead.waiting).toBe(2);
    expect(knownOf(ahead.handOut(), wires)).toEqual([true, true, false]);
    expect(ahead.waiting).toBe(0);
    expect(ahead.handOut().length).toBe(0);
  });

  it('asks only for what no admission verified and the executor would ask for', () => {
    const ahead = new VerifiedAhead();
    const own = transfer(0, 0);
    ahead.add(signed(own, 0));
    const wave = waveOf(
      own,
      transfer(1, 0),
      own.subarray(1),
      transfer(1, 99),
      transfer(6, 0),
      encodeTx(registrationOf(8)),
      wireBy(2, { type: TX_TYPE.rotateKeys, data: new Uint8Array(3) }),
    );
    const next = ahead.next([waveOf(), wave], state);
    expect(asked(next?.checks)).toEqual([publicKeyOf(1), publicKeyOf(2)]);
    expect(ahead.next([waveOf(), wave], state)).toBeUndefined();
  });

  it('remembers those that verify in whole, and asks for none of them again', () => {
    const ahead = new VerifiedAhead();
    const tx = { from: addressOf(4), to: addressOf(7), nonce: toNonce(0n) };
    const by = (...keys: number[]) => {
      const signers = keys.map((key, i) => ({ place: i, key }));
      return encodeTx(signedByAll(signers, tx));
    };
    const wires = [transfer(1, 0), transfer(2, 0, 1), by(1, 2), by(1, 4), by(1, 2, 3)];
    const next = ahead.next([waveOf(...wires)], state);
    invariant(next !== undefined, 'there are some to check');
    expect(next.checks.length).toBe(2 + 2 + 2 + 3);
    ahead.settle(next.ticket, falconVerifyBatch(next.checks));
    expect(ahead.next([waveOf(...wires)], state)).toBeUndefined();
    expect(knownOf(ahead.handOut(), wires)).toEqual([true, false, true, false, true]);
    const again = ahead.next([waveOf(...wires)], state);
    expect(again?.checks.length).toBe(1 + 2);
  });

  it('goes through waiting waves a bounded number at a time', () => {
    const ahead = new VerifiedAhead();
    const wires = Array.from({ length: 150 }, (_, i) => transfer(1 + (i % 3), i % 16));
    const waves = [waveOf(...wires.slice(0, 70)), waveOf(...wires.slice(70))];
    let checked = 0;
    for (let next = ahead.next(waves, state); next !== undefined; next = ahead.next(waves, state)) {
      expect(next.checks.length).toBeLessThanOrEqual(AHEAD_AT_ONCE);
      expect(ahead.next(waves, state)).toBeUndefined();
      checked += next.checks.length;
      ahead.settle(next.ticket, falconVerifyBatch(next.checks));
    }
    expect(checked).toBe(150);
    expect(knownOf(ahead.handOut(), wires)).not.toContain(false);
  });

  it('takes no late verdict, no verdict too few, and pauses when checks cannot be made', () => {
    const ahead = new VerifiedAhead();
    const wires = [transfer(1, 0), transfer(2, 0)];
    const late = ahead.next([waveOf(...wires)], state);
    invariant(late !== undefined, 'there are some to check');
    expect(ahead.handOut().length).toBe(0);
    ahead.settle(late.ticket, [true, true]);
    expect(ahead.waiting).toBe(0);

    const forged = ahead.next([waveOf(transfer(1, 0, 2), transfer(2, 0, 1))], state);
    ahead.settle(late.ticket, [true, true]);
    expect(ahead.waiting).toBe(0);
    ahead.settle(forged?.ticket ?? 0, falconVerifyBatch(forged?.checks ?? []));
    expect(ahead.handOut().length).toBe(0);

    const short = ahead.next([waveOf(...wires)], state);
    ahead.settle(short?.ticket ?? 0, [true]);
    expect(knownOf(ahead.handOut(), wires)).toEqual([true, false]);

    const more = [waveOf(transfer(3, 0)), waveOf(transfer(3, 1))];
    const refused = ahead.next(more, state);
    ahead.settle(refused?.ticket ?? 0, undefined);
    expect(ahead.next(more, state)).toBeUndefined();
    ahead.handOut();
    expect(ahead.next(more, state)).toBeDefined();
  });

  it('keeps a bounded number while no wave is executed', () => {
    const ahead = new VerifiedAhead();
    const one = signed(transfer(0, 0), 0);
    for (let i = 0; i < MAX_VERIFIED + 500; i++) {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setUint32(0, i);
      ahead.add({ ...one, bytes });
      expect(ahead.waiting).toBeLessThanOrEqual(MAX_VERIFIED + AHEAD_AT_ONCE);
    }
    expect(ahead.handOut().length).toBeLessThanOrEqual(MAX_VERIFIED * VERIFIED_ENTRY_BYTES);
  });
});

describe('a node', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Steps a committee of one; `execute` effects are kept for the test to answer. */
  async function node() {
    /** As if another member had put them into its batch. */
    const foreign: Uint8Array[] = [];
    const { takeBatch } = Mempool.prototype;
    vi.spyOn(Mempool.prototype, 'takeBatch').mockImplementation(function (this: Mempool, ...most) {
      return [...takeBatch.apply(this, most), ...foreign.splice(0)];
    });
    let drawn = 0;
    const falcon = new FalconSigner(testKey(0).secretKey, (length) =>
      new Uint8Array(length).fill(++drawn),
    );
    const signer = {
      publicKey: publicKeyOf(0),
      sign: (message: Uint8Array) => toFalconSignature(falcon.sign(message)),
    };
    const opened = await openNode({
      ...{ store, signer, verify: falconVerifyBatch },
      random: { bytes: (length) => new Uint8Array(length) },
    });
    const { machine } = opened;
    state = opened.state;
    const clock = new ManualClock(START_MS);
    const executions: Extract<NodeEffect, { kind: 'execute' }>[] = [];
    const ahead: Extract<NodeEffect, { kind: 'verify-ahead' }>[] = [];
    const step = async (event: NodeEvent): Promise<void> => {
      for (const effect of machine.step(event, clock.now())) {
        if (effect.kind === 'persist') await store.batch(effect.writes);
        if (effect.kind === 'execute') executions.push(effect);
        if (effect.kind === 'verify-ahead') ahead.push(effect);
        if (effect.kind === 'verify') {
          const valid = !falconVerifyBatch(effect.checks).includes(false);
          await step({ kind: 'verified', request: effect.request, valid });
        }
      }
    };
    const submit = async (bytes: Uint8Array): Promise<void> => {
      await step({ kind: 'submit', request: 1, bytes });
      await step({ kind: 'turn' });
    };
    await step({ kind: 'start' });
    return { step, submit, foreign, executions, ahead };
  }

  /** Executes what was handed out, and counts the checks that the executor made itself. */
  async function executor(on: MemoryStore, withMemory: boolean) {
    const verified = new VerifiedTransactions();
    let checks = 0;
    const executor = await WaveExecutor.open({
      store: on,
      parameters: genesis.parameters,
      verify: (items) => {
        checks += items.length;
        return falconVerifyBatch(items);
      },
      verified,
    });
    return async (execution: Extract<NodeEffect, { kind: 'execute' }> | undefined) => {
      invariant(execution !== undefined, 'waves were handed out');
      checks = 0;
      if (withMemory) verified.add(execution.verified);
      const waves = [];
      for (const wave of execution.waves) {
        const executed = await executor.execute(wave);
        invariant(executed !== undefined, 'no digest was expected of it');
        waves.push(executed);
      }
      state.refresh();
      return { waves, checks };
    };
  }

  it('lets the executor check only what neither admission nor the look ahead found right', async () => {
    const { step, submit, foreign, executions, ahead } = await node();
    const execute = await executor(store, true);
    // Waves without transactions come first.
    while (executions.length > 0) {
      const { waves } = await execute(executions.shift());
      await step({ kind: 'executed', waves });
    }
    await submit(transfer(0, 0));
    const first = executions.shift();
    expect(first?.waves.flatMap(({ transactions }) => transactions).length).toBe(1);

    const right = transfer(1, 0);
    const forged = transfer(2, 0, 1);
    foreign.push(right, forged);
    await submit(transfer(0, 1));
    expect(executions).toEqual([]);
    expect(ahead.map(({ checks }) => asked(checks))).toEqual([[publicKeyOf(1), publicKeyOf(2)]]);
    const [{ ticket = 0, checks = [] } = {}] = ahead;
    await step({ kind: 'verified-ahead', ticket, verdicts: falconVerifyBatch(checks) });
    expect(ahead.length).toBe(1);

    const one = await execute(first);
    expect(one.checks).toBe(0);
    expect(one.waves.flatMap(({ executed }) => executed).length).toBe(1);
    await step({ kind: 'executed', waves: one.waves });
    const two = await execute(executions.shift());
    expect(two.checks).toBe(1);
    expect(two.waves.flatMap(({ executed }) => executed).length).toBe(2);
    expect(two.waves.flatMap(({ passedOver }) => passedOver.map(({ reason }) => reason))).toEqual([
      'tx.signature',
    ]);
  });

  it('comes to the same records when it executes the waves again with an empty memory', async () => {
    const { step, submit, foreign, executions } = await node();
    const other = new MemoryStore();
    await writeGenesis(other, genesis);
    const execute = await executor(store, true);
    const replay = await executor(other, false);
    let own = 0;
    let saved = 0;
    for (let n = 0; n < 6; n++) {
      foreign.push(transfer(1, n), transfer(2, n, n % 3));
      await submit(transfer(0, n));
      while (executions.length > 0) {
        const execution = executions.shift();
        const again = await replay(execution);
        const { waves, checks } = await execute(execution);
        expect(again.waves).toEqual(waves);
        saved += again.checks - checks;
        own += waves.flatMap(({ executed }) => executed).length;
        await step({ kind: 'executed', waves });
      }
    }
    expect(saved).toBe(6);
    expect(own).toBe(6 + 6 + 2);
  });
});
