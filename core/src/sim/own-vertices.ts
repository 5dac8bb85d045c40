/**
 * Holds an honest member to what it may send of its own (design/consensus.md, "Production"): one
 * vertex a round for as long as it exists, and none before it and the note of it are on the platter.
 */
import { concatBytes, equalBytes, u64BigEndian } from '../bytes/index.ts';
import { TABLE } from '../state/index.ts';
import type { VertexHash } from '../types/index.ts';
import type { SentVertex } from './sent-vertices.ts';
import type { SimNode } from './sim-node.ts';
import { Violation } from './violation.ts';

const OWN = concatBytes(Uint8Array.of(TABLE.consensus), new TextEncoder().encode('own'));

const ownKey = (epoch: number): Uint8Array => concatBytes(OWN, u64BigEndian(BigInt(epoch)));
const KEPT_ROUNDS = 2_048;
/** More rounds than an epoch has. */
const EPOCH_ROUNDS = 2 ** 32;

export class OwnVertices {
  /** By member: names by epoch and round. */
  readonly #names: Map<number, VertexHash>[];

  constructor(size: number) {
    this.#names = Array.from({ length: size }, () => new Map());
  }

  /** @throws Violation */
  sending(node: SimNode, { vertex, name, key }: SentVertex): void {
    const names = this.#names[vertex.author];
    if (names === undefined) return;
    const { round, epoch } = vertex;
    const place = epoch * EPOCH_ROUNDS + round;
    const before = names.get(place);
    if (before === undefined) {
      names.set(place, name);
      names.delete(place - KEPT_ROUNDS);
    } else if (!equalBytes(before, name)) {
      throw new Violation('equivocation', node.index, `made two vertices of round ${round}`);
    }
    const { disk } = node;
    const isKept = disk.isDurable(key) && disk.isDurable(ownKey(epoch));
    if (before === undefined && !isKept) {
      throw new Violation(
        'unsynced-vertex',
        node.index,
        `sends its vertex of round ${round} before a crash would leave it`,
      );
    }
  }
}
