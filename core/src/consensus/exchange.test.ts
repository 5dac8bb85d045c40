/** Members that lose messages come by everything all the same, and commit the same. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { FaultyNetwork, NO_FAULTS } from './testing/faulty-network.ts';
import { type TestMember, testTransaction } from './testing.ts';

const waves = (member: TestMember): string[] =>
  member.committed.map(({ waveId, anchorRound, anchorHash, transactions }) =>
    [waveId, anchorRound, toHex(anchorHash), ...transactions.map(toHex)].join(' '),
  );

function expectOneChain(network: FaultyNetwork, atLeast: number): void {
  const lists = network.members.map(waves);
  const longest = lists.toSorted((a, b) => b.length - a.length)[0] ?? [];
  for (const list of lists) {
    expect(list.length).toBeGreaterThanOrEqual(atLeast);
    expect(list).toEqual(longest.slice(0, list.length));
  }
}

const executed = (member: TestMember): string[] =>
  member.committed.flatMap(({ transactions }) => transactions.map(toHex)).toSorted();

describe('members that exchange what they miss', () => {
  for (const seed of ['a', 'b', 'c']) {
    it(`commit the same under loss, duplication and reorder (${seed})`, async () => {
      const faults = { lossPercent: 30, duplicationPercent: 50, minDelayMs: 1, maxDelayMs: 80 };
      const network = await FaultyNetwork.start(`exchange ${seed}`, faults);
      const submitted: string[] = [];
      for (let i = 0; i < 20; i++) {
        await network.submit(i % 4, testTransaction(i));
        submitted.push(toHex(testTransaction(i)));
        await network.run(60);
      }
      await network.run(3_000);
      network.faults = NO_FAULTS;
      await network.run(3_000);
      expectOneChain(network, 8);
      for (const member of network.members) {
        expect(executed(member)).toEqual(submitted.toSorted());
        const { missing, bufferedVertices } = member.machine.status;
        expect([missing, bufferedVertices]).toEqual([0, 0]);
      }
    });
  }

  it('catch up by whole rounds when one was away inside the window', async () => {
    const network = await FaultyNetwork.start('away', NO_FAULTS, {
      parameters: { idleRoundMs: 40, gcRounds: 100 },
    });
    await network.run(500);
    network.cut.add(3);
    await network.run(2_500);
    const away = network.member(3).machine.status.ownRound;
    const others = network.member(0).machine.status.ownRound;
    expect(others - away).toBeGreaterThan(15);
    await network.reconnect(3);
    await network.run(1_000);
    const back = network.member(3).machine.status;
    expect(network.member(0).machine.status.ownRound - back.ownRound).toBeLessThanOrEqual(2);
    expect(back.bufferedVertices).toBe(0);
    expectOneChain(network, 20);
  });
});
