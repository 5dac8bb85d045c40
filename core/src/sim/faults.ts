/**
 * What goes wrong, when, and for how long (design/consensus.md, "Required tests", 2). At random
 * times one of the chosen kinds strikes; each ends after a while, and all end when the calm part of
 * a run begins. Members that lost what they had written are never more than f at a time, which is
 * what the protocol is made to withstand; loss, cuts and crashes know no such bound.
 */
import { maxFaulty } from '../finality/index.ts';
import type { DiskImage } from './disk.ts';
import type { Clients } from './load.ts';
import type { Network } from './network.ts';
import type { FaultKind } from './options.ts';
import type { Prng } from './prng.ts';
import type { SimNode } from './sim-node.ts';

export interface FaultTargets {
  readonly kinds: readonly FaultKind[];
  readonly nodes: readonly SimNode[];
  readonly network: Network;
  readonly clients: Pick<Clients, 'nodeLost'>;
  /** What an emptied disk starts from. */
  genesis(): DiskImage;
  boot(node: SimNode, delayUs: number): void;
  /** A connection between two that can reach each other was made again. */
  connect(a: SimNode, b: SimNode): void;
  nowUs(): number;
}

interface ActiveFault {
  readonly untilUs: number;
  end(): void;
}

interface StaleImage {
  readonly node: SimNode;
  readonly image: DiskImage;
}

const PAUSE_US: readonly [number, number] = [50_000, 2_000_000];
const LASTS_US: readonly [number, number] = [100_000, 2_000_000];
const DOWN_US: readonly [number, number] = [10_000, 1_500_000];
const MAX_LOSS = 300_000;
const MAX_DUPLICATION = 500_000;
const MAX_REORDER = 500_000;
const MAX_REORDER_US = 400_000;
const MAX_SLOW_US = 500_000;
const MAX_SLOW_DISK_US = 100_000;
/** Of up to f clocks at a time; the others stay within what a vertex may be ahead. */
const WILD_SKEW_MS = 10_000;
const MILD_SKEW_MS = 400;
/** Effects until power fails. */
const MAX_EFFECTS_TO_CRASH = 60;
const ALL_CRASH = 40_000;
const HALF = 500_000;

export class Faults {
  readonly #targets: FaultTargets;
  readonly #prng: Prng;
  readonly #active: ActiveFault[] = [];
  readonly #wild = new Set<SimNode>();
  #stale: StaleImage | undefined;
  #healed = false;

  constructor(targets: FaultTargets, prng: Prng) {
    this.#targets = targets;
    this.#prng = prng;
    for (const node of targets.nodes) node.onCrash = () => this.#crashed(node);
  }

  /** How long until the next; undefined without any. */
  nextUs(): number | undefined {
    if (this.#targets.kinds.length === 0) return undefined;
    return this.#prng.between(...PAUSE_US);
  }

  act(): void {
    this.#endUntil(this.#targets.nowUs());
    const kind = this.#prng.pick(this.#targets.kinds);
    if (kind !== undefined) this.#strike(kind);
  }

  /** Everything is in order from now on. */
  heal(): void {
    this.#healed = true;
    this.#endUntil(Number.POSITIVE_INFINITY);
    for (const node of this.#targets.nodes) {
      node.effectsToCrash = undefined;
      if (!node.isUp) this.#targets.boot(node, 0);
    }
  }

  #strike(kind: FaultKind): void {
    const { network } = this.#targets;
    const prng = this.#prng;
    switch (kind) {
      case 'loss':
        network.lossPerMillion = prng.below(MAX_LOSS + 1);
        this.#for(() => {
          network.lossPerMillion = 0;
        });
        return;
      case 'duplication':
        network.duplicationPerMillion = prng.below(MAX_DUPLICATION + 1);
        this.#for(() => {
          network.duplicationPerMillion = 0;
        });
        return;
      case 'reorder':
        network.reorderPerMillion = prng.below(MAX_REORDER + 1);
        network.reorderUs = prng.below(MAX_REORDER_US + 1);
        this.#for(() => {
          network.reorderPerMillion = 0;
        });
        return;
      case 'partition':
        this.#partition();
        return;
      case 'slow':
        this.#slow();
        return;
      case 'skew':
        this.#skew();
        return;
      case 'crash':
        this.#crash();
        return;
      case 'disk':
        this.#slowDisk();
        return;
      case 'stale':
        this.#goBack();
        return;
      case 'wipe':
        this.#wipe();
        return;
      default:
        kind satisfies never;
    }
  }

  /** Two sides that hear nothing of each other, or of which one hears nothing of the other. */
  #partition(): void {
    const { nodes, network } = this.#targets;
    const side = nodes.map(() => this.#prng.chance(HALF));
    const oneWay = this.#prng.chance(HALF);
    const cut: [SimNode, SimNode][] = [];
    for (const a of nodes) {
      for (const b of nodes) {
        if (side[a.index] === side[b.index] || (oneWay && side[a.index] === true)) continue;
        if (network.setCut(a.index, b.index, true)) cut.push([a, b]);
      }
    }
    this.#for(() => {
      for (const [a, b] of cut) network.setCut(a.index, b.index, false);
      for (const [a, b] of cut) this.#targets.connect(a, b);
    });
  }

  #slow(): void {
    const { nodes, network } = this.#targets;
    const addedUs = this.#prng.below(MAX_SLOW_US);
    const slow: [number, number][] = [];
    for (const a of nodes) {
      for (const b of nodes) {
        if (a !== b && this.#prng.chance(HALF / 2)) slow.push([a.index, b.index]);
      }
    }
    for (const [a, b] of slow) network.setSlow(a, b, addedUs);
    this.#for(() => {
      for (const [a, b] of slow) network.setSlow(a, b, 0);
    });
  }

  #skew(): void {
    const { nodes } = this.#targets;
    const node = this.#prng.pick(nodes);
    if (node === undefined) return;
    const isWild = this.#isWild(node);
    const most = isWild ? WILD_SKEW_MS : MILD_SKEW_MS;
    node.skewMs = this.#prng.between(0, 2 * most) - most;
    if (isWild) this.#wild.add(node);
    this.#for(() => {
      node.skewMs = 0;
      this.#wild.delete(node);
    });
  }

  /** Clocks of faulty members count as wild, whatever they show. */
  #isWild(node: SimNode): boolean {
    const wild = this.#targets.nodes.filter((other) => this.#wild.has(other) || !other.honest);
    return wild.includes(node) || wild.length < maxFaulty(this.#targets.nodes.length);
  }

  #crash(): void {
    const { nodes } = this.#targets;
    if (this.#prng.chance(ALL_CRASH)) {
      for (const node of nodes) this.#armCrash(node);
      return;
    }
    const node = this.#prng.pick(nodes);
    if (node !== undefined) this.#armCrash(node);
  }

  #armCrash(node: SimNode): void {
    if (node.isUp) node.effectsToCrash = 1 + this.#prng.below(MAX_EFFECTS_TO_CRASH);
  }

  /** The process died, or the machine lost power, which takes what was not synced. */
  #crashed(node: SimNode): void {
    const powerFails = this.#prng.chance(HALF);
    if (powerFails) {
      node.disk.crash(this.#prng.below(node.disk.unsyncedBatches + 1));
      this.#targets.clients.nodeLost(node.index, this.#targets.nowUs());
    }
    this.#targets.boot(node, this.#healed ? 0 : this.#prng.between(...DOWN_US));
  }

  #slowDisk(): void {
    const node = this.#prng.pick(this.#targets.nodes);
    if (node === undefined) return;
    node.addedSyncUs = this.#prng.below(MAX_SLOW_DISK_US);
    this.#for(() => {
      node.addedSyncUs = 0;
    });
  }

  /** First a copy is taken; at a later time it takes the place of the store. */
  #goBack(): void {
    const stale = this.#stale;
    if (stale === undefined) {
      const node = this.#victim();
      if (node !== undefined) this.#stale = { node, image: node.disk.image() };
      return;
    }
    this.#stale = undefined;
    if (!stale.node.isUp || !this.#mayForget(stale.node)) return;
    stale.node.isRestored = true;
    this.#forget(stale.node, stale.image);
  }

  #wipe(): void {
    const node = this.#victim();
    if (node !== undefined) this.#forget(node, this.#targets.genesis());
  }

  #victim(): SimNode | undefined {
    const node = this.#prng.pick(this.#targets.nodes);
    return node?.isUp === true && this.#mayForget(node) ? node : undefined;
  }

  #mayForget(node: SimNode): boolean {
    const { nodes } = this.#targets;
    const others = nodes.filter((other) => other !== node && (other.forgot || !other.honest));
    return others.length < maxFaulty(nodes.length);
  }

  #forget(node: SimNode, image: DiskImage): void {
    node.crash();
    node.disk.replace(image);
    node.forgot = true;
    this.#targets.clients.nodeLost(node.index, this.#targets.nowUs());
    this.#targets.boot(node, this.#prng.between(...DOWN_US));
  }

  #for(end: () => void): void {
    const untilUs = this.#targets.nowUs() + this.#prng.between(...LASTS_US);
    this.#active.push({ untilUs, end });
  }

  #endUntil(nowUs: number): void {
    const due = this.#active.filter(({ untilUs }) => untilUs <= nowUs);
    const left = this.#active.filter(({ untilUs }) => untilUs > nowUs);
    this.#active.splice(0, this.#active.length, ...left);
    for (const { end } of due) end();
  }
}
