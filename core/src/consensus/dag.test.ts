import { describe, expect, it } from 'vitest';
import { equalBytes } from '../bytes/index.ts';
import { genesisVertexHash, toBatchHash, toEpoch, toMemberIndex, toRound } from '../types/index.ts';
import { TextDag } from './testing/dag-text.ts';
import { CHAIN_ID, GENESIS_MS, nameOf, START } from './testing.ts';

const FULL = 'A B C D';

describe('the DAG', () => {
  it('starts with the n vertices of round 0, named by the starting digest', () => {
    const { dag } = new TextDag(4, []);
    expect(dag.authors(0)).toBe(4);
    const [vertex] = dag.of(0, toMemberIndex(2));
    const name = genesisVertexHash(START, toEpoch(0), toMemberIndex(2));
    expect(vertex !== undefined && equalBytes(vertex.name, name)).toBe(true);
    expect(vertex?.timestampMs).toBe(GENESIS_MS);
    expect(dag.slot(0)).toEqual([]);
  });

  it('sees votes from round 2 on, because round 0 has no slot', () => {
    const text = new TextDag(4, [FULL, 'A B C D(BCD)']);
    expect(text.at('A1').vote).toBeUndefined();
    expect(text.at('A2').vote).toBe(text.at('A1'));
    expect(text.at('D2').vote).toBeUndefined();
  });

  it('sees a certificate where q parents vote for one vertex', () => {
    const text = new TextDag(4, ["A A' B C D", "A B C(A'BC) D(A'CD)", 'A(ABC) B D(BCD)']);
    expect(text.at('C2').vote).toBe(text.at("A'1"));
    for (const label of ['A3', 'B3', 'D3']) expect(text.at(label).certifies).toBeUndefined();
    const certified = new TextDag(4, [FULL, 'A B C D(BCD)', 'A(ABC) B(BCD)']);
    expect(certified.at('A3').certifies).toBe(certified.at('A1'));
    expect(certified.at('B3').certifies).toBeUndefined();
  });

  it('keeps the vertices of an equivocator in order of acceptance and counts its author once', () => {
    const text = new TextDag(4, ["A' A B"]);
    expect(text.dag.of(1, toMemberIndex(0)).map((v) => text.label(v))).toEqual(["A'1", 'A1']);
    expect(text.dag.authors(1)).toBe(2);
  });

  it('knows the newest round of each member', () => {
    const { dag } = new TextDag(4, [FULL, 'A B C', 'A B C']);
    expect([0, 1, 2, 3].map((seat) => dag.newestRoundOf(toMemberIndex(seat)))).toEqual([
      3, 3, 3, 1,
    ]);
  });

  it('drops the lowest rounds within the bound and keeps nothing older reachable', () => {
    const text = new TextDag(4, [FULL, FULL, FULL, FULL, FULL, FULL]);
    const kept = text.at('A3');
    expect(text.dag.prune(4, 2).map((v) => v.round)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    expect(text.dag.lowestRound).toBe(2);
    expect(text.dag.prune(4, 10).length).toBe(8);
    expect(text.dag.round(3)).toBeUndefined();
    expect(kept.parents).toEqual([]);
    expect(text.at('B4').parents.every((parent) => parent.parents.length === 0)).toBe(true);
    // The newest round always stays.
    text.dag.prune(100, 100);
    expect(text.dag.lowestRound).toBe(6);
    expect(text.dag.authors(6)).toBe(4);
  });

  it('waits for payload until it is emitted, unless nobody will refer to it', () => {
    const text = new TextDag(4, ['B C D']);
    const late = text.dag.insert(
      {
        chainId: CHAIN_ID,
        epoch: toEpoch(0),
        round: toRound(1),
        author: toMemberIndex(0),
        timestampMs: GENESIS_MS,
        parents: [],
        weakParents: [],
        batches: [{ hash: toBatchHash(nameOf('batch')), bytes: 1, count: 1 }],
        attestations: [],
      },
      nameOf('late'),
    );
    expect(text.dag.hasPayloadWaiting()).toBe(true);
    text.add(2, 'B(BCD) C(BCD) D(BCD)');
    expect(text.dag.hasPayloadWaiting()).toBe(true);
    text.add(3, 'B C D');
    expect(text.dag.hasPayloadWaiting()).toBe(false);
    late.referred = true;
    expect(text.dag.hasPayloadWaiting()).toBe(true);
    text.dag.markEmitted(late);
    expect(text.dag.hasPayloadWaiting()).toBe(false);
  });
});
