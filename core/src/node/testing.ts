/**
 * A few whole nodes on stores in memory, for tests of the node: messages arrive in the order in
 * which they were sent, time stands still while there are any. A node may be cut off, or killed
 * between two effects and opened again from what its store holds. Those without a key ask their
 * peers, and gossip spreads from neighbour to neighbour as each of them lets it.
 *
 * Validators sign with a hash in place of FALCON, which takes too long for so many vertices.
 */
import { concatBytes, equalBytes, invariant, isPydeError, toHex } from '../bytes/index.ts';
import { blake3, falconVerifyBatch } from '../crypto/index.ts';
import { type ExecutedWave, WaveExecutor } from '../execution/index.ts';
import { testGenesis } from '../execution/testing.ts';
import type { Signer } from '../finality/index.ts';
import { type Instant, MemoryStore, type SignatureCheck } from '../platform/index.ts';
import { RequestServer } from '../sync/index.ts';
import { addressOf, publicKeyOf } from '../tx/testing.ts';
import {
  decodeVertex,
  FALCON_SIGNATURE_BYTES,
  type FalconPublicKey,
  FIRST_PEER_NUMBER,
  type Genesis,
  type HardFinalityCert,
  type PeerNumber,
  toFalconSignature,
  toPeerNumber,
  toQuanta,
  toValidatorIndex,
  vertexHash,
} from '../types/index.ts';
import {
  type FollowedChain,
  type GossipTopic,
  type GossipVerdict,
  MAX_GOSSIP_BYTES,
  type NodeEffect,
  type NodeEvent,
  type NodeMachine,
  type NodeOptions,
  type OpenFollower,
  type OpenNode,
  openNode,
  type Reply,
  writeGenesis,
} from './index.ts';

const DOMAIN = new TextEncoder().encode('test signature');
const FALCON_HEADER = 0x39;
const VERTEX_TAG = 0;

/** 666 bytes in which the hash of key and message stands where FALCON's salt would. */
function tagged(publicKey: FalconPublicKey, message: Uint8Array): Uint8Array {
  const signature = new Uint8Array(FALCON_SIGNATURE_BYTES);
  signature.set([FALCON_HEADER, ...blake3(DOMAIN, publicKey, message)]);
  return signature;
}

const signerOf = (publicKey: FalconPublicKey): Signer => ({
  publicKey,
  sign: (message) => toFalconSignature(tagged(publicKey, message)),
});

/** Validators' signatures by their hash, those of accounts as they are. */
export function verifyTagged(checks: readonly SignatureCheck[]): readonly boolean[] {
  return checks.map((check) => {
    const { publicKey, message, signature } = check;
    if (equalBytes(tagged(publicKey as FalconPublicKey, message), signature)) return true;
    return falconVerifyBatch([check])[0] === true;
  });
}

/** A chain of `size` validators, whose accounts 0 … 4 can pay. */
export function networkGenesis(size: number, epochDurationMs: number): Genesis {
  const genesis = testGenesis();
  return {
    ...genesis,
    parameters: {
      ...genesis.parameters,
      minRoundDelayMs: 20,
      idleRoundMs: 100,
      gcRounds: 20,
      epochDurationMs,
    },
    validators: Array.from({ length: size }, (_, i) => ({
      address: addressOf(i),
      operator: addressOf(i),
      publicKey: publicKeyOf(i),
      stake: toQuanta(10n ** 13n),
    })),
  };
}

export class Killed extends Error {}

export class TestNode {
  readonly index: number;
  readonly store = new MemoryStore();
  readonly #network: TestNetwork;
  #open: OpenNode | OpenFollower | undefined;
  #server: RequestServer | undefined;
  #executor: WaveExecutor | undefined;
  readonly replies = new Map<number, Reply>();
  readonly executed: ExecutedWave[] = [];
  readonly certs: HardFinalityCert[] = [];
  /** Kinds of all effects carried out in this life. */
  readonly effects: string[] = [];
  /** Peers that were reported, by index. */
  readonly reports: { readonly peer: number; readonly offence: string }[] = [];
  halted: string | undefined;
  timerMs: number | undefined;
  /** The node is killed before the effect that takes it below zero. */
  effectsLeft = Number.POSITIVE_INFINITY;

  constructor(network: TestNetwork, index: number) {
    this.#network = network;
    this.index = index;
  }

  /** A validator's. */
  get open(): OpenNode {
    const open = this.#open;
    invariant(open !== undefined && open.followed === undefined, 'it is up, and a validator');
    return open;
  }

  get followed(): FollowedChain {
    const followed = this.#open?.followed;
    invariant(followed !== undefined, 'it is up, and follows');
    return followed;
  }

  get machine(): NodeMachine {
    invariant(this.#open !== undefined, 'the node is up');
    return this.#open.machine;
  }

  get isValidator(): boolean {
    return this.index < this.#network.genesis.validators.length;
  }

  get isUp(): boolean {
    return this.#open !== undefined;
  }

  get epoch(): number {
    return this.machine.epoch;
  }

  get head() {
    return this.machine.head.record;
  }

  /** Opens the node from its store. */
  async boot(more: Pick<NodeOptions, 'importedMark' | 'protocol'> = {}): Promise<void> {
    const { genesis } = this.#network;
    const publicKey = genesis.validators[this.index]?.publicKey;
    const signer = publicKey === undefined ? undefined : signerOf(publicKey);
    const { parameters } = genesis;
    const verify = verifyTagged;
    const random = { bytes: (length: number) => this.#network.randomBytes(length) };
    this.#open = await openNode({ store: this.store, signer, verify, random, ...more });
    const { state, acknowledged } = this.#open;
    this.#server = await RequestServer.open({ store: this.store, state, genesis });
    this.#executor = await WaveExecutor.open({ store: this.store, parameters, verify });
    this.effects.length = 0;
    this.timerMs = undefined;
    this.effectsLeft = Number.POSITIVE_INFINITY;
    await this.step({ kind: 'start' });
    for (const [i, bytes] of acknowledged.entries()) {
      await this.step({ kind: 'readmit', request: -1 - i, bytes });
    }
    await this.#network.came(this.index);
  }

  /** What this node says to a question; undefined when it refuses. */
  answer(question: Uint8Array): Uint8Array | undefined {
    try {
      return this.#server?.answer('waves', question, this.#network.now.monotonicMs);
    } catch (error) {
      if (isPydeError(error)) return undefined;
      throw error;
    }
  }

  kill(): void {
    if (this.#open !== undefined) this.#network.left(this.index);
    this.#open = undefined;
    this.timerMs = undefined;
  }

  /** Steps and carries out what comes of it; a node that is killed on the way is down. */
  async step(event: NodeEvent): Promise<void> {
    const events: NodeEvent[] = [event];
    try {
      for (let next = events.shift(); next !== undefined; next = events.shift()) {
        for (const effect of this.machine.step(next, this.#network.now)) {
          if (this.effectsLeft-- <= 0) throw new Killed();
          const answer = await this.#carryOut(effect);
          if (answer !== undefined) events.push(answer);
        }
      }
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      this.kill();
    }
  }

  async #carryOut(effect: NodeEffect): Promise<NodeEvent | undefined> {
    this.effects.push(effect.kind);
    switch (effect.kind) {
      case 'persist':
        await this.store.batch(effect.writes);
        return undefined;
      case 'send':
        this.#network.send(this.index, effect.peer, effect.message);
        return undefined;
      case 'broadcast':
        this.#network.broadcast(this.index, effect.message);
        return undefined;
      case 'ask':
        this.#network.ask(this.index, effect.peer, effect.ticket, effect.question);
        return undefined;
      case 'report':
        this.reports.push({ peer: effect.peer - FIRST_PEER_NUMBER, offence: effect.offence });
        return undefined;
      case 'publish':
        this.#network.publish(this.index, effect.topic, effect.message);
        return undefined;
      case 'gossip-verdict':
        this.#network.judged(this.index, effect.ticket, effect.verdict);
        return undefined;
      case 'set-timer':
        this.timerMs = effect.atMonotonicMs;
        return undefined;
      case 'verify': {
        const valid = !verifyTagged(effect.checks).includes(false);
        return { kind: 'verified', request: effect.request, valid };
      }
      case 'execute': {
        const waves: ExecutedWave[] = [];
        for (const wave of effect.waves) {
          const executed = await this.#executor?.execute(wave);
          invariant(executed !== undefined || !this.isValidator, 'the wave comes out as ordered');
          if (executed === undefined) break;
          waves.push(executed);
        }
        this.executed.push(...waves);
        this.#open?.state.refresh();
        return { kind: 'executed', waves };
      }
      case 'reply':
        this.replies.set(effect.request, effect.reply);
        return undefined;
      case 'finality':
        this.certs.push(effect.cert);
        return undefined;
      case 'halt':
        this.halted = effect.reason;
        return undefined;
      default:
        return undefined;
    }
  }
}

interface Delivery {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

/** A message of gossip on its way. */
interface Gossip extends Delivery {
  readonly topic: GossipTopic;
  readonly name: string;
}

/** Something that is on its way, in the order in which it was sent. */
interface OnItsWay {
  readonly to: number;
  readonly arrive: (node: TestNode) => Promise<void>;
}

export class TestNetwork {
  readonly genesis: Genesis;
  readonly nodes: readonly TestNode[];
  /** Neither hear nor are heard. */
  readonly cutOff = new Set<number>();
  /** Says which messages get lost. */
  lose: (delivery: Delivery) => boolean = () => false;
  /** As `lose`, of gossip from one neighbour to another. */
  loseGossip: (on: Pick<Gossip, 'from' | 'to' | 'topic'>) => boolean = () => false;
  /** Who is connected to whom for questions and gossip; asked when either of them starts. */
  areLinked: (a: number, b: number) => boolean = () => true;
  /** What a peer says in place of the truth; undefined for nothing. */
  lie: (peer: number, question: Uint8Array, answer: Uint8Array) => Uint8Array | undefined = (
    _peer,
    _question,
    answer,
  ) => answer;
  /** Gossip that was published, in its order. */
  readonly published: { readonly from: number; readonly topic: GossipTopic }[] = [];
  /** Verdicts on gossip, by who gave them. */
  readonly verdicts: { readonly by: number; readonly verdict: GossipVerdict }[] = [];
  /** Questions that were asked, by whom and of whom. */
  readonly questions: { readonly from: number; readonly to: number }[] = [];
  readonly #queue: OnItsWay[] = [];
  /** What each node saw of gossip, by name: nobody is handed anything twice. */
  readonly #seen = new Map<number, Set<string>>();
  readonly #judging = new Map<string, Gossip>();
  #ticket = 0;
  /** Own vertices by epoch, round and author: nobody may have two. */
  readonly #vertices = new Map<string, string>();
  #nowMs = 0;
  #drawn = 0;

  private constructor(genesis: Genesis, size: number) {
    this.genesis = genesis;
    this.nodes = Array.from({ length: size }, (_, i) => new TestNode(this, i));
  }

  /** Starts `validators` nodes on a fresh chain, and `followers` without a key. */
  static async start(genesis: Genesis, followers = 0): Promise<TestNetwork> {
    const network = new TestNetwork(genesis, genesis.validators.length + followers);
    for (const node of network.nodes) {
      await writeGenesis(node.store, genesis);
      await node.boot();
    }
    return network;
  }

  get now(): Instant {
    return { monotonicMs: this.#nowMs, unixMs: Number(this.genesis.timestampMs) + this.#nowMs };
  }

  /** Never the same twice, and the same in every run. */
  randomBytes(length: number): Uint8Array {
    const draw = blake3(DOMAIN, Uint8Array.of(this.#drawn & 0xff, (this.#drawn++ >> 8) & 0xff));
    return Uint8Array.from({ length }, (_, i) => draw[i % draw.length] ?? 0);
  }

  node(index: number): TestNode {
    const node = this.nodes[index];
    invariant(node !== undefined, `there is a node ${index}`);
    return node;
  }

  send(from: number, to: number, bytes: Uint8Array): void {
    this.#noteVertex(from, bytes);
    if (this.cutOff.has(from) || this.cutOff.has(to) || this.lose({ from, to, bytes })) return;
    const event: NodeEvent = { kind: 'message', from: toValidatorIndex(from), bytes };
    this.#queue.push({ to, arrive: (node) => node.step(event) });
  }

  broadcast(from: number, bytes: Uint8Array): void {
    for (const { index, isValidator } of this.nodes) {
      if (isValidator && index !== from) this.send(from, index, bytes);
    }
  }

  /** A node is up: it and those that it is linked to hear of each other. */
  async came(index: number): Promise<void> {
    this.#seen.delete(index);
    for (const other of this.nodes) {
      if (other.index === index || !other.isUp || !this.#isLinked(index, other.index)) continue;
      await this.connect(index, other.index);
    }
  }

  /** @param a and b hear of each other, if they are no validators. */
  async connect(a: number, b: number): Promise<void> {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const peer = toPeerNumber(FIRST_PEER_NUMBER + other);
      await this.node(one).step({ kind: 'peer-connected', peer });
    }
  }

  left(index: number): void {
    const peer = toPeerNumber(FIRST_PEER_NUMBER + index);
    for (const other of this.nodes) {
      if (other.index === index || !other.isUp) continue;
      const arrive = (node: TestNode) => node.step({ kind: 'peer-disconnected', peer });
      this.#queue.push({ to: other.index, arrive });
    }
  }

  /** Answered by the same way back; with nothing, when the peer is not there. */
  ask(from: number, peer: PeerNumber, ticket: number, question: Uint8Array): void {
    const to = peer - FIRST_PEER_NUMBER;
    this.questions.push({ from, to });
    const answer = (bytes: Uint8Array | undefined): void => {
      const event: NodeEvent = { kind: 'answer', peer, ticket, bytes };
      this.#queue.push({ to: from, arrive: (node) => node.step(event) });
    };
    if (!this.node(to).isUp || !this.#isLinked(from, to)) {
      answer(undefined);
      return;
    }
    const arrive = async (node: TestNode): Promise<void> => {
      const truth = node.answer(question);
      if (truth === undefined) return answer(undefined);
      const said = this.lie(to, question, truth);
      if (said !== undefined) answer(said);
    };
    this.#queue.push({ to, arrive });
  }

  publish(from: number, topic: GossipTopic, bytes: Uint8Array): void {
    invariant(bytes.length <= MAX_GOSSIP_BYTES, 'gossip carries no more');
    this.published.push({ from, topic });
    const name = toHex(blake3(bytes));
    if (this.#hasSeen(from, name)) return;
    this.#spread({ from, to: from, bytes, topic, name });
  }

  /** Somebody that is no node here says it to one. */
  gossip(to: number, topic: GossipTopic, bytes: Uint8Array): void {
    const name = toHex(blake3(bytes));
    const ticket = this.#ticket++;
    const arrive = (node: TestNode): Promise<void> => {
      this.#judging.set(`${to}/${ticket}`, { from: to, to, topic, bytes, name });
      return node.step({ kind: 'gossip', topic, ticket, bytes });
    };
    this.#queue.push({ to, arrive });
  }

  judged(by: number, ticket: number, verdict: GossipVerdict): void {
    this.verdicts.push({ by, verdict });
    const key = `${by}/${ticket}`;
    const gossip = this.#judging.get(key);
    invariant(gossip !== undefined, `node ${by} judges what it was asked about, once`);
    this.#judging.delete(key);
    if (verdict === 'accept') this.#spread({ ...gossip, from: by });
  }

  /** To all neighbours of `from` that did not see it. */
  #spread(gossip: Gossip): void {
    const { from, topic, bytes, name } = gossip;
    for (const { index } of this.nodes) {
      if (index === from || !this.#isLinked(from, index)) continue;
      if (this.loseGossip({ from, to: index, topic }) || this.#hasSeen(index, name)) continue;
      const ticket = this.#ticket++;
      const arrive = (node: TestNode): Promise<void> => {
        this.#judging.set(`${index}/${ticket}`, { ...gossip, to: index });
        return node.step({ kind: 'gossip', topic, ticket, bytes });
      };
      this.#queue.push({ to: index, arrive });
    }
  }

  #hasSeen(index: number, name: string): boolean {
    const seen = this.#seen.get(index) ?? new Set();
    this.#seen.set(index, seen);
    if (seen.has(name)) return true;
    seen.add(name);
    return false;
  }

  #isLinked(a: number, b: number): boolean {
    return !this.cutOff.has(a) && !this.cutOff.has(b) && this.areLinked(a, b);
  }

  /** Lets messages and timers go on until `until` holds. */
  async run(until: () => boolean, limitMs = 60_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    for (;;) {
      await this.#settle(until);
      if (until()) return;
      const timers = this.nodes.flatMap(({ timerMs }) => timerMs ?? []);
      const nextMs = Math.min(...timers);
      invariant(nextMs < endMs, `what the test waits for comes within ${limitMs} ms`);
      this.#nowMs = Math.max(this.#nowMs, nextMs);
      for (const node of this.nodes) {
        if (node.timerMs === undefined || node.timerMs > this.#nowMs) continue;
        node.timerMs = undefined;
        await node.step({ kind: 'timer' });
      }
    }
  }

  async #settle(until: () => boolean): Promise<void> {
    while (!until()) {
      const delivery = this.#queue.shift();
      if (delivery === undefined) {
        for (const node of this.nodes) if (node.isUp) await node.step({ kind: 'turn' });
        if (this.#queue.length === 0) return;
        continue;
      }
      const node = this.node(delivery.to);
      if (node.isUp) await delivery.arrive(node);
    }
  }

  #noteVertex(from: number, message: Uint8Array): void {
    if (message[0] !== VERTEX_TAG) return;
    const vertex = decodeVertex(message.subarray(1));
    const place = `${vertex.epoch}/${vertex.round}/${vertex.author}`;
    const name = toHex(concatBytes(vertexHash(vertex)));
    const known = this.#vertices.get(place) ?? name;
    invariant(known === name, `node ${from} sends a second vertex of ${place}`);
    this.#vertices.set(place, name);
  }
}
