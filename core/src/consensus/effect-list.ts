/**
 * The effects of one step. All its writes become one atomic `persist` in front, so that a step costs
 * one write to the disk and nothing is sent, committed or certified before it is kept.
 */
import type { StoreWrite } from '../platform/index.ts';
import type { ConsensusEffect } from './events.ts';

export class EffectList {
  readonly #writes: StoreWrite[] = [];
  readonly #rest: ConsensusEffect[] = [];
  #sync = false;

  /** @param sync must survive loss of power before anything else of the step happens */
  persist(writes: readonly StoreWrite[], sync: boolean): void {
    for (const write of writes) this.#writes.push(write);
    this.#sync ||= sync;
  }

  add(effect: Exclude<ConsensusEffect, { kind: 'persist' }>): void {
    this.#rest.push(effect);
  }

  get hasWrites(): boolean {
    return this.#writes.length > 0;
  }

  finish(): ConsensusEffect[] {
    if (this.#writes.length === 0) return this.#rest;
    return [{ kind: 'persist', writes: this.#writes, sync: this.#sync }, ...this.#rest];
  }
}
