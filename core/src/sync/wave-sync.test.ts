/** A node that follows the waves of others, over peers that answer truly, wrongly or not at all. */
import { describe, expect, it } from 'vitest';
import { openMessage } from '../consensus/index.ts';
import { executeGenesis, readHeadWave, WaveExecutor } from '../execution/index.ts';
import type { TestChain } from '../execution/testing.ts';
import { ManualClock, MemoryStore } from '../platform/index.ts';
import { StateStore } from '../state/index.ts';
import { decodeTx, encodeTx } from '../tx/index.ts';
import type { HardFinalityCert } from '../types/index.ts';
import { WaveServer } from './serve-waves.ts';
import {
  certifiedChain,
  certOf,
  committee,
  fourMembers,
  keepCert,
  transfer,
  verify,
} from './testing.ts';
import { decodeWaves, encodeWaves, type Waves } from './wave-messages.ts';
import { WaveSync, type WaveSyncEffect } from './wave-sync.ts';

/** Turns a true answer into what this peer sends; undefined for nothing. */
type Peer = (answer: Waves) => Waves | undefined;
const truthful: Peer = (answer) => answer;
const silent: Peer = () => undefined;

interface Outcome {
  readonly end: 'caught-up' | 'halt' | 'stuck';
  readonly store: MemoryStore;
  readonly certs: readonly HardFinalityCert[];
  /** Questions asked of each peer. */
  readonly asked: ReadonlyMap<number, number>;
  readonly mostHeld: number;
  readonly reason: string | undefined;
}

/** Lets an empty node sync from `chain` as peers 1, 2 … tell it. */
async function follow(
  chain: TestChain,
  peers: readonly Peer[],
  store = new MemoryStore(),
): Promise<Outcome> {
  if (readHeadWave(store) === undefined) {
    const wave = executeGenesis({ state: StateStore.open(store), store }, fourMembers);
    await store.batch(wave.writes);
  }
  const { parameters, chainId } = fourMembers;
  const executor = await WaveExecutor.open({ store, parameters, verify });
  const clock = new ManualClock(1_700_000_100_000);
  const { head } = executor;
  const seats = peers.map((_, i) => i + 1);
  const sync = new WaveSync({
    chainId,
    verify,
    peers: seats,
    head,
    committee,
    nextCommittee: () => committee,
  });
  const servers = peers.map(() => new WaveServer(chain.store));
  const asked = new Map<number, number>();
  const certs: HardFinalityCert[] = [];
  let mostHeld = 0;
  const queue: WaveSyncEffect[] = sync.start(clock.now());
  let timerMs = 0;
  for (let steps = 0; steps < 400; steps++) {
    mostHeld = Math.max(mostHeld, sync.heldBytes);
    const effect = queue.shift();
    if (effect === undefined) {
      clock.advance(Math.max(0, timerMs - clock.now().monotonicMs));
      const more = sync.timer(clock.now());
      if (more.length === 0)
        return { end: 'stuck', store, certs, asked, mostHeld, reason: undefined };
      queue.push(...more);
      continue;
    }
    if (effect.kind === 'set-timer') timerMs = effect.atMonotonicMs;
    else if (effect.kind === 'keep-cert') certs.push(effect.cert);
    else if (effect.kind === 'execute') {
      const done = [];
      for (const wave of effect.waves) {
        const { record, digest, transactions } = wave;
        const ordered = { ...record, transactions, expectedDigest: digest };
        const executed = await executor.execute(ordered);
        if (executed === undefined) break;
        done.push(executed);
      }
      queue.push(...sync.executed(done, clock.now()));
    } else if (effect.kind === 'send') {
      const { peer } = effect;
      asked.set(peer, (asked.get(peer) ?? 0) + 1);
      clock.advance(20);
      const { bytes } = openMessage(effect.message);
      const answer = servers[peer - 1]?.answer(peer, bytes, clock.now().monotonicMs);
      const sent = answer && peers[peer - 1]?.(decodeWaves(answer));
      if (sent) queue.push(...sync.receive(peer, encodeWaves(sent), clock.now()));
    } else {
      const reason = effect.kind === 'halt' ? effect.reason : undefined;
      return { end: effect.kind, store, certs, asked, mostHeld, reason };
    }
  }
  return { end: 'stuck', store, certs, asked, mostHeld, reason: undefined };
}

const headOf = (store: MemoryStore): bigint => readHeadWave(store)?.record.waveId ?? -1n;

/** The store holds the whole chain: the head's digest covers every record and state root. */
function expectWhole(store: MemoryStore, chain: TestChain): void {
  const head = readHeadWave(store);
  expect(head?.record).toEqual(chain.head.record);
  expect(StateStore.open(store).root).toEqual(chain.state.root);
}

describe('a node with an empty store', () => {
  it('comes to the newest certified wave, over certificates of a few waves alone', async () => {
    const chain = await certifiedChain(20);
    const { end, store, certs } = await follow(chain, [truthful, truthful, truthful]);
    expect(end).toBe('caught-up');
    expectWhole(store, chain);
    // The newest certificate covers all waves before it.
    expect(certs.map(({ record }) => record.waveId)).toEqual([20n]);
  });

  it('leaves waves above the newest certificate to consensus', async () => {
    const chain = await certifiedChain(23);
    const { end, store } = await follow(chain, [truthful, truthful, truthful]);
    expect(end).toBe('caught-up');
    expect(headOf(store)).toBe(20n);
  });

  it('goes on from where it stopped', async () => {
    const chain = await certifiedChain(12);
    const first = await follow(chain, [truthful, truthful, truthful]);
    expect(headOf(first.store)).toBe(10n);
    for (let i = 0; i < 3; i++) await chain.wave([transfer(4 + i)]);
    await keepCert(chain.store, certOf(chain.head.record));
    const second = await follow(chain, [truthful, truthful, truthful], first.store);
    expect(second.end).toBe('caught-up');
    expectWhole(second.store, chain);
  });

  it('with a chain that has no certificate yet has nothing to follow', async () => {
    const chain = await certifiedChain(3);
    const { end, store } = await follow(chain, [truthful, truthful, truthful]);
    expect(end).toBe('caught-up');
    expect(headOf(store)).toBe(0n);
  });
});

describe('peers that are wrong', () => {
  const bentRecord: Peer = (answer) => {
    const [first, ...rest] = answer.parts;
    if (first === undefined) return answer;
    return { ...answer, parts: [{ ...first, record: { ...first.record, gasUsed: 9n } }, ...rest] };
  };
  /** In front of a certificate that holds: nothing but it says what the record was. */
  const bentLastRecord: Peer = (answer) => {
    const last = answer.parts.at(-1);
    if (last === undefined || answer.mode !== 'records') return answer;
    const record = { ...last.record, gasUsed: 9n };
    return { ...answer, parts: [...answer.parts.slice(0, -1), { ...last, record }] };
  };
  const noCert: Peer = (answer) => ({ ...answer, cert: undefined });
  const nothing: Peer = (answer) => ({ ...answer, parts: [], cert: undefined });
  const otherPlace: Peer = (answer) => ({ ...answer, wave: answer.wave + 1n });
  const shortCert: Peer = (answer) => {
    const last = answer.parts.at(-1)?.record;
    if (answer.cert === undefined || last === undefined) return answer;
    const cert = { ...certOf(last), signers: Uint8Array.of(0b0111) };
    return { ...answer, cert };
  };
  const withTransactions =
    (change: (bytes: Uint8Array) => Uint8Array[]): Peer =>
    (answer) => ({
      ...answer,
      parts: answer.parts.map(({ record, transactions }) => ({
        record,
        transactions: transactions.flatMap(change),
      })),
    });
  const bentSignature = withTransactions((bytes) => {
    const tx = decodeTx(bytes);
    const signature = tx.signature.slice();
    signature[400] = (signature[400] ?? 0) ^ 1;
    return [encodeTx({ ...tx, signature })];
  });
  const another = withTransactions(() => [transfer(900)]);
  const leftOut = withTransactions(() => []);
  const doubled = withTransactions((bytes) => [bytes, bytes]);

  const lies: Readonly<Record<string, Peer>> = {
    'bend a record': bentRecord,
    'bend the record that a certificate is of': bentLastRecord,
    'keep certificates back': noCert,
    'have nothing': nothing,
    'answer another question': otherPlace,
    'show certificates that do not hold': shortCert,
    'bend a signature in a transaction': bentSignature,
    'send another transaction': another,
    'leave transactions out': leftOut,
    'send transactions twice': doubled,
    'are silent': silent,
  };

  it.each(Object.entries(lies))('do not matter when they %s', async (_, lie) => {
    const chain = await certifiedChain(15);
    for (const peers of [
      [lie, truthful, truthful],
      [truthful, lie, truthful],
    ]) {
      const { end, store } = await follow(chain, peers);
      expect(end).toBe('caught-up');
      expectWhole(store, chain);
    }
  });

  it('do not get anything written, even alone', async () => {
    const chain = await certifiedChain(15);
    for (const lie of [bentRecord, shortCert, bentSignature, another, leftOut, doubled]) {
      const { store } = await follow(chain, [lie]);
      const head = readHeadWave(store);
      // Waves before the first transaction are as good from them as from others.
      expect(headOf(store)).toBeLessThan(3n);
      expect(head).toBeDefined();
    }
  });

  it('more than f of them agreeing on a certified wave that comes out otherwise halt the node', async () => {
    const chain = await certifiedChain(15);
    const { end, reason } = await follow(chain, [bentSignature, bentSignature]);
    expect(end).toBe('halt');
    expect(reason).toContain('wave 3');
  });

  it('do not get a record believed under a certificate of another one', async () => {
    const chain = await certifiedChain(15);
    for (const peers of [[bentLastRecord], [bentLastRecord, bentLastRecord]]) {
      const { end, certs, store } = await follow(chain, peers);
      expect(end).not.toBe('halt');
      expect(certs).toEqual([]);
      expect(headOf(store)).toBe(0n);
    }
  });

  it('are asked less than those that are right', async () => {
    const chain = await certifiedChain(15);
    const { asked } = await follow(chain, [bentRecord, truthful, silent]);
    expect(asked.get(1)).toBeLessThanOrEqual(2);
    expect(asked.get(2)).toBeGreaterThan(1);
  });
});

describe('what is held', () => {
  it('is a window of transactions, whatever the chain is long', async () => {
    const chain = await certifiedChain(40);
    const { end, mostHeld } = await follow(chain, [truthful, truthful]);
    expect(end).toBe('caught-up');
    expect(mostHeld).toBeLessThan(40 * 1_000);
  });
});
