/**
 * What must hold after a chaos run, of every honest member's own account of the chain and of what the
 * client was told: all waves and roots equal, nothing executed twice, everything acknowledged
 * executed everywhere in the same place or dropped for a reason that was told, balances and nonces
 * those that the transfers make.
 */
import { toHex } from '@pyde/core/bytes';
import type { RpcClient } from '@pyde/platform-node/client';
import type { TestKey } from '../../core/src/crypto/testing.ts';
import type { Told } from './journal.ts';

const AT_ONCE = 100;

export interface Executed {
  readonly wave: number;
  readonly index: number;
  readonly sender: string;
  readonly nonce: number;
  readonly to: string;
  readonly value: bigint;
  readonly status: string;
  readonly fee: bigint;
}

/** The chain as one member tells it. */
export interface Book {
  readonly member: number;
  /** Digest by wave, from 1; the digest holds the state root. */
  readonly waves: readonly string[];
  readonly executed: ReadonlyMap<string, Executed>;
  /** Hashes in more than one place. */
  readonly twice: readonly string[];
  /** By address, at the last of those waves. */
  readonly balances: ReadonlyMap<string, bigint>;
  /** The lowest nonce that has not been used: those behind it may have been. */
  readonly nonces: ReadonlyMap<string, number>;
}

/** Reads all waves up to `upTo` and what the accounts hold. */
export async function readBook(
  member: number,
  client: RpcClient,
  upTo: number,
  keys: readonly TestKey[],
): Promise<Book> {
  // First: old versions of the state are not kept for long.
  const { balances, nonces } = await readAccounts(client, upTo, keys);
  const waves: string[] = [];
  const loaded: number[] = [];
  for (let first = 1; first <= upTo; first += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, upTo - first + 1) }, (_, i) => first + i);
    const records = await client.batch(ids.map((id) => ({ method: 'pyde_getWave', params: [id] })));
    for (const [i, record] of records.entries()) {
      const { digest, tx_count } = record as { digest: string; tx_count: number };
      waves.push(digest);
      if (tx_count > 0) loaded.push(ids[i] ?? 0);
    }
  }
  const executed = new Map<string, Executed>();
  const twice: string[] = [];
  for (let at = 0; at < loaded.length; at += AT_ONCE) {
    let asked = loaded.slice(at, at + AT_ONCE).map((wave): readonly unknown[] => [wave]);
    while (asked.length > 0) {
      const pages = await client.batch(
        asked.map((params) => ({ method: 'pyde_getWaveTransactions', params })),
      );
      const more: (readonly unknown[])[] = [];
      for (const [i, answer] of pages.entries()) {
        const page = answer as { transactions: ListedJson[]; next_cursor?: unknown };
        for (const listed of page.transactions) {
          if (executed.has(listed.tx_hash)) twice.push(listed.tx_hash);
          executed.set(listed.tx_hash, executedOf(listed));
        }
        if (page.next_cursor !== undefined) more.push([asked[i]?.[0], page.next_cursor]);
      }
      asked = more;
    }
  }
  return { member, waves, executed, twice, balances, nonces };
}

async function readAccounts(
  client: RpcClient,
  wave: number,
  keys: readonly TestKey[],
): Promise<Pick<Book, 'balances' | 'nonces'>> {
  const addresses = keys.map((key) => toHex(key.address));
  const all = (method: string) =>
    client.batch(addresses.map((address) => ({ method, params: [address, wave] })));
  const [held, counts] = [await all('pyde_getBalance'), await all('pyde_getTransactionCount')];
  return {
    balances: new Map(addresses.map((address, i) => [address, BigInt(String(held[i]))])),
    nonces: new Map(addresses.map((address, i) => [address, Number(counts[i])])),
  };
}

interface ListedJson {
  readonly tx_hash: string;
  readonly tx_index: string;
  readonly wave_id: string;
  readonly sender: string;
  readonly nonce: string;
  readonly to: string;
  readonly value: string;
  readonly status: string;
  readonly fee_paid: string;
}

const executedOf = (listed: ListedJson): Executed => ({
  wave: Number(listed.wave_id),
  index: Number(listed.tx_index),
  sender: listed.sender,
  nonce: Number(listed.nonce),
  to: listed.to,
  value: BigInt(listed.value),
  status: String(listed.status),
  fee: BigInt(listed.fee_paid),
});

export interface Wipe {
  readonly member: number;
  /** Unix time of its death. */
  readonly atMs: number;
}

export interface Verdict {
  readonly acknowledged: number;
  readonly executed: number;
  readonly dropped: number;
  /** Acknowledged by a member whose disk was wiped before others had it, and what waited behind. */
  readonly wipedAway: number;
  readonly lost: number;
  readonly twice: number;
  readonly rootsEqual: boolean;
  readonly violations: readonly string[];
}

const TOLD_AT_MOST = 5;

/** @param funded what each of the accounts began with */
export function judge(
  books: readonly Book[],
  told: Told,
  wipes: readonly Wipe[],
  funded: bigint,
): Verdict {
  const violations: string[] = [];
  const tell = (rule: string, cases: readonly string[]): void => {
    if (cases.length === 0) return;
    const shown = cases.slice(0, TOLD_AT_MOST).join('; ');
    violations.push(
      `${rule}: ${cases.length} (${shown}${cases.length > TOLD_AT_MOST ? '; …' : ''})`,
    );
  };
  const [first] = books;
  if (first === undefined) return empty(['no member was left to be asked']);

  const forks = books.flatMap((book) => forkOf(first, book));
  tell('members differ in a wave', forks);
  const misplaced = books.flatMap((book) =>
    [...first.executed].flatMap(([hash, at]) => {
      const other = book.executed.get(hash);
      return isSame(at, other) ? [] : [`${hash} at members ${first.member} and ${book.member}`];
    }),
  );
  tell('executed in different places, or not by all', misplaced);
  const twice = new Set(books.flatMap((book) => book.twice));
  tell('executed twice', [...twice]);
  for (const book of books) tell(`accounts of member ${book.member}`, faultsOf(book, funded));

  const fates = told.acknowledged.map((one) => ({ one, isThere: first.executed.has(one.hash) }));
  const gone = fates.filter(({ one, isThere }) => !isThere && !told.dropped.has(one.hash));
  const wipedAlone = gone.filter(({ one }) =>
    wipes.some(({ member, atMs }) => member === one.member && one.atMs <= atMs),
  );
  /** The lowest nonce of a sender that nobody has any more. */
  const gaps = new Map<number, number>();
  for (const { one } of wipedAlone) {
    gaps.set(one.sender, Math.min(one.nonce, gaps.get(one.sender) ?? one.nonce));
  }
  const lost = gone.filter(
    ({ one }) => one.nonce < (gaps.get(one.sender) ?? Number.POSITIVE_INFINITY),
  );
  tell(
    'acknowledged and lost',
    lost.map(({ one }) => `${one.hash} by member ${one.member}`),
  );
  const believed = [...told.executed].filter((hash) => !first.executed.has(hash));
  tell('told to be executed and not there', believed);
  const unexplained = [...told.dropped].filter(([, code]) => code === '').map(([hash]) => hash);
  tell('dropped without a reason', unexplained);
  const undone = [...told.dropped.keys()].filter((hash) => first.executed.has(hash));
  return {
    acknowledged: told.acknowledged.length,
    executed: fates.filter(({ isThere }) => isThere).length,
    dropped: told.dropped.size - undone.length,
    wipedAway: gone.length - lost.length,
    lost: lost.length,
    twice: twice.size,
    rootsEqual: forks.length === 0,
    violations,
  };
}

const empty = (violations: readonly string[]): Verdict => ({
  ...{ acknowledged: 0, executed: 0, dropped: 0, wipedAway: 0, lost: 0, twice: 0 },
  rootsEqual: false,
  violations,
});

/** The first wave in which they differ. */
function forkOf(one: Book, other: Book): string[] {
  const at = one.waves.findIndex((digest, i) => digest !== other.waves[i]);
  return at < 0 ? [] : [`wave ${at + 1} at members ${one.member} and ${other.member}`];
}

const isSame = (a: Executed, b: Executed | undefined): boolean =>
  b !== undefined &&
  a.wave === b.wave &&
  a.index === b.index &&
  a.status === b.status &&
  a.fee === b.fee;

/** What every account should hold, from the member's own list of transfers. */
function faultsOf({ executed, balances, nonces }: Book, funded: bigint): string[] {
  const expected = new Map([...balances.keys()].map((address) => [address, funded]));
  const used = new Map([...balances.keys()].map((address) => [address, new Set<number>()]));
  const faults: string[] = [];
  const add = (address: string, amount: bigint): void => {
    const held = expected.get(address);
    if (held !== undefined) expected.set(address, held + amount);
  };
  for (const { sender, nonce, to, value, status, fee } of executed.values()) {
    const own = used.get(sender);
    if (own?.has(nonce) === true) faults.push(`${sender} has used nonce ${nonce} twice`);
    own?.add(nonce);
    add(sender, -fee);
    if (!isSuccess(status)) continue;
    add(sender, -value);
    add(to, value);
  }
  for (const [address, balance] of balances) {
    const should = expected.get(address) ?? 0n;
    if (balance !== should) faults.push(`${address} holds ${balance} and not ${should}`);
    let free = 0;
    while (used.get(address)?.has(free) === true) free++;
    const nonce = nonces.get(address) ?? 0;
    if (nonce !== free) faults.push(`the nonce of ${address} is ${nonce} and not ${free}`);
  }
  return faults;
}

const isSuccess = (status: string): boolean => status === 'success';
