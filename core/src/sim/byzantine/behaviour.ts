/**
 * What a faulty member does differently (design/consensus.md, "Required tests", 2 and 3). Behind it
 * an honest node runs with the member's own key, which gives it the state it needs; a behaviour
 * changes what of that is said, to whom and when, and adds what no honest node would say. It goes
 * through the same messages and the same network as everybody.
 */
import type { Signer } from '../../finality/index.ts';
import type { NodeEvent } from '../../node/index.ts';
import type { UnsignedVertex } from '../../types/index.ts';
import type { Prng } from '../prng.ts';
import type { Heard } from './heard.ts';

/** A message that leaves, now or later; to all others when nobody is named. */
export interface Outgoing {
  readonly to: number | undefined;
  readonly message: Uint8Array;
  readonly afterMs?: number;
}

/**
 * An own vertex that the honest node made. A member may keep several stories of its own vertices:
 * on each line, references to own vertices are to those of the same line.
 */
export interface Draft {
  readonly own: UnsignedVertex;
  on(line: number): UnsignedVertex;
}

/** One of the vertices that go out in place of a draft. */
export interface Version {
  readonly line: number;
  readonly vertex: UnsignedVertex;
  /** Everybody else when absent. */
  readonly to?: readonly number[];
  readonly afterMs?: number;
  /** Later own vertices do not refer to it. */
  readonly isDeadEnd?: boolean;
}

/** What a behaviour has to work with. */
export interface Stage {
  /** Of the validator. */
  readonly self: number;
  readonly members: number;
  readonly quorum: number;
  readonly gcRounds: number;
  readonly chainId: bigint;
  readonly signer: Signer;
  readonly prng: Prng;
  readonly heard: Heard;
  readonly nowMs: number;
  /** Of the honest node behind. */
  readonly highestRound: number;
  /** The newest own vertex as the honest node made it. */
  readonly newest: UnsignedVertex | undefined;
  /** Who else plays false. */
  readonly faulty: ReadonlySet<number>;
  anchorOf(epoch: number, round: number): number | undefined;
  /** A message that carries the vertex, signed with the member's own key. */
  signed(vertex: UnsignedVertex): Uint8Array;
  /** Makes an answer about itself its own again, after it was changed. */
  address(member: number): Uint8Array | undefined;
}

export interface Behaviour {
  /** What goes out for a new own vertex; undefined to be asked again at the next step. */
  versions?(draft: Draft, stage: Stage): readonly Version[] | undefined;
  /** What becomes of a message that the honest node would send. */
  send?(out: Outgoing, stage: Stage): readonly Outgoing[];
  /** May the honest node have this? */
  hear?(event: NodeEvent, stage: Stage): boolean;
  /** After every step. */
  act?(stage: Stage): readonly Outgoing[];
}
