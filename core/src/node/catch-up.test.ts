import { describe, expect, it } from 'vitest';
import { AnchorSchedule, decodeRefs, encodeRounds, openMessage } from '../consensus/index.ts';
import { falconVerifyBatch } from '../crypto/index.ts';
import { executeWave } from '../execution/index.ts';
import { DEVNET_PARAMETERS, TestChain, testGenesis } from '../execution/testing.ts';
import { decodeWantWaves, encodeWaves } from '../sync/wave-messages.ts';
import { addressOf, publicKeyOf } from '../tx/testing.ts';
import {
  toEpoch,
  toQuanta,
  toRound,
  toValidatorIndex,
  toVertexHash,
  toWaveId,
} from '../types/index.ts';
import { genesisEpoch } from '../validators/index.ts';
import { CatchUp, STALLED_MS } from './catch-up.ts';

const genesis = testGenesis({
  parameters: { ...DEVNET_PARAMETERS, gcRounds: 60 },
  validators: [0, 1, 2, 3].map((i) => ({
    address: addressOf(i),
    operator: addressOf(i),
    publicKey: publicKeyOf(i),
    stake: toQuanta(10n ** 13n),
  })),
});
const peers = [1, 2, 3].map(toValidatorIndex);
const [a, b] = [toValidatorIndex(1), toValidatorIndex(2)];

async function catchUp(): Promise<CatchUp> {
  const { store, state } = await TestChain.start(genesis);
  return new CatchUp({ genesis, store, state, verify: falconVerifyBatch, peers });
}
const at = (round: number, epoch = 0, wave = 0n) => ({ epoch, round, wave });

describe('a node is left behind', () => {
  it('by f + 1 validators more than one GC window ahead, and not by f', async () => {
    const subject = await catchUp();
    subject.saw(a, 0, 1_000_000);
    expect(subject.isLeftBehind(at(10), 0)).toBe(false);
    subject.saw(b, 0, 70);
    expect(subject.isLeftBehind(at(10), 0)).toBe(false);
    subject.saw(b, 0, 71);
    expect(subject.isLeftBehind(at(10), 0)).toBe(true);
    expect(subject.isLeftBehind(at(11), 0)).toBe(false);
  });

  it('by validators two epochs ahead, but not by those that enter the next one first', async () => {
    const subject = await catchUp();
    for (const peer of [a, b]) subject.saw(peer, 1, 300);
    expect(subject.isLeftBehind(at(10), 0)).toBe(false);
    for (const peer of [a, b]) subject.saw(peer, 2, 1);
    expect(subject.isLeftBehind(at(10), 0)).toBe(true);
  });

  it('by any that go on while nothing moves here for a while', async () => {
    const subject = await catchUp();
    for (const peer of [a, b]) subject.saw(peer, 0, 13);
    expect(subject.isLeftBehind(at(10), 0)).toBe(false);
    expect(subject.isLeftBehind(at(10), STALLED_MS - 1)).toBe(false);
    expect(subject.isLeftBehind(at(10), STALLED_MS)).toBe(true);
    expect(subject.isLeftBehind(at(10, 0, 1n), STALLED_MS)).toBe(false);
    expect(subject.isLeftBehind(at(11, 0, 1n), 3 * STALLED_MS)).toBe(false);
  });

  it('never by rounds that a validator showed before', async () => {
    const subject = await catchUp();
    for (const round of [71, 5]) subject.saw(a, 0, round);
    for (const round of [5, 80]) subject.saw(b, 0, round);
    expect(subject.isLeftBehind(at(10), 0)).toBe(true);
  });
});

describe('catching up', () => {
  it('marks the store first, then asks for waves, every peer in turn while none answers', async () => {
    const subject = await catchUp();
    const { head } = await TestChain.start(genesis);
    const now = { monotonicMs: 5, unixMs: 5 };
    const [mark, question] = subject.begin(head, now);
    expect(subject.phase).toBe('waves');
    expect(mark?.kind).toBe('persist');
    if (question?.kind !== 'send') throw new Error('it asks');
    expect(openMessage(question.message).kind).toBe('want-waves');
    expect(subject.timerMs).toBeGreaterThan(5);

    const asked = new Set([question.peer]);
    for (let ms = subject.timerMs ?? 0; asked.size < 3; ms = subject.timerMs ?? ms + 1) {
      for (const effect of subject.timer({ monotonicMs: ms, unixMs: ms })) {
        if (effect.kind === 'send') asked.add(effect.peer);
      }
    }
    expect(subject.phase).toBe('waves');
  });

  it('ends with the anchors of the newest wave and of the one a round before it', async () => {
    const chain = await TestChain.start(genesis);
    const names = [3, 4, 5].map((byte) => toVertexHash(new Uint8Array(32).fill(byte)));
    let head: Pick<typeof chain.head, 'record' | 'digest'> = chain.head;
    for (const [i, anchorHash] of names.entries()) {
      const { record, digest } = head;
      // Rounds 1, 5 and 6.
      const anchorRound = toRound([1, 5, 6][i] ?? 0);
      const wave = executeWave(
        { ...chain, ...{ parameters: genesis.parameters, verify: falconVerifyBatch } },
        {
          ...{ chainId: genesis.chainId, epoch: toEpoch(0), waveId: toWaveId(record.waveId + 1n) },
          ...{ anchorRound, anchorHash, priorAnchorRound: record.anchorRound },
          ...{ timestampMs: record.timestampMs + 1n, priorTimestampMs: record.timestampMs },
          ...{ prevDigest: digest, transactions: [] },
        },
      );
      await chain.store.batch(wave.writes);
      chain.state.adopt(wave.prepared);
      head = wave;
    }
    const { store, state } = chain;
    const subject = new CatchUp({ genesis, store, state, verify: falconVerifyBatch, peers });
    const now = { monotonicMs: 5, unixMs: 5 };
    let effects = subject.begin(head, now);
    let asked: string[] = [];
    for (let i = 0; i < 20 && asked.length === 0; i++) {
      const question = effects.find((effect) => effect.kind === 'send');
      if (question?.kind !== 'send') throw new Error('it asks');
      const { kind, bytes } = openMessage(question.message);
      if (kind === 'want-waves') {
        // Nobody has a newer wave.
        const none = encodeWaves({ ...decodeWantWaves(bytes), parts: [], cert: undefined });
        effects = subject.message('waves', question.peer, none, now);
      } else if (kind === 'want-rounds') {
        const none = encodeRounds({ complete: true, vertices: [] });
        effects = subject.message('rounds', question.peer, none, now);
      } else {
        asked = decodeRefs(bytes).map(({ round, author, name }) => `${round} ${author} ${name[0]}`);
      }
    }
    const { beacon } = genesisEpoch(genesis);
    const anchorOf = (round: number): number =>
      new AnchorSchedule(beacon, toEpoch(0), 4).anchorOf(round);
    expect(asked.toSorted()).toEqual([`5 ${anchorOf(5)} 4`, `6 ${anchorOf(6)} 5`]);
  });
});
