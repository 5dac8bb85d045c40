/**
 * A network of whole nodes in one thread: the real node machines, executors and stores, under a
 * virtual clock, with everything that chance decides drawn from one seed. Assertions run after
 * every step; the first one that does not hold ends the run.
 *
 * The part with load and faults lasts as long as asked; then faults stop and the network has to come
 * to rest: every transaction settled, every node at one height.
 */
import type { CommittedWave } from '../consensus/index.ts';
import type { ExecutedWave } from '../execution/index.ts';
import { homeOf } from '../mempool/index.ts';
import { type NodeEffect, type NodeEvent, type Reply, writeGenesis } from '../node/index.ts';
import { type HardFinalityCert, toValidatorIndex } from '../types/index.ts';
import { Arrivals, type Parcel } from './arrivals.ts';
import { checkBounds, sizesOf } from './bounds.ts';
import { hashBytes } from './byte-map.ts';
import { Delivery, disguisesOf, drawFaulty, type FaultyMember } from './byzantine/index.ts';
import { type DiskImage, SimDisk } from './disk.ts';
import { EventQueue } from './event-queue.ts';
import { EvidenceCheck } from './evidence-check.ts';
import { Faults } from './faults.ts';
import { latencyOf } from './latency.ts';
import { certHash, Ledger } from './ledger.ts';
import { Clients } from './load.ts';
import { Network } from './network.ts';
import type { SimKeys, SimOptions } from './options.ts';
import { OwnVertices } from './own-vertices.ts';
import { Prng } from './prng.ts';
import type { SimReport } from './report.ts';
import { noteDropped, unrestOf } from './rest.ts';
import { Samples } from './samples.ts';
import { SentVertices } from './sent-vertices.ts';
import { sharedDoor } from './shared-door.ts';
import { SharedExecution } from './shared-execution.ts';
import { Shelves } from './shelves.ts';
import type { SimSignatures } from './signatures.ts';
import { signaturesFor } from './signers.ts';
import { SIM_START_MS, simGenesis } from './sim-genesis.ts';
import {
  type Disguise,
  type HostEvent,
  NODE_TIMES,
  type Observer,
  SimNode,
  type World,
} from './sim-node.ts';
import { checkSupply } from './supply-check.ts';
import { Trace } from './trace.ts';
import { Violation } from './violation.ts';

/** What a run may be given beside its options. */
export interface SimParts {
  /** Needed for real signatures. */
  readonly keys?: SimKeys;
  /** By index of the member. */
  readonly disguises?: ReadonlyMap<number, Disguise>;
}

interface Uncertified {
  readonly waveId: bigint;
  readonly submittedUs: number;
  /** It was submitted to its home member. */
  readonly isHome: boolean;
}

type SimEvent =
  | {
      readonly kind: 'message';
      readonly parcel: Parcel;
      readonly to: number;
    }
  | {
      readonly kind: 'host';
      readonly node: SimNode;
      readonly life: number;
      readonly event: HostEvent;
    }
  /** Messages arrive. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'boot'; readonly node: SimNode }
  | { readonly kind: 'load' }
  | { readonly kind: 'clients' }
  | { readonly kind: 'fault' }
  | { readonly kind: 'calm' }
  | { readonly kind: 'audit' };

const NETWORK_STREAM = 1;
const LOAD_STREAM = 2;
const FAULT_STREAM = 3;
const NODE_STREAM = 1_000;

const CLIENTS_EVERY_US = 100_000;
const AUDIT_EVERY_US = 500_000;
/** All nodes start within it. */
const START_WITHIN_US = 50_000;
const BOUNDS_EVERY_STEPS = 64;
/** The supply of some node, in turn, after so many waves. */
const SUPPLY_EVERY_WAVES = 50;
/** Without faults a wave is due in that time, however slow the network: four leader timeouts. */
const PROGRESS_WITHIN_US = 20_000_000;
/** The calm end may last so long. */
const MAX_CALM_US = 60_000_000;
const CONNECT_US = 5_000;
/** More than a committee of 128 does in one instant. */
const MAX_EVENTS_AT_ONCE = 200_000;

export class Simulation implements World, Observer {
  readonly options: SimOptions;
  readonly nodes: readonly SimNode[];
  readonly network: Network;
  readonly clients: Clients;
  readonly observer: Observer = this;
  nowUs = 0;
  readonly #signatures: SimSignatures;
  readonly #queue = new EventQueue<SimEvent>();
  readonly #trace = new Trace();
  readonly #ledger: Ledger;
  readonly #sent: SentVertices;
  readonly #own: OwnVertices;
  readonly #faulty: readonly FaultyMember[];
  readonly #evidence: EvidenceCheck;
  readonly #delivery: Delivery | undefined;
  readonly #faults: Faults;
  /** Undefined where every message arrives at a time of its own. */
  readonly #arrivals: Arrivals | undefined;
  readonly #hashes = new WeakMap<Uint8Array, number>();
  readonly #commitUs = new Samples();
  readonly #finalityUs = new Samples();
  readonly #homeFinalityUs = new Samples();
  /** By wave: what it carried, until every node has ordered it or it is long ago. */
  readonly #vertexTimes = new Map<bigint, (readonly [author: number, sentUs: number])[]>();
  /** By node: own transactions executed and not certified yet, oldest first. */
  readonly #uncertified: Uncertified[][];
  #genesis: DiskImage = [];
  #steps = 0;
  #eventsAtOnce = 0;
  #skippedAnchors = 0;
  #highestRound = 0;
  #progressUs = 0;
  #calm = false;
  #finished = false;
  #supplyDue: SimNode | undefined;

  private constructor(
    options: SimOptions,
    signatures: SimSignatures,
    given: ReadonlyMap<number, Disguise>,
  ) {
    const { validators, seed } = options;
    this.#faulty = drawFaulty(options);
    const disguises = new Map([...disguisesOf(this.#faulty), ...given]);
    this.options = options;
    this.#signatures = signatures;
    this.network = new Network(
      validators,
      latencyOf(options.latency),
      Prng.seeded(seed, NETWORK_STREAM),
    );
    const door = sharedDoor();
    const shelves = new Shelves();
    this.#sent = new SentVertices(door, options.gcRounds);
    const { arrivalTickUs } = options;
    this.#arrivals = arrivalTickUs > 0 ? new Arrivals(arrivalTickUs, validators) : undefined;
    const execution = options.sharesWork ? new SharedExecution(validators) : undefined;
    this.nodes = Array.from({ length: validators }, (_, index) => {
      const signer = signatures.signers[index];
      if (signer === undefined) throw new Error('every member has a signer');
      const seat = {
        index,
        members: validators,
        signer,
        verify: signatures.verify,
        door,
        prng: Prng.seeded(seed, NODE_STREAM + index),
        disk: new SimDisk(shelves, index),
      };
      const setup = { seat, times: NODE_TIMES, disguise: disguises.get(index), execution };
      return new SimNode(setup, this);
    });
    this.clients = new Clients(
      signatures.signers.slice(validators),
      this.nodes.map((node) => ({
        get isUp() {
          return node.isUp;
        },
        submit: (request, bytes) => node.deliver({ kind: 'submit', request, bytes }),
      })),
      Prng.seeded(seed, LOAD_STREAM),
    );
    this.#own = new OwnVertices(validators);
    this.#uncertified = this.nodes.map(() => []);
    const genesis = simGenesis(signatures, validators, options);
    this.#ledger = new Ledger({
      genesis,
      verify: signatures.verify,
      onNewWave: (wave) => this.#onNewWave(wave),
      onNewExecution: (wave) => this.#onNewExecution(wave),
    });
    this.#evidence = new EvidenceCheck({
      nodes: this.nodes,
      verify: signatures.verify,
      gcRounds: options.gcRounds,
      committeeOf: (epoch) => this.#ledger.committeeOf(epoch),
      validatorOf: (epoch, seat) => this.#ledger.validatorOf(epoch, seat),
    });
    this.#delivery = Delivery.of(
      options,
      new Set(this.nodes.filter(({ honest }) => !honest).map(({ index }) => index)),
      (epoch, round) => this.nodes.find(({ isUp }) => isUp)?.open?.machine.anchorOf(epoch, round),
    );
    this.#faults = new Faults(
      {
        kinds: options.faults,
        nodes: this.nodes,
        network: this.network,
        clients: this.clients,
        boot: (node, delayUs) => this.#queue.push(this.nowUs + delayUs, { kind: 'boot', node }),
        genesis: () => this.#genesis,
        connect: (a, b) => this.#connect(a, b),
        nowUs: () => this.nowUs,
      },
      Prng.seeded(seed, FAULT_STREAM),
    );
  }

  /** @throws PydeError `sim.*` */
  static async open(options: SimOptions, parts: SimParts = {}): Promise<Simulation> {
    const signatures = signaturesFor(options, parts.keys);
    const simulation = new Simulation(options, signatures, parts.disguises ?? new Map());
    const genesis = simGenesis(signatures, options.validators, options);
    const prototype = new SimDisk();
    await writeGenesis(prototype, genesis);
    simulation.#genesis = prototype.image();
    for (const node of simulation.nodes) node.disk.replace(simulation.#genesis);
    return simulation;
  }

  get unixMs(): number {
    return SIM_START_MS + this.nowUs / 1_000;
  }

  /** How far the run is, in simulated seconds, and how many waves there are. */
  get progress(): { readonly seconds: number; readonly waves: number; readonly rounds: number } {
    return {
      seconds: this.nowUs / 1_000_000,
      waves: this.#ledger.height,
      rounds: this.#highestRound,
    };
  }

  /**
   * @param pause asked now and then; the run stops early when it says so
   */
  async run(
    pause: (simulation: Simulation) => boolean | Promise<boolean> = () => false,
  ): Promise<SimReport> {
    const violation = await this.#guarded(pause);
    return this.#report(violation);
  }

  async #guarded(
    pause: (simulation: Simulation) => boolean | Promise<boolean>,
  ): Promise<Violation | undefined> {
    try {
      this.#schedule();
      for (let turns = 0; !this.#finished; turns++) {
        if (turns % 4_096 === 4_095 && (await pause(this))) break;
        const atUs = this.#queue.nextTime;
        const event = this.#queue.pop();
        if (atUs === undefined || event === undefined) break;
        this.#keepMoving(atUs);
        if (event.kind === 'boot') await this.#boot(event.node);
        else this.#handle(event);
        const supplyDue = this.#supplyDue;
        this.#supplyDue = undefined;
        if (supplyDue !== undefined) await checkSupply(supplyDue);
      }
      return undefined;
    } catch (error) {
      if (error instanceof Violation) return error;
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return new Violation('crash', undefined, what);
    }
  }

  /** A machine that always has something to do at once would keep the clock where it is. */
  #keepMoving(atUs: number): void {
    this.#eventsAtOnce = atUs > this.nowUs ? 0 : this.#eventsAtOnce + 1;
    this.nowUs = atUs;
    if (this.#eventsAtOnce <= MAX_EVENTS_AT_ONCE) return;
    throw new Violation('progress', undefined, `${MAX_EVENTS_AT_ONCE} events, and no time passes`);
  }

  #schedule(): void {
    const { seconds, tps } = this.options;
    const prng = Prng.seeded(this.options.seed, 0);
    for (const node of this.nodes)
      this.#queue.push(prng.below(START_WITHIN_US), { kind: 'boot', node });
    if (tps > 0) this.#queue.push(START_WITHIN_US, { kind: 'load' });
    this.#queue.push(CLIENTS_EVERY_US, { kind: 'clients' });
    this.#queue.push(AUDIT_EVERY_US, { kind: 'audit' });
    this.#queue.push(seconds * 1_000_000, { kind: 'calm' });
    const faultUs = this.#faults.nextUs();
    if (faultUs !== undefined) this.#queue.push(faultUs, { kind: 'fault' });
  }

  async #boot(node: SimNode): Promise<void> {
    if (node.isUp) return;
    this.#trace.word(node.index | 0x0b00_0000);
    await node.boot();
    for (const other of this.nodes) if (other !== node && other.isUp) this.#connect(node, other);
  }

  #connect(a: SimNode, b: SimNode): void {
    const tell = (node: SimNode, peer: number): void =>
      this.later(CONNECT_US, node, {
        kind: 'deliver',
        event: { kind: 'connected', peer: toValidatorIndex(peer) },
      });
    if (this.network.isCut(a.index, b.index) || this.network.isCut(b.index, a.index)) return;
    tell(a, b.index);
    tell(b, a.index);
  }

  #handle(event: Exclude<SimEvent, { kind: 'boot' }>): void {
    switch (event.kind) {
      case 'message': {
        const { from, bytes, hash } = event.parcel;
        this.#trace.word(hash);
        this.#trace.word((from << 8) | event.to);
        this.nodes[event.to]?.deliver({ kind: 'message', from, bytes });
        return;
      }
      case 'tick':
        this.#deliverTick();
        return;
      case 'host':
        if (event.life === event.node.lives) event.node.handle(event.event);
        return;
      case 'load':
        if (this.#calm) return;
        this.clients.submit(this.nowUs);
        this.#queue.push(this.nowUs + Math.floor(1_000_000 / this.options.tps), { kind: 'load' });
        return;
      case 'clients':
        this.clients.retry(this.nowUs);
        this.#queue.push(this.nowUs + CLIENTS_EVERY_US, event);
        return;
      case 'fault': {
        if (this.#calm) return;
        this.#faults.act();
        const nextUs = this.#faults.nextUs();
        if (nextUs !== undefined) this.#queue.push(this.nowUs + nextUs, event);
        return;
      }
      case 'calm':
        this.#calm = true;
        this.#progressUs = this.nowUs;
        this.#faults.heal();
        return;
      case 'audit':
        this.#audit();
        this.#queue.push(this.nowUs + AUDIT_EVERY_US, event);
        return;
      default:
        event satisfies never;
    }
  }

  #deliverTick(): void {
    this.#arrivals?.take(this.nowUs).forEach((parcels, to) => {
      for (const { from, hash } of parcels) {
        this.#trace.word(hash);
        this.#trace.word((from << 8) | to);
      }
      if (parcels.length > 0) this.nodes[to]?.deliverTogether(parcels);
    });
  }

  // What nodes ask of the world.

  send(from: number, to: number, message: Uint8Array): void {
    this.#send(this.#parcel(from, message), to);
  }

  broadcast(from: number, message: Uint8Array): void {
    const parcel = this.#parcel(from, message);
    for (let to = 0; to < this.nodes.length; to++) if (to !== from) this.#send(parcel, to);
  }

  #parcel(from: number, bytes: Uint8Array): Parcel {
    return { from: toValidatorIndex(from), bytes, hash: this.#hashOf(bytes) };
  }

  #send(parcel: Parcel, to: number): void {
    const { from, bytes } = parcel;
    const orderedUs = this.#delivery?.delayUs(from, to, bytes, this.nowUs);
    if (orderedUs === undefined) this.network.route(from, to, parcel, this.#arrive);
    else this.network.route(from, to, parcel, () => this.#arrive(orderedUs, to, parcel));
  }

  readonly #arrive = (delayUs: number, to: number, parcel: Parcel): void => {
    const atUs = this.nowUs + delayUs;
    if (this.#arrivals === undefined) {
      this.#queue.push(atUs, { kind: 'message', parcel, to });
      return;
    }
    const tickUs = this.#arrivals.add(atUs, to, parcel);
    if (tickUs !== undefined) this.#queue.push(tickUs, { kind: 'tick' });
  };

  later(delayUs: number, node: SimNode, event: HostEvent): void {
    this.#queue.push(this.nowUs + delayUs, { kind: 'host', node, life: node.lives, event });
  }

  #hashOf(message: Uint8Array): number {
    let hash = this.#hashes.get(message);
    if (hash === undefined) {
      hash = hashBytes(message);
      this.#hashes.set(message, hash);
    }
    return hash;
  }

  // What nodes did.

  started(node: SimNode): void {
    const head = node.open?.machine.head;
    if (node.honest && head !== undefined) this.#ledger.started(node, head);
    this.#uncertified[node.index] = [];
  }

  stepped(node: SimNode, event: NodeEvent, effects: readonly NodeEffect[]): void {
    this.#steps++;
    this.#trace.word((event.kind.length << 24) | (effects.length << 8) | node.index);
    this.#trace.word(this.nowUs);
    if (!node.honest) return;
    this.#evidence.stepped(node, event, effects);
    if (this.#steps % BOUNDS_EVERY_STEPS !== 0) return;
    const sizes = sizesOf(node);
    if (sizes !== undefined) checkBounds(node.index, sizes, this.nodes.length);
  }

  sending(node: SimNode, message: Uint8Array): void {
    const sent = this.#sent.see(message, this.nowUs);
    if (sent === undefined) return;
    const { epoch, round, author } = sent.vertex;
    const isOwn = node.honest && this.#ledger.validatorOf(epoch, author) === node.index;
    if (isOwn && round > this.#highestRound) this.#highestRound = round;
    if (!isOwn) return;
    this.#own.sending(node, sent);
    if (sent.sentUs === this.nowUs) {
      node.forgot = false;
      node.isRestored = false;
    }
  }

  ordered(node: SimNode, waves: readonly CommittedWave[]): void {
    if (!node.honest) return;
    for (const wave of waves) {
      this.#ledger.ordered(node, wave);
      for (const [author, sentUs] of this.#vertexTimes.get(wave.waveId) ?? []) {
        if (author === node.index) this.#commitUs.add(this.nowUs - sentUs);
      }
    }
  }

  executed(node: SimNode, wave: ExecutedWave): void {
    if (!node.honest) return;
    this.#ledger.executed(node, wave);
    const { waveId } = wave.record;
    for (const summary of wave.executed) {
      const tx = this.clients.find(summary.hash);
      if (tx?.node !== node.index) continue;
      const isHome = homeOf(tx.from, wave.record.epoch, this.nodes.length) === node.index;
      const { submittedUs } = tx;
      this.#uncertified[node.index]?.push({ waveId, submittedUs, isHome });
    }
  }

  certified(node: SimNode, cert: HardFinalityCert): void {
    if (!node.honest) return;
    this.#ledger.certified(node, cert);
    this.#trace.word(certHash(cert));
    const waiting = this.#uncertified[node.index] ?? [];
    // The digest chain lets a certificate vouch for every wave before its own.
    while (waiting[0] !== undefined && waiting[0].waveId <= cert.record.waveId) {
      const { submittedUs, isHome } = waiting[0];
      this.#finalityUs.add(this.nowUs - submittedUs);
      if (isHome) this.#homeFinalityUs.add(this.nowUs - submittedUs);
      waiting.shift();
    }
  }

  replied(node: SimNode, request: number, reply: Reply): void {
    // What a faulty member acknowledged nobody relies on.
    if (request >= 0 && node.honest) this.clients.replied(node.index, request, reply, this.nowUs);
  }

  halted(node: SimNode, reason: string): void {
    if (node.honest) throw new Violation('halt', node.index, reason);
  }

  #onNewWave(wave: CommittedWave): void {
    this.#progressUs = this.nowUs;
    this.#trace.bytes(wave.anchorHash);
    this.#skippedAnchors += wave.anchorRound - wave.priorAnchorRound - 1;
    const gcRound = Math.max(0, wave.priorAnchorRound - this.options.gcRounds);
    const vertices = this.#sent.takeWave(wave.anchorHash, gcRound);
    this.#vertexTimes.set(
      wave.waveId,
      vertices.map(({ vertex, sentUs }) => [
        this.#ledger.validatorOf(vertex.epoch, vertex.author) ?? -1,
        sentUs,
      ]),
    );
    this.#vertexTimes.delete(wave.waveId - 256n);
  }

  #onNewExecution({ record, digest, executed }: ExecutedWave): void {
    this.#trace.bytes(digest);
    for (const summary of executed) this.clients.ran(summary, record.waveId);
    if (record.waveId % BigInt(SUPPLY_EVERY_WAVES) !== 0n) return;
    const turn = Number(record.waveId) / SUPPLY_EVERY_WAVES;
    const honest = this.nodes.filter((node) => node.honest);
    this.#supplyDue = honest[turn % honest.length];
  }

  // Whether it goes on, and whether it is done.

  #audit(): void {
    noteDropped(this.nodes, this.clients);
    const sinceUs = this.nowUs - this.#progressUs;
    const mustProgress = this.#calm || this.options.faults.length === 0;
    if (mustProgress && sinceUs > PROGRESS_WITHIN_US) {
      throw new Violation(
        'progress',
        undefined,
        `no new wave for ${sinceUs / 1_000_000} s without faults; ${this.#ledger.height} waves in all`,
      );
    }
    if (!this.#calm) return;
    const restless =
      unrestOf(this.nodes, this.clients, this.#ledger.height) ?? this.#evidence.unreported();
    if (restless === undefined) {
      this.#finished = true;
      this.#supplyDue = this.nodes.find((node) => node.isUp && node.honest);
      return;
    }
    if (this.nowUs > this.options.seconds * 1_000_000 + MAX_CALM_US) throw restless;
  }

  #report(violation: Violation | undefined): SimReport {
    const { validators, seed } = this.options;
    this.#trace.number(this.nowUs);
    for (const { open, honest } of this.nodes) {
      const ownRound = honest ? open?.epochs.consensus.status.ownRound : 0;
      this.#highestRound = Math.max(this.#highestRound, ownRound ?? 0);
    }
    return {
      seed,
      validators,
      signatures: this.#signatures.kind,
      sharedWork: this.options.sharesWork,
      arrivalTickMs: this.options.arrivalTickUs / 1_000,
      simulatedSeconds: this.nowUs / 1_000_000,
      epochs: this.#ledger.epochs,
      waves: this.#ledger.height,
      rounds: this.#highestRound,
      skippedAnchors: this.#skippedAnchors,
      faulty: this.#faulty,
      evidence: this.#evidence.found,
      transactions: this.clients.submitted,
      executed: this.clients.executed,
      dropped: this.clients.dropped,
      messages: this.network.sent,
      lostMessages: this.network.lost,
      crashes: this.nodes.reduce((sum, node) => sum + Math.max(0, node.lives - 1), 0),
      steps: this.#steps,
      commitLatencyMs: this.#commitUs.percentilesMs(),
      finalityLatencyMs: this.#finalityUs.percentilesMs(),
      homeFinalityLatencyMs: this.#homeFinalityUs.percentilesMs(),
      violations:
        violation === undefined
          ? []
          : [
              {
                code: violation.code,
                node: violation.node,
                step: this.#steps,
                atMs: this.nowUs / 1_000,
                message: violation.message,
              },
            ],
      digest: this.#trace.digest(),
    };
  }
}
