/**
 * The client of a chaos run, in a process of its own: `load-client.ts OPTIONS` as JSON. It sends so
 * many transfers a second, one of each sender at a time, to whichever member takes them, through
 * every fault. What it was told goes into the journal at once, a line of JSON each. A transfer that
 * was acknowledged is never sent again: whoever acknowledged it has to see to it.
 *
 * When its standard input ends it sends no more, waits until all is settled, half a minute at most,
 * and ends.
 */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isPydeError, toHex } from '@pyde/core/bytes';
import { decodeTx, txHash } from '@pyde/core/tx';
import { RpcClient } from '@pyde/platform-node/client';
import { signedTransfer } from '../bench/load-accounts.ts';
import { localnetKeys } from '../bench/localnet-net.ts';
import type { JournalLine, LoadOptions } from './journal.ts';

/** Acknowledged and not settled, of one sender; the window of an account is 16. */
const MAX_WAITING = 12;
const LOOK_EVERY_MS = 500;
const CALL_MS = 2_000;
const AGAIN_MS = 100;
const SETTLE_AT_MOST_MS = 30_000;

const { urls, journal, perSecond, senders } = JSON.parse(process.argv[2] ?? '') as LoadOptions;
const clients = urls.map((url) => new RpcClient(url, { timeoutMs: CALL_MS }));
const file = openSync(journal, 'a');
const keys = localnetKeys(senders);

interface Sender {
  readonly index: number;
  nonce: number;
  isSending: boolean;
  /** Hash to the member that acknowledged it. */
  readonly waiting: Map<string, number>;
}

const all: Sender[] = keys.map((_, index) => {
  return { index, nonce: 0, isSending: false, waiting: new Map() };
});
let isOver = false;
let turn = 0;

function note(line: JournalLine): void {
  writeSync(file, `${JSON.stringify(line)}\n`);
}

function nextSender(): Sender | undefined {
  for (let tries = 0; tries < all.length; tries++) {
    const sender = all[turn++ % all.length];
    if (sender !== undefined && !sender.isSending && sender.waiting.size < MAX_WAITING)
      return sender;
  }
  return undefined;
}

async function sendOne(sender: Sender, first: number): Promise<void> {
  const [from, to] = [keys[sender.index], keys[(sender.index * 7 + sender.nonce) % keys.length]];
  if (from === undefined || to === undefined) throw new Error('a sender has a key');
  sender.isSending = true;
  const { index, nonce } = sender;
  const bytes = signedTransfer(from, to.address, nonce);
  const raw = toHex(bytes);
  const hash = toHex(txHash(decodeTx(bytes)));
  note({ kind: 'sent', hash, sender: index, nonce });
  for (let at = first; !isOver; at++) {
    const member = at % clients.length;
    const outcome = await submit(member, raw);
    if (outcome === 'taken') {
      note({ kind: 'acknowledged', hash, member, atMs: Date.now() });
      sender.waiting.set(hash, member);
      sender.nonce++;
      break;
    }
    if (outcome === 'ran') {
      // A member took it without this client hearing so.
      sender.nonce++;
      break;
    }
    await sleep(AGAIN_MS);
  }
  sender.isSending = false;
}

async function submit(member: number, raw: string): Promise<'taken' | 'ran' | 'not now'> {
  try {
    await clients[member]?.call('pyde_sendRawTransaction', [raw]);
    return 'taken';
  } catch (error) {
    const code = isPydeError(error) ? String(error.details['code'] ?? error.code) : '';
    if (code === 'account.nonce-used' || code === 'account.nonce-past') return 'ran';
    note({ kind: 'refused', member, code: code === '' ? String(error) : code });
    return 'not now';
  }
}

/** What became of those that wait, by the member that took them. */
async function look(): Promise<void> {
  const waiting = all.flatMap((sender) =>
    [...sender.waiting].map(([hash, member]) => ({ sender, hash, member })),
  );
  await Promise.all(
    clients.map(async (client, member) => {
      const own = waiting.filter((one) => one.member === member);
      if (own.length === 0) return;
      const asked = own.map(({ hash }) => ({
        method: 'pyde_getTransactionStatus',
        params: [hash],
      }));
      const answers = await client.batch(asked).catch(() => []);
      for (const [i, answer] of answers.entries()) {
        const one = own[i];
        const status = answer as { status: string; reason?: { code: string } } | null;
        if (one === undefined || status === null || status.status === 'pending') continue;
        one.sender.waiting.delete(one.hash);
        if (status.status === 'dropped') {
          note({ kind: 'dropped', hash: one.hash, member, code: status.reason?.code ?? '' });
        } else note({ kind: 'executed', hash: one.hash, member });
      }
    }),
  );
}

async function keepLooking(): Promise<void> {
  while (!isOver) {
    await sleep(LOOK_EVERY_MS);
    await look();
  }
}

const looking = keepLooking();
process.stdin
  .once('close', () => {
    isOver = true;
  })
  .resume();
const beganMs = performance.now();
for (let i = 0; !isOver; i++) {
  const waitMs = beganMs + (i * 1_000) / perSecond - performance.now();
  if (waitMs > 0) await sleep(waitMs);
  const sender = nextSender();
  if (sender !== undefined) void sendOne(sender, i);
}
await looking;
const untilMs = performance.now() + SETTLE_AT_MOST_MS;
while (all.some(({ isSending, waiting }) => isSending || waiting.size > 0)) {
  if (performance.now() > untilMs) break;
  await look();
  await sleep(AGAIN_MS);
}
process.exit(0);
