/**
 * A whole node of one seat over a store in memory: real admission, consensus, execution and
 * certificates. It is killed between effects and goes on from what the store kept.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAccount } from '../account/index.ts';
import { invariant, PydeError, toHex } from '../bytes/index.ts';
import type { CommittedWave, Signer } from '../consensus/index.ts';
import { FalconSigner, falconVerifyBatch } from '../crypto/index.ts';
import { testKey } from '../crypto/testing.ts';
import {
  assertSupply,
  executeGenesis,
  executeWave,
  readHeadWave,
  readReceiptOf,
  VerifiedTransactions,
} from '../execution/index.ts';
import { verifyCert } from '../finality/index.ts';
import { AdmittedRecords } from '../mempool/index.ts';
import { ManualClock, MemoryStore } from '../platform/index.ts';
import { StateStore } from '../state/index.ts';
import { decodeTx, txHash } from '../tx/index.ts';
import { addressOf, publicKeyOf, wireBy } from '../tx/testing.ts';
import {
  type Genesis,
  type HardFinalityCert,
  toEpoch,
  toFalconPublicKey,
  toFalconSignature,
  toNonce,
  toQuanta,
} from '../types/index.ts';
import {
  type NodeEffect,
  type NodeEvent,
  type NodeMachine,
  openNode,
  type Reply,
} from './index.ts';

const START_MS = 1_700_000_000_000;
const RECEIVER = addressOf(3);

const genesis: Genesis = {
  chainId: 31_337n,
  timestampMs: BigInt(START_MS),
  parameters: {
    startBaseFee: toQuanta(100n),
    gasTargetPerSecond: 200_000_000n,
    waveGasCeiling: 400_000_000n,
    burnPercent: 70,
    rewardPoolPercent: 20,
    minRoundDelayMs: 0,
    idleRoundMs: 50,
    gcRounds: 20,
    epochDurationMs: 10_800_000,
  },
  validators: [
    {
      address: addressOf(9),
      operator: addressOf(9),
      publicKey: publicKeyOf(9),
      stake: toQuanta(10n ** 13n),
    },
  ],
  allocations: [0, 1, 2].map((i) => ({
    address: addressOf(i),
    balance: toQuanta(10n ** 16n),
    authKeys: { kind: 'single', key: publicKeyOf(i) },
  })),
  names: [],
};
const committee = {
  epoch: toEpoch(0),
  members: genesis.validators.map(({ address, publicKey }) => ({ address, publicKey })),
};

let drawn = 0;
const falcon = new FalconSigner(testKey(9).secretKey, (length) =>
  new Uint8Array(length).fill(++drawn & 0xff),
);
const signer: Signer = {
  publicKey: toFalconPublicKey(testKey(9).publicKey),
  sign: (message) => toFalconSignature(falcon.sign(message)),
};

class Killed extends Error {}

/** One life of the node; `effectsLeft` says when it is killed. */
class Life {
  readonly state: StateStore;
  readonly machine: NodeMachine;
  readonly replies = new Map<number, Reply>();
  readonly certs: HardFinalityCert[] = [];
  readonly #store: MemoryStore;
  readonly #execution: StateStore;
  readonly #verified = new VerifiedTransactions();
  readonly #clock: ManualClock;
  #timer: number | undefined;
  effectsLeft = Number.POSITIVE_INFINITY;
  acknowledged = new Set<string>();
  #readmitted = -1;

  private constructor(
    store: MemoryStore,
    clock: ManualClock,
    state: StateStore,
    machine: NodeMachine,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.state = state;
    this.machine = machine;
    this.#execution = StateStore.open(store);
  }

  static async open(store: MemoryStore, clock: ManualClock): Promise<Life> {
    const { state, machine } = await openNode({
      ...{ store, signer, verify: falconVerifyBatch },
      random: { bytes: (length) => new Uint8Array(length) },
    });
    return new Life(store, clock, state, machine);
  }

  async step(event: NodeEvent): Promise<void> {
    const more: NodeEvent[] = [event];
    for (let next = more.shift(); next !== undefined; next = more.shift()) {
      for (const effect of this.machine.step(next, this.#clock.now())) {
        if (this.effectsLeft-- <= 0) throw new Killed();
        const answer = await this.#carryOut(effect);
        if (answer !== undefined) more.push(answer);
      }
    }
  }

  /** As a host does after `start`. */
  async readmit(): Promise<void> {
    for (const bytes of await new AdmittedRecords(this.#store).all()) {
      await this.step({ kind: 'readmit', request: this.#readmitted--, bytes });
    }
  }

  /** Lets the paced rounds go by. */
  async idle(rounds: number): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      const wait = (this.#timer ?? 0) - this.#clock.now().monotonicMs;
      this.#clock.advance(Math.max(wait, 1));
      await this.step({ kind: 'timer' });
    }
  }

  async #carryOut(effect: NodeEffect): Promise<NodeEvent | undefined> {
    switch (effect.kind) {
      case 'persist':
        await this.#store.batch(effect.writes);
        return undefined;
      case 'set-timer':
        this.#timer = effect.atMonotonicMs;
        return undefined;
      case 'verify': {
        const valid = falconVerifyBatch(effect.checks).every((ok) => ok);
        return { kind: 'verified', request: effect.request, valid };
      }
      case 'reply':
        expect(this.replies.has(effect.request), 'one reply a request').toBe(false);
        this.replies.set(effect.request, effect.reply);
        if (effect.reply.ok) this.acknowledged.add(toHex(effect.reply.hash));
        return undefined;
      case 'execute': {
        this.#verified.add(effect.verified);
        const waves = [];
        for (const wave of effect.waves) waves.push(await this.#execute(wave));
        this.state.refresh();
        return { kind: 'executed', waves };
      }
      case 'finality':
        verifyCert(
          effect.cert,
          { ...committee, epoch: effect.cert.record.epoch },
          { chainId: genesis.chainId },
        );
        this.certs.push(effect.cert);
        return undefined;
      case 'halt':
        throw new Error(effect.reason);
      default:
        return undefined;
    }
  }

  async #execute(wave: CommittedWave) {
    const head = readHeadWave(this.#store);
    invariant(head !== undefined, 'a chain has a head');
    const context = {
      state: this.#execution,
      store: this.#store,
      parameters: genesis.parameters,
      verify: falconVerifyBatch,
      verified: this.#verified,
    };
    const result = executeWave(context, {
      ...wave,
      prevDigest: head.digest,
      priorTimestampMs: head.record.timestampMs,
    });
    await this.#store.batch(result.writes);
    this.#execution.adopt(result.prepared);
    return result;
  }
}

async function freshStore(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const wave = executeGenesis({ state: StateStore.open(store), store }, genesis);
  await store.batch(wave.writes);
  return store;
}

const transfer = (sender: number, nonce: number): Uint8Array =>
  wireBy(sender, { to: RECEIVER, value: toQuanta(7n), nonce: toNonce(BigInt(nonce)) });

describe('NodeMachine', () => {
  it('takes a transfer to its receipt and certificate in the turns that it causes', async () => {
    const store = await freshStore();
    const life = await Life.open(store, new ManualClock(START_MS));
    await life.step({ kind: 'start' });
    const bytes = transfer(0, 0);
    const hash = txHash(decodeTx(bytes));
    await life.step({ kind: 'submit', request: 1, bytes });
    expect(life.machine.statusOf(hash)).toEqual({ state: 'pending' });
    expect(life.replies.get(1)).toBeUndefined();
    await life.step({ kind: 'turn' });
    expect(life.replies.get(1)).toEqual({ ok: true, hash });
    expect(readReceiptOf(store, hash)?.status).toBe('success');
    expect(readAccount(life.state, RECEIVER).balance).toBe(7n);
    await life.idle(3);
    const waveId = readReceiptOf(store, hash)?.waveId;
    expect(life.certs.map((cert) => cert.record.waveId)).toContain(waveId);
    expect(life.machine.waitingWaves).toBe(0);
  });

  it('answers a known transaction with its hash, a bad one with its rule, and drops late verdicts', async () => {
    const life = await Life.open(await freshStore(), new ManualClock(START_MS));
    await life.step({ kind: 'start' });
    const bytes = transfer(0, 0);
    await life.step({ kind: 'submit', request: 1, bytes });
    await life.step({ kind: 'submit', request: 2, bytes });
    await life.step({ kind: 'turn' });
    expect(life.replies.get(2)).toEqual(life.replies.get(1));
    const forged = Uint8Array.from(bytes);
    forged[400] = (forged[400] ?? 0) ^ 1;
    await life.step({ kind: 'submit', request: 3, bytes: forged.subarray(1) });
    expect(life.replies.get(3)).toMatchObject({ ok: false });
    await life.step({ kind: 'verified', request: 77, valid: true });
    await life.step({ kind: 'unverified', request: 78, error: new PydeError('pool.full', 'x') });
    expect([...life.replies.keys()]).toEqual([1, 2, 3, 78]);
  });

  it('writes what it acknowledges before it answers, and forgets it with the receipt', async () => {
    const store = await freshStore();
    const clock = new ManualClock(START_MS);
    const kept = () => new AdmittedRecords(store).all();
    let life = await Life.open(store, clock);
    await life.step({ kind: 'start' });
    const bytes = transfer(0, 0);
    await life.step({ kind: 'submit', request: 1, bytes });
    life.effectsLeft = 2;
    await expect(life.step({ kind: 'turn' })).rejects.toThrow(Killed);
    expect(life.replies.get(1)).toMatchObject({ ok: true });
    expect(await kept()).toEqual([bytes]);

    life = await Life.open(store, clock);
    await life.step({ kind: 'start' });
    await life.readmit();
    await life.step({ kind: 'turn' });
    expect(readReceiptOf(store, txHash(decodeTx(bytes)))?.status).toBe('success');
    await life.idle(2);
    expect(await kept()).toEqual([]);
  });

  it('tells what it acknowledged once and no longer takes as dropped', async () => {
    const store = await freshStore();
    const poor = wireBy(0, { to: RECEIVER, value: toQuanta(10n ** 17n), nonce: toNonce(0n) });
    const hash = txHash(decodeTx(poor));
    await store.batch([new AdmittedRecords(store).put(hash, poor)]);
    const life = await Life.open(store, new ManualClock(START_MS));
    await life.step({ kind: 'start' });
    await life.readmit();
    expect(life.machine.statusOf(hash)).toMatchObject({ reason: 'account.balance' });
    await life.idle(2);
    expect(await new AdmittedRecords(store).all()).toEqual([]);
  });

  it('refuses more bytes than it may hold while they are checked', async () => {
    const life = await Life.open(await freshStore(), new ManualClock(START_MS));
    const now = new ManualClock(START_MS).now();
    life.machine.step({ kind: 'start' }, now);
    const bytes = wireBy(0, { to: RECEIVER, data: new Uint8Array(60 * 1024) });
    let busy = 0;
    for (let request = 0; request < 300; request++) {
      const [effect] = life.machine.step({ kind: 'submit', request, bytes }, now);
      if (effect?.kind === 'reply' && !effect.reply.ok && effect.reply.error.code === 'node.busy') {
        busy++;
      }
    }
    expect(busy).toBeGreaterThan(15);
    for (let request = 0; request < 300; request++) {
      const error = new PydeError('pool.full', 'x');
      life.machine.step({ kind: 'unverified', request, error }, now);
    }
    const [effect] = life.machine.step({ kind: 'submit', request: 301, bytes }, now);
    expect(effect?.kind).toBe('verify');
  });

  it('goes on when the wall clock is set a year forward, then ten years back, and after a restart', async () => {
    const store = await freshStore();
    const clock = new ManualClock(START_MS);
    let life = await Life.open(store, clock);
    await life.step({ kind: 'start' });
    const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
    let nonce = 0;
    for (const unixMs of [START_MS + YEAR_MS, START_MS - 9 * YEAR_MS, 0]) {
      clock.setWallClock(unixMs);
      const before = life.machine.head.record;
      const bytes = transfer(0, nonce++);
      await life.step({ kind: 'submit', request: nonce, bytes });
      await life.step({ kind: 'turn' });
      await life.idle(4);
      expect(readReceiptOf(store, txHash(decodeTx(bytes)))?.status).toBe('success');
      const { record } = life.machine.head;
      expect(record.timestampMs > before.timestampMs).toBe(true);
      expect(record.timestampMs < BigInt(START_MS + YEAR_MS + 60_000)).toBe(true);
      expect(life.certs.at(-1)?.record.waveId).toBeGreaterThan(before.waveId);
      life = await Life.open(store, clock);
      await life.step({ kind: 'start' });
    }
    await assertSupply(store, life.state);
  });

  it('loses nothing that it acknowledged and executes nothing twice when killed between any two effects', async () => {
    const plan = fc.record({
      kills: fc.array(fc.nat(60), { minLength: 1, maxLength: 4 }),
      bursts: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ kills, bursts }) => {
        const store = await freshStore();
        const clock = new ManualClock(START_MS);
        const sent: Uint8Array[] = [];
        const seen = new Set<string>();
        const acknowledged = new Set<string>();
        let life = await Life.open(store, clock);
        life.acknowledged = acknowledged;
        let request = 0;
        life.effectsLeft = kills.shift() ?? Number.POSITIVE_INFINITY;
        const run = async (act: () => Promise<void>): Promise<void> => {
          try {
            await act();
          } catch (error) {
            if (!(error instanceof Killed)) throw error;
            life = await Life.open(store, clock);
            life.acknowledged = acknowledged;
            life.effectsLeft = kills.shift() ?? Number.POSITIVE_INFINITY;
            await run(async () => {
              await life.step({ kind: 'start' });
              await life.readmit();
            });
          }
        };
        await run(() => life.step({ kind: 'start' }));
        for (const burst of bursts) {
          for (let i = 0; i < burst; i++)
            sent.push(transfer(sent.length % 3, Math.floor(sent.length / 3)));
          // A client sends again whatever was not acknowledged.
          await run(async () => {
            for (const bytes of sent) {
              if (acknowledged.has(toHex(txHash(decodeTx(bytes))))) continue;
              await life.step({ kind: 'submit', request: request++, bytes });
            }
            await life.step({ kind: 'turn' });
          });
          for (const bytes of sent) {
            const receipt = readReceiptOf(store, txHash(decodeTx(bytes)));
            const name = toHex(txHash(decodeTx(bytes)));
            if (receipt !== undefined) seen.add(name);
            else expect(seen.has(name), 'a receipt that was seen is gone').toBe(false);
          }
        }
        for (let i = 0; i < 8 && kills.length >= 0; i++) {
          await run(async () => {
            for (const bytes of sent) {
              if (acknowledged.has(toHex(txHash(decodeTx(bytes))))) continue;
              await life.step({ kind: 'submit', request: request++, bytes });
            }
            await life.step({ kind: 'turn' });
            await life.idle(4);
          });
        }
        life.effectsLeft = Number.POSITIVE_INFINITY;
        await life.idle(4);
        for (const bytes of sent) {
          expect(readReceiptOf(store, txHash(decodeTx(bytes)))?.status).toBe('success');
        }
        expect(readAccount(life.state, RECEIVER).balance).toBe(7n * BigInt(sent.length));
        await assertSupply(store, life.state);
        expect(await new AdmittedRecords(store).all()).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });
});
