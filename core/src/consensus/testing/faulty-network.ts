/**
 * Members in one process under a seeded schedule: messages are lost, doubled, late and out of order,
 * and members are cut off and come back. Keys and signatures are real.
 */
import { SeededRandom } from '../../bytes/testing/random.ts';
import { ManualClock } from '../../platform/index.ts';
import { type GenesisParameters, toMemberIndex } from '../../types/index.ts';
import { GENESIS_MS, PARAMETERS, TestMember, testCommittee } from '../testing.ts';

export interface Faults {
  readonly lossPercent: number;
  readonly duplicationPercent: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export const NO_FAULTS: Faults = {
  lossPercent: 0,
  duplicationPercent: 0,
  minDelayMs: 5,
  maxDelayMs: 15,
};

interface Delivery {
  readonly from: number;
  readonly to: number;
  readonly message: Uint8Array;
}

export class FaultyNetwork {
  readonly clock = new ManualClock(Number(GENESIS_MS) + 10);
  readonly members: TestMember[] = [];
  /** Members that send and receive nothing. */
  readonly cut = new Set<number>();
  /** Sees every message; false: it is lost. */
  filter: (delivery: Delivery) => boolean = () => true;
  faults: Faults;
  readonly #random: SeededRandom;
  readonly #due = new Map<number, Delivery[]>();

  constructor(seed: string, faults: Faults) {
    this.#random = new SeededRandom(seed);
    this.faults = faults;
  }

  static async start(
    seed: string,
    faults: Faults,
    over: { readonly size?: number; readonly parameters?: Partial<GenesisParameters> } = {},
  ): Promise<FaultyNetwork> {
    const network = new FaultyNetwork(seed, faults);
    const size = over.size ?? 4;
    const committee = testCommittee(size);
    const parameters = { ...PARAMETERS, ...over.parameters };
    for (let self = 0; self < size; self++) {
      const options = { committee, self, clock: network.clock, parameters };
      network.members.push(await TestMember.open(options));
    }
    for (const member of network.members) await member.step({ kind: 'start' });
    network.#collect();
    return network;
  }

  member(seat: number): TestMember {
    const member = this.members[seat];
    if (member === undefined) throw new Error(`no member ${seat}`);
    return member;
  }

  /** Work for one member. */
  async submit(seat: number, transaction: Uint8Array): Promise<void> {
    this.member(seat).pool.push(transaction);
    await this.member(seat).step({ kind: 'work', pending: true });
  }

  /** A member is back: it and the others hear of a connection. */
  async reconnect(seat: number): Promise<void> {
    this.cut.delete(seat);
    for (const [other, member] of this.members.entries()) {
      if (other === seat) continue;
      await member.step({ kind: 'connected', member: toMemberIndex(seat) });
      await this.member(seat).step({ kind: 'connected', member: toMemberIndex(other) });
    }
    this.#collect();
  }

  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed++) {
      const { monotonicMs } = this.clock.now();
      const due = this.#due.get(monotonicMs) ?? [];
      this.#due.delete(monotonicMs);
      for (const { from, to, message } of due) {
        if (this.cut.has(from) || this.cut.has(to)) continue;
        const at = toMemberIndex(from);
        await this.member(to).step({ kind: 'message', bytes: message, from: at });
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
    for (const [from, member] of this.members.entries()) {
      for (const { to, message } of member.outbox) {
        for (let seat = 0; seat < this.members.length; seat++) {
          if (seat !== from && (to === undefined || to === seat)) {
            this.#send({ from, to: seat, message });
          }
        }
      }
      member.outbox = [];
    }
  }

  #send(delivery: Delivery): void {
    const { lossPercent, duplicationPercent, minDelayMs, maxDelayMs } = this.faults;
    const copies = this.#random.below(100) < duplicationPercent ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random.below(100) < lossPercent || !this.filter(delivery)) continue;
      const delayMs = Math.max(1, this.#random.between(minDelayMs, maxDelayMs));
      const atMs = this.clock.now().monotonicMs + delayMs;
      const due = this.#due.get(atMs) ?? [];
      this.#due.set(atMs, due);
      due.push(delivery);
    }
  }
}
