/**
 * Runs a node machine on Node: events in a queue, one step at a time, each step's effects in order
 * and a `persist` finished before the next effect starts (the rule of `Machine`). Steps never
 * overlap. Waves are computed while the `persist` before them runs, and written in their turn. Whatever throws here is a defect or a failing disk: the node stops with that reason.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isPydeError, PydeError } from '@pyde/core/bytes';
import type {
  GossipTopic,
  GossipVerdict,
  NodeEffect,
  NodeEvent,
  NodeMachine,
} from '@pyde/core/node';
import type { Clock, KeyValueStore, WorkerPool } from '@pyde/core/platform';
import type { PeerNumber, TxHash, ValidatorIndex } from '@pyde/core/types';
import type { BegunExecution, ExecutionThread } from '../workers/execution-thread.ts';
import { EventQueue } from './event-queue.ts';
import type { Outlet } from './outlet.ts';

export interface DriverParts {
  readonly machine: Pick<NodeMachine, 'step' | 'prepare'>;
  readonly clock: Clock;
  readonly store: KeyValueStore;
  readonly pool: WorkerPool;
  readonly execution: Pick<ExecutionThread, 'begin'>;
  readonly outlet: Outlet;
  /** Called when waves are durable, before the machine hears of them: readers move to them. */
  onDurable(): void;
  /** What subscribers are told. */
  onNotice(effect: Extract<NodeEffect, { kind: 'wave' | 'finality' | 'equivocation' }>): void;
  /** The node cannot go on. Called once. */
  onStop(reason: Error): void;
}

interface Waiter {
  resolve(hash: TxHash): void;
  reject(error: Error): void;
}

/** While events keep coming, what has gathered is proposed and answered at least so often. */
const MAX_TURN_GAP_MS = 20;
const READMITTED_AT_A_TIME = 256;
const READMIT_AGAIN_MS = 50;

export class Driver {
  readonly #parts: DriverParts;
  readonly #events = new EventQueue();
  readonly #waiters = new Map<number, Waiter>();
  /** Gossip that is looked at, by ticket. */
  readonly #gossip = new Map<number, (verdict: GossipVerdict) => void>();
  #nextRequest = 0;
  #lastTurnMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #pump: Promise<void> | undefined;
  #resting: NodeJS.Immediate | undefined;
  #stopped: Error | undefined;

  constructor(parts: DriverParts) {
    this.#parts = parts;
  }

  get queuedEvents(): number {
    return this.#events.length;
  }

  /** Messages of peers that found no room, since the start. */
  get droppedMessages(): number {
    return this.#events.dropped;
  }

  start(): void {
    this.#push({ kind: 'start' });
  }

  /** From a validator, size-checked; dropped when too much of that validator waits already. */
  message(from: ValidatorIndex, bytes: Uint8Array): void {
    if (this.#stopped !== undefined) return;
    this.#events.pushMessage({ kind: 'message', from, bytes });
    this.#pump ??= this.#run();
  }

  /** A connection to a validator was made, or made again. */
  connected(peer: ValidatorIndex): void {
    this.#push({ kind: 'connected', peer });
  }

  peerConnected(peer: PeerNumber): void {
    this.#push({ kind: 'peer-connected', peer });
  }

  peerDisconnected(peer: PeerNumber): void {
    this.#push({ kind: 'peer-disconnected', peer });
  }

  /** What the node thinks of it; `ignore` when it has no time to look. */
  gossip(topic: GossipTopic, bytes: Uint8Array): Promise<GossipVerdict> {
    const ticket = this.#nextRequest++;
    const event: NodeEvent = { kind: 'gossip', topic, ticket, bytes };
    const isHeard = this.#stopped === undefined && this.#events.pushRequest(event, bytes.length);
    if (!isHeard) return Promise.resolve('ignore');
    this.#pump ??= this.#run();
    return new Promise((resolve) => {
      this.#gossip.set(ticket, resolve);
    });
  }

  /** Resolves when the transaction is admitted. @throws PydeError with the rule it breaks */
  submit(bytes: Uint8Array): Promise<TxHash> {
    return this.#request('submit', bytes);
  }

  /** Takes in again what an earlier run acknowledged, in its own time; what is refused is dropped. */
  async readmit(transactions: readonly Uint8Array[]): Promise<void> {
    for (let first = 0; first < transactions.length; first += READMITTED_AT_A_TIME) {
      let left = transactions.slice(first, first + READMITTED_AT_A_TIME);
      while (left.length > 0) {
        const results = await Promise.allSettled(left.map((tx) => this.#request('readmit', tx)));
        if (this.#stopped !== undefined) return;
        left = left.filter((_, i) => isBusy(results[i]));
        if (left.length > 0) await sleep(READMIT_AGAIN_MS);
      }
    }
  }

  #request(kind: 'submit' | 'readmit', bytes: Uint8Array): Promise<TxHash> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    const request = this.#nextRequest++;
    if (!this.#events.pushRequest({ kind, request, bytes }, bytes.length)) {
      return Promise.reject(new PydeError('node.busy', 'the node is overloaded; try again soon'));
    }
    this.#pump ??= this.#run();
    return new Promise((resolve, reject) => {
      this.#waiters.set(request, { resolve, reject });
    });
  }

  /** Something that the node needs is gone: ends as `stop` does, and says why. */
  fail(reason: Error): void {
    if (this.#stopped !== undefined) return;
    this.#end(reason);
    this.#parts.onStop(reason);
  }

  /** Ends after the step under way. Requests that still wait are refused. */
  async stop(): Promise<void> {
    this.#end(
      new PydeError('node.stopping', 'the node is stopping; send it again when it is back'),
    );
    await this.#pump;
  }

  #push(event: NodeEvent): void {
    if (this.#stopped !== undefined) return;
    this.#events.pushOwn(event);
    this.#pump ??= this.#run();
  }

  async #run(): Promise<void> {
    // Behind the callers of this turn of the event loop, so that what comes together is one turn.
    await new Promise(setImmediate);
    this.#lastTurnMs = this.#parts.clock.now().monotonicMs;
    try {
      while (this.#stopped === undefined) {
        const event = this.#next();
        await this.#step(event);
        if (event.kind !== 'turn') continue;
        if (this.#events.length === 0) break;
        // Sockets and timers have their time as well.
        await new Promise(setImmediate);
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#pump = undefined;
      if (this.#events.length > 0 && this.#stopped === undefined) this.#pump = this.#run();
      else this.#rest();
    }
  }

  #next(): NodeEvent {
    const nowMs = this.#parts.clock.now().monotonicMs;
    const isDue = nowMs >= this.#lastTurnMs + MAX_TURN_GAP_MS;
    const event = isDue ? undefined : this.#events.shift();
    if (event !== undefined) return event;
    this.#lastTurnMs = nowMs;
    return { kind: 'turn' };
  }

  /** Uses the time until the next event, a little in each turn of the event loop. */
  #rest(): void {
    this.#resting ??= setImmediate(() => {
      this.#resting = undefined;
      if (this.#pump !== undefined || this.#stopped !== undefined) return;
      try {
        if (this.#parts.machine.prepare()) this.#rest();
      } catch (error) {
        this.fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  async #step(event: NodeEvent): Promise<void> {
    const { machine, clock } = this.#parts;
    if (event.kind === 'executed') this.#parts.onDurable();
    const effects = machine.step(event, clock.now());
    // Computed while the disk takes what orders it, and written in its turn among the effects.
    const begun = effects.map((effect) =>
      effect.kind === 'execute'
        ? this.#parts.execution.begin(effect.waves, effect.verified)
        : undefined,
    );
    for (const [i, effect] of effects.entries()) {
      await this.#carryOut(effect, begun[i]);
      if (this.#stopped !== undefined) return;
    }
  }

  async #carryOut(effect: NodeEffect, begun: BegunExecution | undefined): Promise<void> {
    switch (effect.kind) {
      case 'persist':
        await this.#parts.store.batch(effect.writes, { sync: effect.sync });
        return;
      case 'send':
        this.#parts.outlet.send(effect.peer, effect.message);
        return;
      case 'broadcast':
        this.#parts.outlet.broadcast(effect.message);
        return;
      case 'ask':
        this.#ask(effect);
        return;
      case 'report':
        this.#parts.outlet.report(effect.peer, effect.offence);
        return;
      case 'publish':
        this.#parts.outlet.publish(effect.topic, effect.message);
        return;
      case 'gossip-verdict':
        this.#gossip.get(effect.ticket)?.(effect.verdict);
        this.#gossip.delete(effect.ticket);
        return;
      case 'set-timer':
        this.#setTimer(effect.atMonotonicMs);
        return;
      case 'verify':
        this.#verify(effect);
        return;
      case 'verify-ahead':
        this.#verifyAhead(effect);
        return;
      case 'reply':
        this.#reply(effect);
        return;
      case 'execute':
        if (begun !== undefined) this.#execute(begun);
        return;
      case 'wave':
      case 'finality':
      case 'equivocation':
        this.#parts.onNotice(effect);
        return;
      case 'halt':
        this.#parts.onStop(new PydeError('node.halted', effect.reason));
        return;
      default:
        effect satisfies never;
    }
  }

  #setTimer(atMonotonicMs: number): void {
    clearTimeout(this.#timer);
    const inMs = Math.max(0, atMonotonicMs - this.#parts.clock.now().monotonicMs);
    this.#timer = setTimeout(() => this.#push({ kind: 'timer' }), inMs);
  }

  #verify({ request, checks }: Extract<NodeEffect, { kind: 'verify' }>): void {
    this.#parts.pool.verify(checks).then(
      (verdicts) =>
        this.#push({ kind: 'verified', request, valid: verdicts.every((valid) => valid) }),
      (error: unknown) => {
        const refusal =
          error instanceof PydeError
            ? error
            : new PydeError('pool.failed', 'signatures cannot be checked now; try again soon');
        this.#push({ kind: 'unverified', request, error: refusal });
      },
    );
  }

  #ask({ peer, ticket, protocol, question }: Extract<NodeEffect, { kind: 'ask' }>): void {
    this.#parts.outlet.ask(peer, protocol, question).then(
      (bytes) => this.#push({ kind: 'answer', peer, ticket, bytes }),
      () => this.#push({ kind: 'answer', peer, ticket, bytes: undefined }),
    );
  }

  /** The executor makes whatever checks the pool does not. */
  #verifyAhead({ ticket, checks }: Extract<NodeEffect, { kind: 'verify-ahead' }>): void {
    this.#parts.pool.verify(checks).then(
      (verdicts) => this.#push({ kind: 'verified-ahead', ticket, verdicts }),
      () => this.#push({ kind: 'verified-ahead', ticket, verdicts: undefined }),
    );
  }

  #reply({ request, reply }: Extract<NodeEffect, { kind: 'reply' }>): void {
    const waiter = this.#waiters.get(request);
    this.#waiters.delete(request);
    if (reply.ok) waiter?.resolve(reply.hash);
    else waiter?.reject(reply.error);
  }

  #execute({ executed, write }: BegunExecution): void {
    write();
    executed.then(
      (executed) => this.#push({ kind: 'executed', waves: executed }),
      (error: Error) => this.fail(error),
    );
  }

  #end(reason: Error): void {
    this.#stopped ??= reason;
    clearTimeout(this.#timer);
    this.#events.clear();
    for (const waiter of this.#waiters.values()) waiter.reject(reason);
    this.#waiters.clear();
    for (const resolve of this.#gossip.values()) resolve('ignore');
    this.#gossip.clear();
  }
}

/** The node could not look at it; anything else was a verdict. */
function isBusy(result: PromiseSettledResult<unknown> | undefined): boolean {
  if (result?.status !== 'rejected') return false;
  return isPydeError(result.reason, 'node.busy') || isPydeError(result.reason, 'pool.full');
}
