/**
 * Holds honest members to what they make of contradictions (design/consensus.md, "Vertex",
 * "Finality"): nobody honest is ever accused, and of a member that showed two vertices of one round
 * to an honest one, some honest member has evidence in the end.
 */
import { isPydeError, toHex } from '../bytes/index.ts';
import { openMessage, verifyVertex } from '../consensus/index.ts';
import type { Committee } from '../finality/index.ts';
import type { NodeEffect, NodeEvent } from '../node/index.ts';
import type { VerifySignatures } from '../platform/index.ts';
import { decodeVertex, type Vertex, vertexHash } from '../types/index.ts';
import { SIM_CHAIN_ID } from './sim-genesis.ts';
import type { SimNode } from './sim-node.ts';
import { Violation } from './violation.ts';

export interface EvidenceOptions {
  readonly nodes: readonly SimNode[];
  readonly verify: VerifySignatures;
  readonly gcRounds: number;
  committeeOf(epoch: number): Committee | undefined;
  /** The validator of a seat. */
  validatorOf(epoch: number, seat: number): number | undefined;
}

/** By node, life, epoch and author, so many rounds are remembered. */
const KEPT_ROUNDS = 256;

export class EvidenceCheck {
  readonly #options: EvidenceOptions;
  readonly #isPure: boolean;
  /** By node, life, epoch and author, then round: the name seen first. */
  readonly #seen = new Map<string, Map<number, string>>();
  /** By epoch and author, the first contradiction that an honest member saw. */
  readonly #shown = new Map<string, Violation>();
  readonly #accused = new Set<string>();
  /** Contradictions that honest members reported. */
  found = 0;

  constructor(options: EvidenceOptions) {
    this.#options = options;
    this.#isPure = options.nodes.every(({ honest }) => honest);
  }

  /** An honest member made a step. @throws Violation */
  stepped(node: SimNode, event: NodeEvent, effects: readonly NodeEffect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'equivocation') continue;
      const { kind, epoch, author, at } = effect.evidence;
      const validator = this.#options.validatorOf(epoch, author);
      if (validator === undefined || this.#options.nodes[validator]?.honest !== false) {
        throw new Violation(
          'evidence',
          node.index,
          `accuses honest member ${author} of epoch ${epoch} of two ${kind}s of ${at}`,
        );
      }
      this.found++;
      if (kind === 'vertex') this.#accused.add(`${epoch} ${author}`);
    }
    if (this.#isPure) return;
    if (event.kind === 'message') this.#received(node, event.bytes);
    if (event.kind !== 'vertices') return;
    for (const { bytes } of event.messages) this.#received(node, bytes);
  }

  /** What honest members saw and nobody reported. */
  unreported(): Violation | undefined {
    for (const [who, violation] of this.#shown) if (!this.#accused.has(who)) return violation;
    return undefined;
  }

  #received(node: SimNode, message: Uint8Array): void {
    const vertex = message[0] === 0 ? this.#validVertex(node, message) : undefined;
    if (vertex === undefined) return;
    const { epoch, author, round } = vertex;
    const name = toHex(vertexHash(vertex));
    const whose = `${node.index} ${node.lives} ${epoch} ${author}`;
    const byRound = this.#seen.get(whose) ?? new Map<number, string>();
    this.#seen.set(whose, byRound);
    const before = byRound.get(round);
    if (before === undefined) {
      byRound.set(round, name);
      for (const oldest of byRound.keys()) {
        if (byRound.size <= KEPT_ROUNDS) break;
        byRound.delete(oldest);
      }
      return;
    }
    const who = `${epoch} ${author}`;
    if (before === name || this.#shown.has(who)) return;
    this.#shown.set(
      who,
      new Violation(
        'evidence',
        node.index,
        `was shown two vertices of round ${round} by member ${author} of epoch ${epoch}, and ` +
          'nobody has evidence of it',
      ),
    );
  }

  /** Valid, of a faulty member, and of a round that the node takes vertices of. */
  #validVertex(node: SimNode, message: Uint8Array): Vertex | undefined {
    const consensus = node.open?.epochs.consensus;
    if (consensus === undefined) return undefined;
    const { lowestRound, highestRound } = consensus.status;
    const { committeeOf, validatorOf, verify, gcRounds, nodes } = this.#options;
    try {
      const vertex = decodeVertex(openMessage(message).bytes);
      const { epoch, author, round } = vertex;
      const committee = committeeOf(epoch);
      const validator = validatorOf(epoch, author);
      if (committee === undefined || validator === undefined) return undefined;
      if (nodes[validator]?.honest !== false || epoch !== consensus.epoch) return undefined;
      // Further up there may be no room for the first of them.
      if (round <= lowestRound || round > highestRound + Math.min(8, gcRounds)) return undefined;
      verifyVertex(vertex, vertexHash(vertex), { chainId: SIM_CHAIN_ID, committee, verify });
      return vertex;
    } catch (error) {
      if (isPydeError(error)) return undefined;
      throw error;
    }
  }
}
