/** What a chaos run's client was told, line by line; and the same read back. */
import { readFileSync } from 'node:fs';

export interface LoadOptions {
  /** RPC of the members that it may ask, in their order. */
  readonly urls: readonly string[];
  readonly journal: string;
  readonly perSecond: number;
  readonly senders: number;
}

export type JournalLine =
  | {
      readonly kind: 'sent';
      readonly hash: string;
      readonly sender: number;
      readonly nonce: number;
    }
  /** `member` counts the client's addresses, here and below. */
  | {
      readonly kind: 'acknowledged';
      readonly hash: string;
      readonly member: number;
      readonly atMs: number;
    }
  | { readonly kind: 'executed'; readonly hash: string; readonly member: number }
  | {
      readonly kind: 'dropped';
      readonly hash: string;
      readonly member: number;
      readonly code: string;
    }
  | { readonly kind: 'refused'; readonly member: number; readonly code: string };

export interface Acknowledged {
  readonly hash: string;
  readonly sender: number;
  readonly nonce: number;
  readonly member: number;
  /** Unix time. */
  readonly atMs: number;
}

export interface Told {
  readonly acknowledged: readonly Acknowledged[];
  /** Hash to the reason that a member gave. */
  readonly dropped: ReadonlyMap<string, string>;
  /** Hashes that a member said to have executed. */
  readonly executed: ReadonlySet<string>;
  /** By code. */
  readonly refused: ReadonlyMap<string, number>;
}

/** @param members the member behind each address that the client was given */
export function readJournal(path: string, members: readonly number[]): Told {
  const sent = new Map<string, { sender: number; nonce: number }>();
  const acknowledged: Acknowledged[] = [];
  const dropped = new Map<string, string>();
  const executed = new Set<string>();
  const refused = new Map<string, number>();
  // The last line may be cut off.
  for (const text of readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
    const line = JSON.parse(text) as JournalLine;
    switch (line.kind) {
      case 'sent':
        sent.set(line.hash, line);
        break;
      case 'acknowledged': {
        const { sender = -1, nonce = -1 } = sent.get(line.hash) ?? {};
        const member = members[line.member] ?? -1;
        acknowledged.push({ hash: line.hash, sender, nonce, member, atMs: line.atMs });
        break;
      }
      case 'executed':
        executed.add(line.hash);
        break;
      case 'dropped':
        dropped.set(line.hash, line.code);
        break;
      case 'refused':
        refused.set(line.code, (refused.get(line.code) ?? 0) + 1);
    }
  }
  return { acknowledged, dropped, executed, refused };
}
