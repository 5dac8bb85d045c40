import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { verifyCert } from '../finality/index.ts';
import { ManualClock } from '../platform/index.ts';
import { ATTESTING_ROUND_MS } from './producer.ts';
import {
  CHAIN_ID,
  GENESIS_MS,
  PARAMETERS,
  TestMember,
  testCommittee,
  testTransaction,
} from './testing.ts';

const committee = testCommittee(1);
const open = (over: Partial<Parameters<typeof TestMember.open>[0]> = {}): Promise<TestMember> =>
  TestMember.open({ committee, self: 0, clock: new ManualClock(Number(GENESIS_MS) + 10), ...over });
const kinds = (effects: readonly { kind: string }[]): string[] => effects.map(({ kind }) => kind);

describe('a committee of one', () => {
  it('commits a transaction in the step that brings it, behind one durable write', async () => {
    const member = await open();
    await member.step({ kind: 'start' });
    member.clock.advance(7);
    member.pool.push(testTransaction(1), testTransaction(2));
    const effects = await member.step({ kind: 'work', pending: true });
    expect(kinds(effects)).toEqual(['persist', 'commit', 'set-timer']);
    expect(effects[0]).toMatchObject({ sync: true });
    expect(effects[2]).toMatchObject({ atMonotonicMs: 7 + PARAMETERS.idleRoundMs });
    expect(member.committed.map((w) => [w.waveId, w.anchorRound, w.priorAnchorRound])).toEqual([
      [1n, 1, 0],
    ]);
    expect(member.committed[0]?.transactions).toEqual([testTransaction(1), testTransaction(2)]);
    expect(member.machine.status.ownRound).toBe(3);
  });

  it('certifies the wave of a transaction soon after it is executed', async () => {
    const member = await open();
    await member.step({ kind: 'start' });
    member.pool.push(testTransaction(1));
    await member.step({ kind: 'work', pending: true });
    member.clock.advance(ATTESTING_ROUND_MS - 1);
    expect(kinds(await member.execute())).toEqual(['set-timer']);
    expect(member.timerMs).toBe(ATTESTING_ROUND_MS);
    member.clock.advance(1);
    const effects = await member.step({ kind: 'timer' });
    expect(kinds(effects)).toEqual(['persist', 'certified', 'commit', 'set-timer']);
    // The write that holds the certificate also holds an own vertex.
    expect(effects[0]).toMatchObject({ sync: true });
    expect(member.certs.map(({ record }) => record.waveId)).toEqual([1n]);
    for (const cert of member.certs) verifyCert(cert, committee, { chainId: CHAIN_ID });
    // The empty wave that came with it wakes nobody.
    expect(kinds(await member.execute())).toEqual([]);
  });

  it('certifies at once what took longer to execute', async () => {
    const member = await open();
    await member.step({ kind: 'start' });
    member.pool.push(testTransaction(1));
    await member.step({ kind: 'work', pending: true });
    member.clock.advance(ATTESTING_ROUND_MS);
    expect(kinds(await member.execute())).toEqual(['persist', 'certified', 'commit', 'set-timer']);
  });

  it('attests in the vertices of work that follows soon, behind the one write of it', async () => {
    const member = await open();
    await member.step({ kind: 'start' });
    for (let i = 1; i <= 3; i++) {
      member.pool.push(testTransaction(i));
      const effects = await member.step({ kind: 'work', pending: true });
      expect(effects.filter(({ kind }) => kind === 'persist')).toMatchObject([{ sync: true }]);
      member.clock.advance(ATTESTING_ROUND_MS - 1);
      while (member.waiting > 0) expect(kinds(await member.execute())).not.toContain('persist');
      expect(member.machine.status.ownRound).toBe(3 * i);
    }
    // Waves 2, 3, 5 and 6 are the empty rounds between; wave 7 waits for what comes next.
    expect(member.committed.map((w) => w.transactions.length)).toEqual([1, 0, 0, 1, 0, 0, 1]);
    expect(member.certs.map(({ record }) => record.waveId)).toEqual([1n, 4n, 3n, 2n]);
  });

  it('keeps no certificate back longer than an idle round', async () => {
    const member = await open({ parameters: { ...PARAMETERS, idleRoundMs: 3 } });
    await member.step({ kind: 'start' });
    member.pool.push(testTransaction(1));
    await member.step({ kind: 'work', pending: true });
    await member.execute();
    expect(member.timerMs).toBe(3);
  });

  it('paces idle rounds, and wakes at once for work', async () => {
    const member = await open();
    await member.step({ kind: 'start' });
    expect(member.timerMs).toBe(PARAMETERS.idleRoundMs);
    for (let round = 1; round <= 5; round++) {
      member.clock.advance(499);
      expect(kinds(await member.step({ kind: 'work', pending: false }))).toEqual([]);
      member.clock.advance(1);
      await member.step({ kind: 'timer' });
      await member.executeAll();
      expect(member.machine.status.ownRound).toBe(round);
    }
    expect(member.records.at(-1)?.waveId).toBe(3n);
    // Attestations of waves 1 and 2 rode on rounds 4 and 5.
    expect(member.certs.map(({ record }) => record.waveId)).toEqual([1n, 2n]);
    member.clock.advance(3);
    member.pool.push(testTransaction(1));
    await member.step({ kind: 'work', pending: true });
    expect(member.committed.map((w) => w.transactions.length)).toEqual([0, 0, 0, 0, 0, 1]);
    expect(toHex(member.committed.at(-1)?.transactions[0] ?? new Uint8Array())).toBe(
      toHex(testTransaction(1)),
    );
  });
});
