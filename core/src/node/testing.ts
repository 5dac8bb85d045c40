/**
 * A few whole nodes on stores in memory, for tests of the node: messages arrive in the order in
 * which they were sent, time stands still while there are any. A node may be cut off, or killed
 * between two effects and opened again from what its store holds.
 *
 * Validators sign with a hash in place of FALCON, which takes too long for so many vertices.
 */
import { concatBytes, equalBytes, invariant, toHex } from '../bytes/index.ts';
import { blake3, falconVerifyBatch } from '../crypto/index.ts';
import { type ExecutedWave, WaveExecutor } from '../execution/index.ts';
import { testGenesis } from '../execution/testing.ts';
import type { Signer } from '../finality/index.ts';
import { type Instant, MemoryStore, type SignatureCheck } from '../platform/index.ts';
import { addressOf, publicKeyOf } from '../tx/testing.ts';
import {
  decodeVertex,
  FALCON_SIGNATURE_BYTES,
  type FalconPublicKey,
  type Genesis,
  type HardFinalityCert,
  toFalconSignature,
  toQuanta,
  toValidatorIndex,
  vertexHash,
} from '../types/index.ts';
import {
  type NodeEffect,
  type NodeEvent,
  type NodeOptions,
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
  #open: OpenNode | undefined;
  #executor: WaveExecutor | undefined;
  readonly replies = new Map<number, Reply>();
  readonly executed: ExecutedWave[] = [];
  readonly certs: HardFinalityCert[] = [];
  /** Kinds of all effects carried out in this life. */
  readonly effects: string[] = [];
  halted: string | undefined;
  timerMs: number | undefined;
  /** The node is killed before the effect that takes it below zero. */
  effectsLeft = Number.POSITIVE_INFINITY;

  constructor(network: TestNetwork, index: number) {
    this.#network = network;
    this.index = index;
  }

  get open(): OpenNode {
    invariant(this.#open !== undefined, 'the node is up');
    return this.#open;
  }

  get isUp(): boolean {
    return this.#open !== undefined;
  }

  get epoch(): number {
    return this.open.machine.epoch;
  }

  get head() {
    return this.open.machine.head.record;
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
    this.#executor = await WaveExecutor.open({ store: this.store, parameters, verify });
    this.effects.length = 0;
    this.timerMs = undefined;
    this.effectsLeft = Number.POSITIVE_INFINITY;
    await this.step({ kind: 'start' });
    for (const [i, bytes] of this.open.acknowledged.entries()) {
      await this.step({ kind: 'readmit', request: -1 - i, bytes });
    }
  }

  kill(): void {
    this.#open = undefined;
    this.timerMs = undefined;
  }

  /** Steps and carries out what comes of it; a node that is killed on the way is down. */
  async step(event: NodeEvent): Promise<void> {
    const events: NodeEvent[] = [event];
    try {
      for (let next = events.shift(); next !== undefined; next = events.shift()) {
        for (const effect of this.open.machine.step(next, this.#network.now)) {
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
          invariant(executed !== undefined, 'the wave comes out as ordered');
          waves.push(executed);
        }
        this.executed.push(...waves);
        this.open.state.refresh();
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

export class TestNetwork {
  readonly genesis: Genesis;
  readonly nodes: readonly TestNode[];
  /** Neither hear nor are heard. */
  readonly cutOff = new Set<number>();
  /** Says which messages get lost. */
  lose: (delivery: Delivery) => boolean = () => false;
  readonly #queue: Delivery[] = [];
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
    this.#queue.push({ from, to, bytes });
  }

  broadcast(from: number, bytes: Uint8Array): void {
    for (const { index } of this.nodes) if (index !== from) this.send(from, index, bytes);
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
      const { from, to, bytes } = delivery;
      const node = this.node(to);
      if (node.isUp) await node.step({ kind: 'message', from: toValidatorIndex(from), bytes });
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
