/**
 * DAGs written as text, for tests of the rules that read them. One line a round:
 *
 *     1: A B C D            | commit A direct
 *     2: A B C D(BCD)       | skip
 *     3: A(ABC) B C'(ABD') D(BCD ~ A1)
 *
 * A letter is a member's vertex (A is seat 0), a prime marks a second vertex of the same author and
 * round. `A` takes every unprimed vertex of the round before as a parent, `A(BCD')` those named, in
 * this order; after `~` stand weak parents with their rounds. Vertices are accepted in the order in
 * which they are written. The anchor of round r is seat (r − 1) mod n: A1, B2, C3 …
 *
 * Behind `|` stands what the commit rule must say of the round's slot: `commit A`, `commit A'`,
 * `skip` or `undecided`, the first two with `direct` or `indirect` where it matters.
 */
import { invariant } from '../../bytes/index.ts';
import { quorum } from '../../finality/index.ts';
import { toEpoch, toMemberIndex, toRound } from '../../types/index.ts';
import { judgeSlots, type SlotVerdict } from '../base-committer.ts';
import { Dag, type DagVertex } from '../dag.ts';
import { CHAIN_ID, GENESIS_MS, nameOf, START } from '../testing.ts';

const TOKEN = /([A-Z]'?)(?:\(([^)]*)\))?/g;
const LABEL = /[A-Z]'?/g;
const ROUNDED_LABEL = /[A-Z]'?\d+/g;

export class TextDag {
  readonly dag: Dag;
  readonly size: number;
  readonly quorum: number;
  readonly #vertices = new Map<string, DagVertex>();
  readonly #labels = new Map<DagVertex, string>();

  /** @param lines the rounds from 1 on, without their numbers and verdicts */
  constructor(
    size: number,
    lines: readonly string[],
    timestamps: (label: string) => bigint = () => GENESIS_MS,
  ) {
    this.size = size;
    this.quorum = quorum(size);
    this.dag = new Dag(
      {
        schedule: { anchorOf: (round) => toMemberIndex(Math.max(0, round - 1) % size) },
        size,
        quorum: this.quorum,
        epoch: toEpoch(0),
        start: START,
        startTimestampMs: GENESIS_MS,
      },
      0,
    );
    for (let seat = 0; seat < size; seat++) {
      const [vertex] = this.dag.of(0, toMemberIndex(seat));
      if (vertex !== undefined) this.#keep(`${letter(seat)}0`, vertex);
    }
    lines.forEach((line, i) => {
      this.add(i + 1, line, timestamps);
    });
  }

  /** The vertex with a label like `A3` or `B'7`. */
  at(label: string): DagVertex {
    const vertex = this.#vertices.get(label);
    if (vertex === undefined) throw new Error(`the DAG has no ${label}`);
    return vertex;
  }

  label(vertex: DagVertex): string {
    const label = this.#labels.get(vertex);
    if (label === undefined) throw new Error('not a vertex of this DAG');
    return label;
  }

  /** Accepts the vertices of one line. */
  add(round: number, line: string, timestamps: (label: string) => bigint = () => GENESIS_MS): void {
    for (const [token, own = '', named] of line.matchAll(TOKEN)) {
      invariant(token.length > 0, 'tokens are not empty');
      const [strong, weak = ''] = named?.split('~') ?? [];
      const parents =
        strong === undefined
          ? this.#plainLabels(round - 1)
          : [...strong.matchAll(LABEL)].map(([parent]) => `${parent}${round - 1}`);
      const label = `${own}${round}`;
      const vertex = this.dag.insert(
        {
          chainId: CHAIN_ID,
          epoch: toEpoch(0),
          round: toRound(round),
          author: toMemberIndex(own.charCodeAt(0) - 65),
          timestampMs: timestamps(label),
          parents: parents.map((parent) => this.at(parent)),
          weakParents: [...weak.matchAll(ROUNDED_LABEL)].map(([parent]) => {
            const { round: below, author, name } = this.at(parent);
            return { round: toRound(below), author, name };
          }),
          batches: [],
          attestations: [],
        },
        nameOf(label),
      );
      this.#keep(label, vertex);
    }
  }

  /** What the commit rule says of a slot, like `commit A1 direct`. */
  verdicts(from = 1): string[] {
    return judgeSlots(this.dag, this.quorum, from).map((verdict) => this.#describe(verdict));
  }

  /**
   * The DAG as a table: a row a round, a column a seat. Behind a vertex stand its parents, `v` and
   * the vertex it votes for, `c` and the vertex it certifies. A star marks the anchor's column.
   */
  draw(verdicts: readonly string[] = this.verdicts()): string {
    const rows: string[][] = [];
    for (let round = 1; round <= this.dag.highestRound; round++) {
      const row = [String(round)];
      for (let seat = 0; seat < this.size; seat++) {
        const cell = this.dag.of(round, toMemberIndex(seat)).map((v) => this.#drawVertex(v));
        const star = this.dag.anchorOf(round) === seat ? '*' : ' ';
        row.push(`${star}${cell.length === 0 ? '·' : cell.join(' / ')}`);
      }
      rows.push([...row, verdicts[round - 1] ?? '']);
    }
    const head = ['', ...Array.from({ length: this.size }, (_, i) => ` ${letter(i)}`), 'slot'];
    const widths = head.map((title, i) =>
      Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
    );
    const line = (row: readonly string[]): string =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd();
    return [head, ...rows].map(line).join('\n');
  }

  #drawVertex(vertex: DagVertex): string {
    const names = vertex.parents.map((parent) => this.label(parent).replace(/\d+$/, ''));
    const weak = vertex.weakParents.map((parent) => this.label(parent));
    const links = `${names.join('')}${weak.length > 0 ? `~${weak.join('')}` : ''}`;
    const vote = vertex.vote === undefined ? '' : ` v${this.label(vertex.vote)}`;
    const cert = vertex.certifies === undefined ? '' : ` c${this.label(vertex.certifies)}`;
    return `${this.label(vertex)}(${links})${vote}${cert}`;
  }

  #describe(verdict: SlotVerdict): string {
    if (verdict.kind === 'undecided') return 'undecided';
    const rule = verdict.direct ? 'direct' : 'indirect';
    return verdict.kind === 'skip'
      ? `skip ${rule}`
      : `commit ${this.label(verdict.anchor)} ${rule}`;
  }

  #plainLabels(round: number): string[] {
    return Array.from({ length: this.size }, (_, seat) => `${letter(seat)}${round}`).filter((l) =>
      this.#vertices.has(l),
    );
  }

  #keep(label: string, vertex: DagVertex): void {
    this.#vertices.set(label, vertex);
    this.#labels.set(vertex, label);
  }
}

/** A DAG with the verdicts that its text asks for. */
export interface JudgedText {
  readonly text: TextDag;
  /** By round from 1; undefined where the text says nothing. */
  readonly wanted: readonly (string | undefined)[];
}

/** @param source lines as in the head of this file; empty ones and `#` comments are passed over */
export function parseDag(size: number, source: string): JudgedText {
  const lines: string[] = [];
  const wanted: (string | undefined)[] = [];
  for (const line of source.split('\n').map((l) => l.replace(/#.*$/, '').trim())) {
    if (line === '') continue;
    const [, number, vertices = '', verdict] = /^(\d+):([^|]*)(?:\|(.*))?$/.exec(line) ?? [];
    if (Number(number) !== lines.length + 1) throw new Error(`round ${lines.length + 1}: ${line}`);
    lines.push(vertices);
    wanted.push(verdict?.trim());
  }
  return { text: new TextDag(size, lines), wanted };
}

/** Judges a DAG and compares. @throws Error with the DAG drawn and each difference named */
export function requireVerdicts(size: number, source: string): TextDag {
  const { text, wanted } = parseDag(size, source);
  const verdicts = text.verdicts();
  const wrong = wanted.flatMap((want, i) => {
    const got = verdicts[i] ?? 'undecided';
    return want === undefined || agrees(want, got, i + 1)
      ? []
      : [`slot ${i + 1} is ${got}, and should be ${want}`];
  });
  if (wrong.length > 0) throw new Error(`${wrong.join('\n')}\n\n${text.draw(verdicts)}`);
  return text;
}

/** `commit A` is true of `commit A3 direct` in round 3. */
function agrees(want: string, got: string, round: number): boolean {
  const [kind, ...rest] = want.split(/\s+/);
  const [gotKind, ...gotRest] = got.split(' ');
  if (kind !== gotKind) return false;
  return rest.every((part) =>
    part.endsWith('direct') ? gotRest.at(-1) === part : gotRest[0] === `${part}${round}`,
  );
}

const letter = (seat: number): string => String.fromCharCode(65 + seat);
