/**
 * One node of a simulation: a disk, a machine opened from it, an executor, and the rules by which a
 * platform runs them (`platform-node/src/runtime/driver.ts` is the real one). Events queue, steps
 * never overlap, effects go in order, a `persist` is complete before the next effect starts.
 *
 * It can lose power between any two effects, or in the middle of a write, and be started again from
 * what its disk still holds. A member that is not honest is another machine behind the same door.
 */
import { isPydeError } from '../bytes/index.ts';
import { type CommittedWave, isMessageOf, type VertexDoor } from '../consensus/index.ts';
import { type ExecutedWave, VerifiedTransactions, WaveExecutor } from '../execution/index.ts';
import type { Signer } from '../finality/index.ts';
import {
  type NodeEffect,
  type NodeEvent,
  type OpenNode,
  openNode,
  type Reply,
  type ValidatorMessage,
} from '../node/index.ts';
import type { Instant, Machine, VerifySignatures } from '../platform/index.ts';
import type { HardFinalityCert } from '../types/index.ts';
import type { SimDisk } from './disk.ts';
import type { Prng } from './prng.ts';
import type { SharedExecution } from './shared-execution.ts';

/** What takes part: the node's own machine, or one that does as it pleases with it. */
export type Member = Machine<NodeEvent, NodeEffect>;

/** What a member in disguise has to work with. */
export interface Seat {
  readonly index: number;
  readonly members: number;
  readonly signer: Signer;
  readonly verify: VerifySignatures;
  readonly door: VertexDoor;
  /** Its own stream of chance. */
  readonly prng: Prng;
  readonly disk: SimDisk;
}

/** A member that is not simply its node's machine. */
export interface Disguise {
  /** It has to keep every rule: assertions hold for it as for any other. */
  readonly honest: boolean;
  /** Called whenever the node starts. */
  wrap(node: OpenNode, seat: Seat): Member;
}

/** What the simulation offers to its nodes. */
export interface World {
  /** Since the simulation began. */
  readonly nowUs: number;
  /** Since 1970, by a clock that is right. */
  readonly unixMs: number;
  send(from: number, to: number, message: Uint8Array): void;
  broadcast(from: number, message: Uint8Array): void;
  /** Calls `handle` of the node later, unless it is another life by then. */
  later(delayUs: number, node: SimNode, event: HostEvent): void;
  readonly observer: Observer;
}

/** Called as things happen; an observer throws a `Violation` when they must not. */
export interface Observer {
  /** It is open and has made no step. */
  started(node: SimNode): void;
  stepped(node: SimNode, event: NodeEvent, effects: readonly NodeEffect[]): void;
  /** Right before a message leaves. */
  sending(node: SimNode, message: Uint8Array): void;
  ordered(node: SimNode, waves: readonly CommittedWave[]): void;
  executed(node: SimNode, wave: ExecutedWave): void;
  certified(node: SimNode, cert: HardFinalityCert): void;
  replied(node: SimNode, request: number, reply: Reply): void;
  halted(node: SimNode, reason: string): void;
}

export type HostEvent =
  | { readonly kind: 'deliver'; readonly event: NodeEvent }
  | { readonly kind: 'timer'; readonly token: number }
  /** The write under way is done. */
  | { readonly kind: 'written' }
  | { readonly kind: 'execute-next' };

export interface NodeTimes {
  /** Of a write with `sync`; others take no time that matters. */
  readonly syncUs: readonly [least: number, most: number];
  readonly waveUs: number;
  readonly transactionUs: number;
  /** Of a batch of signature checks. */
  readonly verifyUs: number;
}

export const NODE_TIMES: NodeTimes = {
  syncUs: [200, 1_000],
  waveUs: 500,
  transactionUs: 20,
  verifyUs: 200,
};

export interface SimNodeSetup {
  readonly seat: Seat;
  readonly times: NodeTimes;
  /** Absent for a node as it is. */
  readonly disguise?: Disguise | undefined;
  /** Absent for a node that executes every wave itself. */
  readonly execution?: SharedExecution | undefined;
}

/** As the real driver keeps. */
export const MAX_INBOX = 65_536;
const REMEMBERED_VERIFIED = 1_024;

interface Life {
  readonly open: OpenNode;
  readonly member: Member;
  readonly executor: WaveExecutor;
  readonly verified: VerifiedTransactions;
  readonly bootUs: number;
  readonly inbox: NodeEvent[];
  /** Effects of the step under way that wait for a write. */
  pending: readonly NodeEffect[];
  timerToken: number;
  executing: CommittedWave[];
  done: ExecutedWave[];
}

export class SimNode {
  readonly index: number;
  readonly disk: SimDisk;
  readonly honest: boolean;
  /** Added to the right time. */
  skewMs = 0;
  /** Added to what a write with `sync` takes. */
  addedSyncUs = 0;
  /** It lost what it had written, and has not made a vertex since. */
  forgot = false;
  /** Its store was put back from a copy, and it is told so when it starts. */
  isRestored = false;
  /** The process dies before the effect that takes it to zero. */
  effectsToCrash: number | undefined;
  /** Called when it died by that count. */
  onCrash: () => void = () => {};
  readonly #setup: SimNodeSetup;
  readonly #world: World;
  #life: Life | undefined;
  #lives = 0;

  constructor(setup: SimNodeSetup, world: World) {
    this.index = setup.seat.index;
    this.honest = setup.disguise?.honest ?? true;
    this.disk = setup.seat.disk;
    this.#setup = setup;
    this.#world = world;
  }

  get isUp(): boolean {
    return this.#life !== undefined;
  }

  /** Which run since the first it is. */
  get lives(): number {
    return this.#lives;
  }

  get open(): OpenNode | undefined {
    return this.#life?.open;
  }

  get inboxSize(): number {
    return this.#life?.inbox.length ?? 0;
  }

  get now(): Instant {
    return {
      monotonicMs: (this.#world.nowUs - (this.#life?.bootUs ?? 0)) / 1_000,
      unixMs: this.#world.unixMs + this.skewMs,
    };
  }

  /** Starts from the disk, and takes in again what an earlier life acknowledged. */
  async boot(): Promise<void> {
    const { seat, disguise } = this.#setup;
    const { signer, verify, door } = seat;
    this.disk.reopen();
    const { isRestored } = this;
    const store = this.disk;
    const random = seat.prng;
    const opening = openNode({ store, signer, verify, random, door, isRestored });
    const open = await opening.catch((error: unknown) => this.#stayDown(error));
    if (open === undefined) return;
    const verified = new VerifiedTransactions(REMEMBERED_VERIFIED);
    const { parameters } = open.genesis;
    const executor = await WaveExecutor.open({ store: this.disk, parameters, verify, verified });
    this.#lives++;
    this.#life = {
      open,
      member: disguise?.wrap(open, seat) ?? open.machine,
      executor,
      verified,
      bootUs: this.#world.nowUs,
      inbox: [{ kind: 'start' }],
      pending: [],
      timerToken: 0,
      executing: [],
      done: [],
    };
    open.acknowledged.forEach((bytes, i) => {
      // Requests of clients are not negative.
      this.#life?.inbox.push({ kind: 'readmit', request: -1 - i, bytes });
    });
    this.#world.observer.started(this);
    this.#pump(this.#life);
  }

  /** The process dies: a write under way may be done or not. */
  crash(): void {
    const life = this.#life;
    if (life === undefined) return;
    this.effectsToCrash = undefined;
    this.#life = undefined;
    const [writing] = life.pending;
    if (writing?.kind === 'persist' && this.#setup.seat.prng.chance(500_000)) {
      this.disk.apply(writing.writes, false);
    }
  }

  /** Nothing happens on a node that is down. */
  deliver(event: NodeEvent): void {
    const life = this.#life;
    if (life === undefined) return;
    life.inbox.push(event);
    if (life.pending.length === 0 && life.inbox.length === 1) this.#pump(life);
  }

  /** Messages that arrive at one time: an honest machine takes vertices among them in one step. */
  deliverTogether(messages: readonly ValidatorMessage[]): void {
    const life = this.#life;
    if (life === undefined) return;
    const wasEmpty = life.inbox.length === 0;
    let vertices: ValidatorMessage[] = [];
    for (const message of messages) {
      if (this.#setup.disguise === undefined && isMessageOf('vertex', message.bytes)) {
        if (vertices.push(message) === 1) life.inbox.push({ kind: 'vertices', messages: vertices });
        continue;
      }
      const { from, bytes } = message;
      life.inbox.push({ kind: 'message', from, bytes });
      vertices = [];
    }
    if (life.pending.length === 0 && wasEmpty) this.#pump(life);
  }

  handle(event: HostEvent): void {
    const life = this.#life;
    if (life === undefined) return;
    switch (event.kind) {
      case 'deliver':
        this.deliver(event.event);
        return;
      case 'timer':
        if (event.token === life.timerToken) this.deliver({ kind: 'timer' });
        return;
      case 'written':
        this.#written(life);
        return;
      case 'execute-next':
        this.#executeNext(life);
        return;
      default:
        event satisfies never;
    }
  }

  /** Steps until nothing is left to do now, or a write takes its time. */
  #pump(life: Life): void {
    for (let turned = false; this.#life === life && life.pending.length === 0; ) {
      const event = life.inbox[0];
      if (event === undefined && turned) return;
      turned = event === undefined;
      this.#step(life, event ?? { kind: 'turn' });
      if (event !== undefined) life.inbox.shift();
    }
  }

  /**
   * A member that plays false fills its store with what it made behind the back of its own node,
   * which may refuse to go on with that. It is silent from then on.
   */
  #stayDown(error: unknown): undefined {
    if (this.honest || !isPydeError(error)) throw error;
    this.#life = undefined;
  }

  #step(life: Life, event: NodeEvent): void {
    if (event.kind === 'executed') life.open.state.refresh();
    let effects: readonly NodeEffect[];
    try {
      effects = life.member.step(event, this.now);
    } catch (error) {
      this.#stayDown(error);
      return;
    }
    this.#world.observer.stepped(this, event, effects);
    this.#carryOut(life, effects);
  }

  #carryOut(life: Life, effects: readonly NodeEffect[]): void {
    for (let i = 0; i < effects.length; i++) {
      const effect = effects[i];
      if (effect === undefined || this.#life !== life) return;
      if (this.effectsToCrash !== undefined && --this.effectsToCrash <= 0) {
        life.pending = effects.slice(i);
        this.crash();
        this.onCrash();
        return;
      }
      if (effect.kind === 'persist' && effect.sync) {
        const [least, most] = this.#setup.times.syncUs;
        life.pending = effects.slice(i);
        const delayUs = this.#setup.seat.prng.between(least, most) + this.addedSyncUs;
        this.#world.later(delayUs, this, { kind: 'written' });
        return;
      }
      this.#carry(life, effect);
    }
  }

  #written(life: Life): void {
    const [writing, ...rest] = life.pending;
    life.pending = [];
    if (writing?.kind === 'persist') this.disk.apply(writing.writes, writing.sync);
    this.#carryOut(life, rest);
    this.#pump(life);
  }

  #carry(life: Life, effect: NodeEffect): void {
    const { observer } = this.#world;
    switch (effect.kind) {
      case 'persist':
        this.disk.apply(effect.writes, effect.sync);
        return;
      case 'send':
        observer.sending(this, effect.message);
        this.#world.send(this.index, effect.peer, effect.message);
        return;
      case 'broadcast':
        observer.sending(this, effect.message);
        this.#world.broadcast(this.index, effect.message);
        return;
      case 'set-timer':
        this.#setTimer(life, effect.atMonotonicMs);
        return;
      case 'verify':
        this.#verify(effect);
        return;
      case 'verify-ahead':
        this.#verifyAhead(effect);
        return;
      case 'reply':
        observer.replied(this, effect.request, effect.reply);
        return;
      case 'execute':
        observer.ordered(this, effect.waves);
        life.verified.add(effect.verified);
        life.executing = [...effect.waves];
        this.#laterExecution(life);
        return;
      case 'wave':
      case 'equivocation':
        return;
      // Members alone are simulated: nobody hears gossip or is asked.
      case 'ask':
      case 'report':
      case 'publish':
      case 'gossip-verdict':
        return;
      case 'finality':
        observer.certified(this, effect.cert);
        return;
      case 'halt':
        observer.halted(this, effect.reason);
        return;
      default:
        effect satisfies never;
    }
  }

  #setTimer(life: Life, atMonotonicMs: number): void {
    let lifeUs = Math.ceil(atMonotonicMs * 1_000);
    // The product is rounded: no timer comes before its time, or the machine would set it for ever.
    if (lifeUs / 1_000 < atMonotonicMs) lifeUs++;
    const delayUs = life.bootUs + lifeUs - this.#world.nowUs;
    const token = ++life.timerToken;
    this.#world.later(Math.max(0, delayUs), this, { kind: 'timer', token });
  }

  #verify({ request, checks }: Extract<NodeEffect, { kind: 'verify' }>): void {
    const valid = this.#setup.seat.verify(checks).every((verdict) => verdict);
    const event: NodeEvent = { kind: 'verified', request, valid };
    this.#world.later(this.#setup.times.verifyUs, this, { kind: 'deliver', event });
  }

  #verifyAhead({ ticket, checks }: Extract<NodeEffect, { kind: 'verify-ahead' }>): void {
    const verdicts = this.#setup.seat.verify(checks);
    const event: NodeEvent = { kind: 'verified-ahead', ticket, verdicts };
    this.#world.later(this.#setup.times.verifyUs, this, { kind: 'deliver', event });
  }

  #laterExecution(life: Life): void {
    const wave = life.executing[0];
    if (wave === undefined) return;
    const { waveUs, transactionUs } = this.#setup.times;
    const delayUs = waveUs + transactionUs * wave.transactions.length;
    this.#world.later(delayUs, this, { kind: 'execute-next' });
  }

  #executeNext(life: Life): void {
    const wave = life.executing.shift();
    if (wave === undefined) return;
    const { execution } = this.#setup;
    const writes =
      execution === undefined
        ? life.executor.compute(wave)
        : execution.compute(life.executor, wave, this.index);
    if (writes === undefined) {
      // Not what its digest says: it and the waves after it are reported as not executed.
      life.executing.length = 0;
    } else {
      this.disk.apply(writes, false);
      const executed = life.executor.adopt();
      this.#world.observer.executed(this, executed);
      life.done.push(executed);
    }
    if (life.executing.length > 0) {
      this.#laterExecution(life);
      return;
    }
    const waves = life.done;
    life.done = [];
    this.deliver({ kind: 'executed', waves });
  }
}
