/** Four members in one process, their messages passed by hand; every key and signature is real. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../bytes/index.ts';
import { blake3 } from '../crypto/index.ts';
import { verifyCert, verifyLink } from '../finality/index.ts';
import { ManualClock } from '../platform/index.ts';
import { toMemberIndex } from '../types/index.ts';
import { CHAIN_ID, GENESIS_MS, TestMember, testCommittee, testTransaction } from './testing.ts';

const committee = testCommittee(4);

interface Delivery {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly message: Uint8Array;
}

/** Members, one clock, and messages on their way. */
class Network {
  readonly clock = new ManualClock(Number(GENESIS_MS) + 10);
  readonly members: TestMember[] = [];
  readonly #delayMs: (from: number, to: number, count: number) => number;
  readonly #sent: number[] = [0, 0, 0, 0];
  #inFlight: Delivery[] = [];
  #count = 0;

  constructor(delayMs: (from: number, to: number, count: number) => number) {
    this.#delayMs = delayMs;
  }

  async start(seats: readonly number[] = [0, 1, 2, 3]): Promise<void> {
    for (const self of [0, 1, 2, 3]) {
      this.members.push(await TestMember.open({ committee, self, clock: this.clock }));
    }
    for (const seat of seats) await this.member(seat).step({ kind: 'start' });
    this.#collect();
  }

  member(seat: number): TestMember {
    const member = this.members[seat];
    if (member === undefined) throw new Error(`no member ${seat}`);
    return member;
  }

  /** Lets time pass, delivering messages and firing timers as they fall due. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed++) {
      const { monotonicMs } = this.clock.now();
      const due = this.#inFlight.filter(({ atMs }) => atMs <= monotonicMs);
      this.#inFlight = this.#inFlight.filter(({ atMs }) => atMs > monotonicMs);
      for (const { from, to, message } of due) {
        await this.member(to).step({
          kind: 'message',
          bytes: message,
          from: toMemberIndex(from),
        });
      }
      for (const member of this.members) {
        if (member.timerMs !== undefined && member.timerMs <= monotonicMs) {
          member.timerMs = undefined;
          await member.step({ kind: 'timer' });
        }
        await member.executeAll();
      }
      this.#collect();
      this.clock.advance(1);
    }
  }

  #collect(): void {
    const { monotonicMs } = this.clock.now();
    this.members.forEach((member, from) => {
      for (const message of member.sent.slice(this.#sent[from])) {
        for (let to = 0; to < this.members.length; to++) {
          if (to === from) continue;
          const atMs = monotonicMs + this.#delayMs(from, to, this.#count++);
          this.#inFlight.push({ atMs, from, to, message });
        }
      }
      this.#sent[from] = member.sent.length;
    });
  }
}

/** Waves as text, so that members can be compared. */
const waves = (member: TestMember): string[] =>
  member.committed.map((wave) => {
    const transactions = toHex(blake3(...wave.transactions));
    return `${wave.waveId} ${wave.anchorRound} ${toHex(wave.anchorHash)} ${wave.timestampMs} ${transactions}`;
  });

function expectOneChain(network: Network, atLeast: number): void {
  const lists = network.members.map(waves);
  const longest = lists.toSorted((a, b) => b.length - a.length)[0] ?? [];
  for (const list of lists) {
    expect(list.length).toBeGreaterThanOrEqual(atLeast);
    expect(list).toEqual(longest.slice(0, list.length));
  }
  for (const { records } of network.members) {
    for (let i = 1; i < records.length; i++) {
      const [previous, record] = [records[i - 1], records[i]];
      if (previous !== undefined && record !== undefined) verifyLink(previous, record);
    }
  }
}

describe('a committee of four', () => {
  it('commits the same waves everywhere, with every transaction once and certificates of three', async () => {
    const network = new Network((_, __, count) => 5 + ((count * 7) % 11));
    await network.start();
    const submitted: Uint8Array[] = [];
    for (let i = 0; i < 24; i++) {
      const transaction = testTransaction(i);
      submitted.push(transaction);
      network.member(i % 4).pool.push(transaction);
      await network.member(i % 4).step({ kind: 'work', pending: true });
      await network.run(17);
    }
    await network.run(400);
    expectOneChain(network, 8);
    for (const member of network.members) {
      const executed = member.committed.flatMap(({ transactions }) => transactions.map(toHex));
      expect(executed.toSorted()).toEqual(submitted.map(toHex).toSorted());
      expect(member.certs.length).toBeGreaterThan(5);
      const cert = member.certs.at(-1);
      if (cert !== undefined) verifyCert(cert, committee, { chainId: CHAIN_ID });
      expect(member.machine.status.refused.size).toBe(0);
      expect(member.machine.status.batchesInMemory).toBe(0);
    }
  });

  it("goes idle together, and one member's transaction wakes it", async () => {
    const network = new Network(() => 10);
    await network.start();
    await network.run(3_000);
    const idleRounds = network.member(0).machine.status.ownRound;
    // Paced by 500 ms; never faster.
    expect(idleRounds).toBeGreaterThanOrEqual(5);
    expect(idleRounds).toBeLessThanOrEqual(7);
    network.member(2).pool.push(testTransaction(1));
    await network.member(2).step({ kind: 'work', pending: true });
    await network.run(250);
    for (const member of network.members) {
      expect(member.committed.some((wave) => wave.transactions.length === 1)).toBe(true);
      // The certificate of its wave did not wait for the next paced round either.
      const wave = member.committed.find(({ transactions }) => transactions.length === 1);
      expect(member.certs.some(({ record }) => record.waveId === wave?.waveId)).toBe(true);
    }
  });

  it('goes on without a silent member, skipping its anchors', async () => {
    const network = new Network((from) => (from === 3 ? 1_000_000 : 10));
    await network.start();
    for (let i = 0; i < 40; i++) {
      network.member(0).pool.push(testTransaction(i));
      await network.member(0).step({ kind: 'work', pending: true });
      await network.run(100);
    }
    await network.run(1_000);
    const [a, b, c] = network.members;
    if (a === undefined || b === undefined || c === undefined) throw new Error('four members');
    const executed = a.committed.flatMap(({ transactions }) => transactions.map(toHex));
    expect(executed.toSorted()).toEqual(
      Array.from({ length: 40 }, (_, i) => toHex(testTransaction(i))).toSorted(),
    );
    expect(waves(b).slice(0, 20)).toEqual(waves(a).slice(0, 20));
    expect(waves(c).slice(0, 20)).toEqual(waves(a).slice(0, 20));
    expect(a.committed.some((w) => w.anchorRound > w.priorAnchorRound + 1)).toBe(true);
    const cert = a.certs.at(-1);
    expect(cert?.signatures.length).toBe(3);
  });

  it('makes no vertex while fewer than three are there', async () => {
    const network = new Network((from, to) => (from < 2 && to < 2 ? 5 : 1_000_000));
    await network.start();
    await network.run(3_000);
    for (const member of network.members) {
      expect(member.machine.status.ownRound).toBe(1);
      expect(member.committed).toEqual([]);
    }
  });
});
