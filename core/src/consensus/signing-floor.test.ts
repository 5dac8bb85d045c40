import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../platform/index.ts';
import { toEpoch, toHash, toMemberIndex, toRound, toVertexHash, toWaveId } from '../types/index.ts';
import { OwnAttestations } from './own-attestations.ts';
import { ConsensusRecords } from './records.ts';
import { Recovery } from './recovery.ts';
import { type ImportedMark, readFloor, signingMark, takeOver } from './signing-floor.ts';
import { OwnStore, StandingRecords } from './standing-records.ts';
import { GENESIS_RECORD, testSigner } from './testing.ts';

const random = { bytes: (length: number) => new Uint8Array(length).fill(7) };
const hashOf = (byte: number) => toHash(new Uint8Array(32).fill(byte));

const imported = (id: number, epoch: number, round: number, wave: number): ImportedMark => ({
  id: hashOf(id),
  mark: {
    epoch: toEpoch(epoch),
    round,
    waveId: toWaveId(BigInt(wave)),
    digest: hashOf(wave),
  },
});

describe('a store that takes a mark over', () => {
  it('counts as lost, keeps its id, and takes each mark over once', async () => {
    const store = new MemoryStore();
    const records = new StandingRecords(store);
    await store.batch([records.putStore({ standing: 'whole', id: hashOf(9) })]);
    await takeOver(store, random, imported(1, 0, 40, 12));
    const own = new OwnStore(store, random, { hasOwn: true, isRestored: false });
    expect(own).toMatchObject({ standing: 'lost', id: hashOf(9) });
    expect(own.floor).toEqual(imported(1, 0, 40, 12).mark);
    own.standing = 'whole';
    await store.batch(own.takeWrites());
    await takeOver(store, random, imported(1, 0, 40, 12));
    expect(records.store()?.standing).toBe('whole');
    await takeOver(store, random, imported(2, 0, 50, 13));
    expect(records.store()?.standing).toBe('lost');
  });

  it('keeps the higher of two marks, of vertices and of waves each', async () => {
    const part = fc.record({ epoch: fc.nat(3), round: fc.nat(9), wave: fc.nat(9) });
    await fc.assert(
      fc.asyncProperty(part, part, async (a, b) => {
        const store = new MemoryStore();
        await takeOver(store, random, imported(1, a.epoch, a.round, a.wave));
        await takeOver(store, random, imported(2, b.epoch, b.round, b.wave));
        const mark = readFloor(store)?.mark;
        const vertex = ({ epoch, round }: typeof a) => epoch * 100 + round;
        expect(100 * Number(mark?.epoch) + Number(mark?.round)).toBe(
          Math.max(vertex(a), vertex(b)),
        );
        expect(Number(mark?.waveId)).toBe(Math.max(a.wave, b.wave));
      }),
    );
  });
});

describe('the mark of a store', () => {
  it('is none while its member has signed nothing', async () => {
    expect(await signingMark(new MemoryStore(), GENESIS_RECORD)).toBeUndefined();
  });

  it('names the newest own vertex of the newest epoch, and no wave below the head', async () => {
    const store = new MemoryStore();
    for (const [epoch, round] of [
      [0, 90],
      [1, 8],
    ] as const) {
      const own = { round: toRound(round), name: toVertexHash(hashOf(round)) };
      await store.batch([new ConsensusRecords(store, toEpoch(epoch)).putOwn(own)]);
    }
    const head = { ...GENESIS_RECORD, waveId: toWaveId(33n), epoch: toEpoch(1) };
    expect(await signingMark(store, head)).toMatchObject({ epoch: 1, round: 8, waveId: 33n });
    await takeOver(store, random, imported(1, 1, 20, 40));
    expect(await signingMark(store, head)).toEqual(imported(1, 1, 20, 40).mark);
  });

  it('is not lost by a store whose own vertices are', async () => {
    const store = new MemoryStore();
    const records = new StandingRecords(store);
    await store.batch([records.putStore({ standing: 'lost', id: hashOf(9) })]);
    expect(await signingMark(store, GENESIS_RECORD)).toMatchObject({ epoch: 0, round: 0 });
  });
});

describe('a member with a floor', () => {
  const recovery = (epoch: number, floor: { epoch: number; round: number }) =>
    new Recovery({
      size: 1,
      self: toMemberIndex(0),
      epoch: toEpoch(epoch),
      standing: 'lost',
      own: undefined,
      isUnderWay: false,
      floor: { epoch: toEpoch(floor.epoch), round: floor.round },
    });

  it('makes nothing at or below its round, and nothing in an epoch before its epoch', () => {
    expect(recovery(2, { epoch: 2, round: 17 }).resumeRound).toBe(18);
    expect(recovery(3, { epoch: 2, round: 17 }).resumeRound).toBe(1);
    expect(recovery(1, { epoch: 2, round: 17 }).resumeRound).toBeUndefined();
  });

  it('attests no wave below it, and the wave itself with the same result alone', () => {
    const { mark } = imported(1, 0, 3, 5);
    const signer = testSigner(0);
    const attested = (wave: number, digest: number): readonly bigint[] => {
      const own = new OwnAttestations(mark);
      own.add({ ...GENESIS_RECORD, waveId: toWaveId(BigInt(wave)) }, hashOf(digest));
      return own.take(signer).map(({ waveId }) => waveId);
    };
    expect(attested(4, 4)).toEqual([]);
    expect(attested(5, 6)).toEqual([]);
    expect(attested(5, 5)).toEqual([5n]);
    expect(attested(6, 6)).toEqual([6n]);
  });
});
