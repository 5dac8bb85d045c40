import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { testGenesis } from '../execution/testing.ts';
import { genesisHash, toHash } from '../types/index.ts';
import {
  type Activation,
  PROTOCOL_VERSION,
  ProtocolSchedule,
  protocolSchedule,
  versionedStart,
} from './index.ts';

const upgrade = (version: number, epoch: number): Activation => ({ version, epoch });

const start = toHash(new Uint8Array(32).fill(7));

/** In order, versions and epochs both rising. */
const upgrades = fc
  .array(
    fc.record({ version: fc.integer({ min: 1, max: 9 }), epoch: fc.integer({ min: 1, max: 99 }) }),
    {
      maxLength: 8,
    },
  )
  .map((steps) => {
    let [version, epoch] = [1, 0];
    return steps.map((step) => {
      version += step.version;
      epoch += step.epoch;
      return upgrade(version, epoch);
    });
  });

describe('ProtocolSchedule', () => {
  it('gives every epoch the version of the last change at or before it', () => {
    fc.assert(
      fc.property(upgrades, fc.nat(1_000), (list, epoch) => {
        const schedule = new ProtocolSchedule(list);
        const last = list.filter((change) => change.epoch <= epoch).at(-1);
        expect(schedule.versionOf(epoch)).toBe(last?.version ?? 1);
        expect(schedule.versionOf(epoch + 1)).toBeGreaterThanOrEqual(schedule.versionOf(epoch));
      }),
    );
  });

  it('supports an epoch when the software knows its version, and names the change it cannot follow', () => {
    const schedule = new ProtocolSchedule([upgrade(2, 10), upgrade(4, 20)], 2);
    expect([0, 9, 10, 19, 20, 21].map((epoch) => schedule.supports(epoch))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(schedule.standing(3)).toEqual({
      supported: 2,
      active: 1,
      next: upgrade(2, 10),
      unsupported: upgrade(4, 20),
    });
    expect(schedule.standing(25)).toMatchObject({ active: 4, next: undefined });
    expect(schedule.haltReason(20)).toMatch(
      /epoch 20 runs by protocol version 4.*up to 2.*install/,
    );
  });

  it.each([
    ['epoch 0', [upgrade(2, 0)]],
    ['version 1', [upgrade(1, 5)]],
    ['a version twice', [upgrade(2, 5), upgrade(2, 6)]],
    ['an epoch twice', [upgrade(2, 5), upgrade(3, 5)]],
    ['a falling version', [upgrade(3, 5), upgrade(2, 6)]],
    ['a broken number', [upgrade(2, 1.5)]],
    ['no number', [upgrade(Number.NaN, 5)]],
    ['too many', Array.from({ length: 65 }, (_, i) => upgrade(i + 2, i + 1))],
  ])('refuses %s', (_, list) => {
    expect(() => new ProtocolSchedule(list)).toThrow(
      expect.objectContaining({ code: 'protocol.schedule' }),
    );
  });
});

describe('protocolSchedule', () => {
  const genesis = testGenesis();
  const known = new Map([[toHex(genesisHash(genesis)), [upgrade(2, 10)]]]);
  const options = { supported: 2 };

  it('takes what is compiled in for the chain, and configuration for any other', () => {
    expect(protocolSchedule(genesis, options, known).versionOf(10)).toBe(2);
    const own = { ...options, upgrades: [upgrade(2, 3)] };
    expect(protocolSchedule(genesis, own).versionOf(3)).toBe(2);
    expect(protocolSchedule(genesis).standing(0)).toEqual({
      supported: PROTOCOL_VERSION,
      active: 1,
      next: undefined,
      unsupported: undefined,
    });
  });

  it('lets configuration announce to a known chain what the software lacks, and nothing else', () => {
    const announced = { ...options, upgrades: [upgrade(3, 50)] };
    expect(protocolSchedule(genesis, announced, known).standing(0)).toMatchObject({
      next: upgrade(2, 10),
      unsupported: upgrade(3, 50),
    });
    const repeated = { ...options, upgrades: [upgrade(2, 10)] };
    expect(protocolSchedule(genesis, repeated, known).versionOf(10)).toBe(2);
    for (const wrong of [upgrade(2, 11), upgrade(2, 9)]) {
      expect(() => protocolSchedule(genesis, { ...options, upgrades: [wrong] }, known)).toThrow(
        expect.objectContaining({ code: 'protocol.schedule' }),
      );
    }
  });
});

describe('versionedStart', () => {
  it('is the digest itself in version 1, and another for each later version', () => {
    expect(versionedStart(start, 1)).toEqual(start);
    const digests = [1, 2, 3, 258].map((version) => toHex(versionedStart(start, version)));
    expect(new Set(digests).size).toBe(4);
    expect(digests[1]).toBe('0x5f7adece1ffaa815aef2c27abca7424402cabe56248aff98778403415ba9040b');
  });
});
