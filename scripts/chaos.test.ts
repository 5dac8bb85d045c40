/**
 * The fault runs: a short one on real processes, and the parts that a long one stands on. That its
 * auditor finds what it looks for is tested on books that are wrong.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { toHex } from '@pyde/core/bytes';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../apps/node/src/testing.ts';
import { testKey } from '../core/src/crypto/testing.ts';
import { type Book, type Executed, judge } from './chaos/audit.ts';
import type { Acknowledged, Told } from './chaos/journal.ts';
import { FAULTS, Schedule } from './chaos/schedule.ts';
import { TcpProxy } from './chaos/tcp-proxy.ts';

const CHAOS = fileURLToPath(new URL('./chaos.ts', import.meta.url));

describe('npm run chaos', () => {
  it('runs a committee through a fault and loses nothing', async () => {
    const words = ['--minutes', '0.15', '--seed', '1', '--tps', '20', '--faults', 'stop', '--json'];
    const child = spawn(process.execPath, [CHAOS, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (part) => {
      out += String(part);
    });
    child.stderr.on('data', (part) => {
      err += String(part);
    });
    await once(child, 'close');
    const report = JSON.parse(out || JSON.stringify({ err }));
    expect(report).toMatchObject({ seed: 1, validators: 4, lost: 0, twice: 0, rootsEqual: true });
    // How soon the members go on depends on what else the machine does.
    const late = /ms from calm to new waves/;
    expect(report.violations.filter((each: string) => !late.test(each))).toEqual([]);
    expect(report.episodes.length).toBeGreaterThan(0);
    expect(report.executed).toBeGreaterThan(20);
    expect(report.executed).toBe(report.acknowledged);
  }, 150_000);

  it('says what it does not know', async () => {
    const child = spawn(process.execPath, [CHAOS, '--faults', 'rain'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (part) => {
      err += String(part);
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(2);
    expect(err).toContain('there is no fault rain; there are kill, stop, cut');
  });
});

describe('the schedule', () => {
  const draw = (seed: number, count: number) => {
    const schedule = new Schedule({ seed, validators: 4, faults: FAULTS });
    return { schedule, episodes: Array.from({ length: count }, () => schedule.next()) };
  };

  it('is the same for the same seed, and another for another', () => {
    expect(draw(7, 40).episodes).toEqual(draw(7, 40).episodes);
    expect(draw(7, 40).episodes).not.toEqual(draw(8, 40).episodes);
  });

  it('brings every fault before it brings one again, and never on the Byzantine member', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { schedule, episodes } = draw(seed, FAULTS.length - 1);
      expect(new Set(episodes.map((episode) => episode?.fault))).toEqual(
        new Set(FAULTS.filter((fault) => fault !== 'byzantine')),
      );
      const struck = episodes
        .filter((episode) => episode?.fault !== 'cut')
        .flatMap((episode) => episode?.members ?? []);
      expect(struck).not.toContain(schedule.byzantine);
    }
  });

  it('cuts links between what it cuts off and the rest, and no other', () => {
    for (let seed = 0; seed < 50; seed++) {
      const schedule = new Schedule({ seed, validators: 5, faults: ['cut'] });
      const episode = schedule.next();
      if (episode?.fault !== 'cut') throw new Error('nothing else was asked for');
      expect(episode.links.length).toBeGreaterThan(0);
      for (const { from, to } of episode.links) {
        expect(episode.members.includes(from)).not.toBe(episode.members.includes(to));
      }
    }
  });
});

describe('the proxy', () => {
  const open: { close(): void }[] = [];
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });

  /** To a server that gives back what it is sent. */
  async function echoed() {
    const server: Server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = address === null || typeof address === 'string' ? 0 : address.port;
    const proxy = await TcpProxy.to(port);
    const socket = connect(proxy.port, '127.0.0.1');
    await once(socket, 'connect');
    let heard = '';
    let isEnded = false;
    socket.on('data', (part) => {
      heard += String(part);
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      isEnded = true;
    });
    open.push(server, proxy, { close: () => socket.destroy() });
    return { proxy, socket, heard: () => heard, isEnded: () => isEnded };
  }

  const some = () => new Promise((resolve) => setTimeout(resolve, 100));

  it('hands on in order, slowly too', async () => {
    const { proxy, socket, heard } = await echoed();
    const text = Array.from({ length: 2_000 }, (_, i) => `${i},`).join('');
    socket.write(text.slice(0, 3_000));
    proxy.slow('there', { delayMs: 20, bytesPerSecond: 1_000_000 });
    proxy.slow('back', { delayMs: 20, bytesPerSecond: 1_000_000 });
    socket.write(text.slice(3_000));
    await until('all of it', () => (heard() === text ? true : undefined));
  });

  it.each(['there', 'back'] as const)(
    'keeps what it holds %s until it heals',
    async (direction) => {
      const { proxy, socket, heard, isEnded } = await echoed();
      proxy.hold(direction);
      socket.write('held');
      await some();
      expect([heard(), isEnded()]).toEqual(['', false]);
      proxy.heal();
      await until('what was held', () => (heard() === 'held' ? true : undefined));
    },
  );

  it('ends connections and refuses others when it resets', async () => {
    const { proxy, isEnded } = await echoed();
    proxy.reset();
    await until('the end', () => (isEnded() ? true : undefined));
    const refused = connect(proxy.port, '127.0.0.1').on('error', () => {});
    await new Promise((resolve) => refused.once('close', resolve));
    expect(proxy.connections).toBe(0);
  });
});

describe('the audit', () => {
  const [a, b] = [toHex(testKey(10).address), toHex(testKey(11).address)];
  const FUNDED = 1_000n;

  const transfer = (wave: number, nonce: number): Executed => ({
    ...{ wave, nonce, index: 0, sender: a, to: b, value: 10n, status: 'success', fee: 1n },
  });
  const executed = new Map([
    ['0x01', transfer(1, 0)],
    ['0x02', transfer(3, 1)],
  ]);
  const book = (member: number, change: Partial<Book> = {}): Book => ({
    member,
    waves: ['w1', 'w2', 'w3'],
    executed,
    twice: [],
    balances: new Map([
      [a, FUNDED - 22n],
      [b, FUNDED + 20n],
    ]),
    nonces: new Map([
      [a, 2],
      [b, 0],
    ]),
    ...change,
  });
  const acknowledged = (hash: string, nonce: number, atMs = 100): Acknowledged => ({
    ...{ hash, sender: 0, nonce, member: 1, atMs },
  });
  const told = (change: Partial<Told> = {}): Told => ({
    acknowledged: [acknowledged('0x01', 0), acknowledged('0x02', 1)],
    dropped: new Map(),
    executed: new Set(['0x01', '0x02']),
    refused: new Map(),
    ...change,
  });

  it('finds nothing wrong with what is right', () => {
    const verdict = judge([book(0), book(1)], told(), [], FUNDED);
    expect(verdict).toMatchObject({ acknowledged: 2, executed: 2, lost: 0, violations: [] });
    expect(verdict.rootsEqual).toBe(true);
  });

  it.each<[string, Partial<Book>, RegExp]>([
    ['a fork', { waves: ['w1', 'w2', 'other'] }, /members differ in a wave: 1 \(wave 3 /],
    ['one executed twice', { twice: ['0x01'] }, /executed twice: 1/],
    [
      'one in another place',
      { executed: new Map([...executed, ['0x02', transfer(2, 1)]]) },
      /in different places, or not by all: 1 \(0x02/,
    ],
    [
      'money from nowhere',
      { balances: new Map([...book(0).balances, [b, FUNDED + 21n]]) },
      /accounts of member 1: 1 \(.* holds 1021 and not 1020/,
    ],
    [
      'a nonce that does not follow',
      { nonces: new Map([...book(0).nonces, [a, 3]]) },
      /the nonce of .* is 3 and not 2/,
    ],
  ])('finds %s', (_, change, message) => {
    const { violations } = judge([book(0), book(1, change)], told(), [], FUNDED);
    expect(violations.join('\n')).toMatch(message);
  });

  it('finds what was acknowledged and is lost, and takes a told reason for an answer', () => {
    const more = [...told().acknowledged, acknowledged('0x03', 2)];
    const lost = judge([book(0)], told({ acknowledged: more }), [], FUNDED);
    expect(lost).toMatchObject({ lost: 1, wipedAway: 0 });
    expect(lost.violations.join()).toMatch(/acknowledged and lost: 1 \(0x03 by member 1\)/);
    const dropped = new Map([['0x03', 'mempool.expired']]);
    const explained = judge([book(0)], told({ acknowledged: more, dropped }), [], FUNDED);
    expect(explained).toMatchObject({ lost: 0, dropped: 1, violations: [] });
  });

  it('counts apart what a wiped disk took with it, and what waits behind that', () => {
    const more = [
      ...told().acknowledged,
      acknowledged('0x03', 2, 100),
      acknowledged('0x04', 3, 300),
    ];
    const wiped = (atMs: number) =>
      judge([book(0)], told({ acknowledged: more }), [{ member: 1, atMs }], FUNDED);
    expect(wiped(200)).toMatchObject({ lost: 0, wipedAway: 2, violations: [] });
    // Acknowledged after the disk was new again: that excuses nothing.
    expect(wiped(50)).toMatchObject({ lost: 2, wipedAway: 0 });
  });

  it('finds one that a member said to have executed and nobody has', () => {
    const lie = told({ executed: new Set(['0x01', '0x02', '0x09']) });
    expect(judge([book(0)], lie, [], FUNDED).violations.join()).toMatch(/not there: 1 \(0x09/);
  });
});
