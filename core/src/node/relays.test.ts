/** One node and what others forward to it; and a node whose seat goes with the epoch. */
import { describe, expect, it } from 'vitest';
import { invariant } from '../bytes/index.ts';
import { frameMessage } from '../consensus/index.ts';
import { currentBaseFee, readHeadWave } from '../execution/index.ts';
import { AdmittedRecords, Mempool, TAKE_OVER_MS } from '../mempool/index.ts';
import { MemoryStore } from '../platform/index.ts';
import { StateStore } from '../state/index.ts';
import { addressOf, wireBy } from '../tx/testing.ts';
import { encodeBatch, toEpoch, toNonce, toQuanta, toValidatorIndex } from '../types/index.ts';
import { ProtocolSchedule } from '../validators/index.ts';
import type { ChainEffect } from './chain.ts';
import { MAX_RELAYED, MAX_RELAYED_BYTES, MAX_RELAYED_PER_PEER } from './forwarding.ts';
import { type NodeEffect, type NodeEvent, NodeMachine, writeGenesis } from './index.ts';
import { networkGenesis } from './testing.ts';

const transfer = (account: number, nonce = 0n, data = new Uint8Array(0)): Uint8Array =>
  wireBy(account, {
    to: addressOf(9),
    value: toQuanta(1n),
    nonce: toNonce(nonce),
    data,
    gasLimit: 100_000_000n,
  });

/** A node on a chain of which only seats and homes matter here. */
class Subject {
  hasSeat = true;
  nowMs = 0;
  readonly machine: NodeMachine;
  readonly mempool: Mempool;
  #next: ChainEffect[] = [];

  private constructor(store: MemoryStore) {
    const { chainId, parameters } = networkGenesis(4, 1_000);
    const head = readHeadWave(store);
    invariant(head !== undefined, 'the store holds a chain');
    const state = StateStore.open(store);
    this.mempool = new Mempool({ chainId, parameters });
    const hasSeat = (): boolean => this.hasSeat;
    this.machine = new NodeMachine({
      mempool: this.mempool,
      admitted: new AdmittedRecords(store),
      state,
      head,
      protocol: new ProtocolSchedule([]),
      baseFee: () => currentBaseFee(state),
      chain: {
        epoch: toEpoch(0),
        phase: 'following',
        get hasSeat() {
          return hasSeat();
        },
        forwards: 'to-home',
        takesIn: () => hasSeat(),
        committeeOf: () => undefined,
        seatIn: () => undefined,
        homeOf: (_, asked = 0) => (hasSeat() ? undefined : toValidatorIndex(asked)),
        anchorOf: () => undefined,
        prepare: () => false,
        step: () => this.#next.splice(0),
      },
    });
  }

  static async open(): Promise<Subject> {
    const store = new MemoryStore();
    await writeGenesis(store, networkGenesis(4, 1_000));
    return new Subject(store);
  }

  step(event: NodeEvent): NodeEffect[] {
    return this.machine.step(event, { monotonicMs: this.nowMs, unixMs: this.nowMs });
  }

  submit(request: number, bytes: Uint8Array): NodeEffect[] {
    return [
      ...this.step({ kind: 'submit', request, bytes }),
      ...this.step({ kind: 'verified', request, valid: true }),
    ];
  }

  relay(from: number, transactions: readonly Uint8Array[]): NodeEffect[] {
    const bytes = frameMessage('transaction', encodeBatch({ transactions }));
    return this.step({ kind: 'message', from: toValidatorIndex(from), bytes });
  }

  /** The next epoch begins. */
  enter(hasSeat: boolean): NodeEffect[] {
    this.hasSeat = hasSeat;
    this.#next = [{ kind: 'epoch', epoch: toEpoch(1) }];
    return this.step({ kind: 'connected', peer: toValidatorIndex(0) });
  }

  /** Whom the next turn forwards to, and what. */
  forwarded(): { readonly peer: number; readonly message: Uint8Array }[] {
    return this.step({ kind: 'turn' }).flatMap((effect) =>
      effect.kind === 'send' ? [{ peer: effect.peer, message: effect.message }] : [],
    );
  }
}

const verifications = (effects: readonly NodeEffect[]): number =>
  effects.filter(({ kind }) => kind === 'verify').length;

describe('what peers forward', () => {
  it('takes at most half of the places in admission, so that clients are heard', async () => {
    const subject = await Subject.open();
    const many = Array<Uint8Array>(MAX_RELAYED_PER_PEER).fill(transfer(0));
    let taken = 0;
    for (let peer = 0; peer < 40; peer++) taken += verifications(subject.relay(peer, many));
    expect(taken).toBe(MAX_RELAYED);
    expect(verifications(subject.step({ kind: 'submit', request: 1, bytes: transfer(1) }))).toBe(1);
  });

  it('takes at most half of their bytes', async () => {
    const subject = await Subject.open();
    const large = transfer(0, 0n, new Uint8Array(60_000));
    const many = Array<Uint8Array>(60).fill(large);
    let taken = 0;
    for (let peer = 0; peer < 40; peer++) taken += verifications(subject.relay(peer, many));
    expect(taken).toBe(Math.floor(MAX_RELAYED_BYTES / large.length));
    expect(verifications(subject.step({ kind: 'submit', request: 1, bytes: large }))).toBe(1);
  });

  it('is neither answered nor kept when it is rubbish, and leaves its place', async () => {
    const subject = await Subject.open();
    for (let i = 0; i < 3 * MAX_RELAYED_PER_PEER; i++) {
      expect(subject.relay(1, [Uint8Array.of(i & 0xff, 2, 3)])).toEqual([]);
    }
    // Well-formed, and not signed by its sender.
    const [check] = subject.relay(1, [transfer(0)]);
    if (check?.kind !== 'verify') throw new Error('its signature is checked');
    expect(subject.step({ kind: 'verified', request: check.request, valid: false })).toEqual([]);
    expect(subject.machine.requestsInCheck).toBe(0);
    expect(subject.machine.poolSize).toBe(0);
    expect(verifications(subject.relay(1, [transfer(0)]))).toBe(1);
  });

  it('goes on to a member from a node without a seat', async () => {
    const subject = await Subject.open();
    subject.hasSeat = false;
    const [check] = subject.relay(2, [transfer(0)]);
    if (check?.kind !== 'verify') throw new Error('its signature is checked');
    subject.step({ kind: 'verified', request: check.request, valid: true });
    const message = frameMessage('transaction', encodeBatch({ transactions: [transfer(0)] }));
    const [parcel] = subject.forwarded();
    expect(parcel?.peer).toBe(0);
    expect(parcel?.message.length).toBe(message.length);
  });
});

describe('a node that loses its seat', () => {
  it('forwards what waits in its pool, put into a batch or not, and asks on when nobody takes it', async () => {
    const subject = await Subject.open();
    const [first, second] = [transfer(0), transfer(1)];
    subject.submit(1, first);
    expect(subject.mempool.takeBatch()).toEqual([first]);
    subject.submit(2, second);
    subject.nowMs = 10;
    subject.enter(false);
    expect(subject.forwarded()).toEqual([
      {
        peer: 0,
        message: frameMessage('transaction', encodeBatch({ transactions: [first, second] })),
      },
    ]);
    expect(subject.mempool.hasUnproposed).toBe(false);
    subject.nowMs = 10 + TAKE_OVER_MS;
    subject.step({ kind: 'timer' });
    expect(subject.forwarded().map(({ peer }) => peer)).toEqual([1]);
    // With a seat again it puts them in itself.
    subject.enter(true);
    subject.nowMs += TAKE_OVER_MS;
    subject.step({ kind: 'timer' });
    expect(subject.mempool.takeBatch()).toEqual([first, second]);
  });

  it('sets its timer for the earlier of chain and take-over', async () => {
    const subject = await Subject.open();
    subject.submit(1, transfer(0));
    subject.nowMs = 5;
    const timers = subject
      .enter(false)
      .flatMap((effect) => (effect.kind === 'set-timer' ? [effect.atMonotonicMs] : []));
    expect(timers).toEqual([5 + TAKE_OVER_MS]);
  });
});
