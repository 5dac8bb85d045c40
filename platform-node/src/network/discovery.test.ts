/** Networks that know one seed, or one name, or only what they knew before. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import { falconVerifyBatch } from '@pyde/core/crypto';
import {
  decodePeerExchange,
  encodePeerExchange,
  PeerBook,
  requestProtocolId,
  signPeerRecord,
  type UnsignedPeerRecord,
} from '@pyde/core/net';
import { genesisHash, toHash, toValidatorIndex } from '@pyde/core/types';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../runtime/system-clock.ts';
import { ownEnd, PEERS_FILE, sentryEnds } from './discovery.ts';
import { PeerExchanger } from './peer-exchange.ts';
import { writeAnswer } from './request-stream.ts';
import { idOf, loopbackNode, until } from './testing/loopback-node.ts';
import {
  addressOf,
  closeTestNodes,
  linksOf,
  openTestNode,
  signerOf,
  type TestNode,
  testGenesis,
  testKeys,
} from './testing/test-network.ts';

const genesis = testGenesis(4);
const hash = toHash(genesisHash(genesis));

afterEach(closeTestNodes);

const knows = ({ network }: TestNode, other: TestNode): boolean =>
  network.peers().some(({ peerId }) => peerId === other.network.peerId);

const allKnow = (nodes: readonly TestNode[]): boolean =>
  nodes.every((node) => nodes.every((other) => other === node || knows(node, other)));

describe('nodes that know one seed', () => {
  it('find each other', async () => {
    const seed = await openTestNode(genesis);
    const others = await Promise.all(
      [1, 2, 3].map(() => openTestNode(genesis, { seeds: [addressOf(seed)] })),
    );
    await until('everybody is connected with everybody', () => allKnow([seed, ...others]));
  });

  it('find each other by name as well', async () => {
    const seed = await openTestNode(genesis);
    const asked: string[] = [];
    const dns = {
      resolveTxt: async (name: string) => {
        asked.push(name);
        if (name !== 'seed.example.org') throw new Error('no such record');
        return [[`dnsaddr=${addressOf(seed)}`]];
      },
      resolve4: async () => [],
      resolve6: async () => [],
    };
    const named = { dnsSeeds: ['seed.example.org'], dns };
    const nodes = [await openTestNode(genesis, named), await openTestNode(genesis, named)];
    await until('everybody is connected with everybody', () => allKnow([seed, ...nodes]));
    expect(asked).toContain('_dnsaddr.seed.example.org');
  });

  it('and are validators get linked by their signed records', async () => {
    const seed = await openTestNode(genesis);
    const seeds = [addressOf(seed)];
    const validators = await Promise.all(
      [0, 1, 2, 3].map((validator) => openTestNode(genesis, { validator, seeds })),
    );
    await until('all links', () => validators.every((node) => linksOf(node).length === 3));
  });

  it('wait without harm for a seed that is not there yet', async () => {
    const later = await openTestNode(genesis);
    const address = addressOf(later);
    const folder = later.folder;
    await later.network.stop();
    const early = await openTestNode(genesis, { seeds: [address] });
    expect(early.network.peers()).toEqual([]);
    const listen = [address.replace(/\/p2p\/.*$/, '')];
    const back = await openTestNode(genesis, { folder, listen });
    await until('it is found', () => knows(early, back));
  });
});

describe('a node that comes back', () => {
  it('knows its peers without any seed', async () => {
    const seeds = [addressOf(await openTestNode(genesis))];
    const other = await openTestNode(genesis, { seeds });
    const first = await openTestNode(genesis, { seeds });
    await until('they are connected', () => knows(first, other));
    await first.network.stop();
    const again = await openTestNode(genesis, { folder: first.folder });
    await until('they are connected again', () => knows(again, other));
    expect(again.network.peerId).toBe(first.network.peerId);
  });

  it('starts without what somebody made of its file', async () => {
    const seed = await openTestNode(genesis);
    const first = await openTestNode(genesis, { seeds: [addressOf(seed)] });
    await until('they are connected', () => knows(first, seed));
    await first.network.stop();
    const path = join(first.folder, PEERS_FILE);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0x55;
    writeFileSync(path, bytes);
    const lines: string[] = [];
    const log = (message: string): void => {
      lines.push(message);
    };
    const logger = { debug: log, info: log, warn: log, error: log };
    const again = await openTestNode(genesis, { folder: first.folder, log: logger });
    expect(lines).toContain('the peers of the last run are lost');
    expect(again.network.peers()).toEqual([]);
  });

  it('still refuses whom it banned, until the ban is over', async () => {
    const rules = { disconnectAt: 40, banAt: 40, firstBanMs: 4_000 };
    const first = await openTestNode(genesis, { scoreRules: rules });
    const attacker = await loopbackNode();
    try {
      await attacker.dial(multiaddr(addressOf(first)));
      first.network.report(idOf(attacker), 'bad-signature');
      await until('it is cut off', () => first.network.peers().length === 0);
      expect(first.network.metrics()).toMatchObject({ banned_peers: 1 });
      await first.network.stop();
      const again = await openTestNode(genesis, { folder: first.folder, scoreRules: rules });
      expect(again.network.metrics()).toMatchObject({ banned_peers: 1 });
      const target = multiaddr(addressOf(again));
      const stays = async (): Promise<boolean> => {
        await attacker.dial(target).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 100));
        return again.network.peers().length > 0;
      };
      expect(await stays()).toBe(false);
      await until('the ban is over', stays);
      expect(again.network.metrics()).toMatchObject({ banned_peers: 0 });
    } finally {
      await attacker.stop();
    }
  });
});

describe('what peers tell', () => {
  const key = testKeys[1];
  if (key === undefined) throw new Error('there are ten test keys');
  const peer = 'QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN';
  const unsigned: UnsignedPeerRecord = {
    validator: toValidatorIndex(1),
    ends: [{ peerId: peer, addresses: ['/ip4/192.0.2.7/tcp/9000'] }],
    sequence: 5n,
  };
  const sign = (digest: Uint8Array) => signerOf(key).sign(toHash(digest));
  const exchangerOf = (book: PeerBook): PeerExchanger =>
    new PeerExchanger({
      book,
      genesisHash: hash,
      verify: falconVerifyBatch,
      publicKeyOf: (validator) => genesis.validators[validator]?.publicKey,
    });
  const told = (record: Parameters<typeof encodePeerExchange>[0]['records'][number]): Uint8Array =>
    encodePeerExchange({ records: [record], peers: [] });

  it('counts when a validator signed it, once', () => {
    const book = new PeerBook({ random: systemRandom });
    const record = signPeerRecord(hash, unsigned, sign);
    expect(exchangerOf(book).take('somebody', told(record))).toBe(1);
    expect(exchangerOf(book).take('somebody', told(record))).toBe(0);
    expect(book.recordOf(toValidatorIndex(1))?.sequence).toBe(5n);
  });

  it('is an offence when it did not, or is no answer at all', () => {
    const book = new PeerBook({ random: systemRandom });
    const record = signPeerRecord(hash, unsigned, sign);
    const lies = [
      told({ ...record, sequence: 6n }),
      told({ ...record, validator: toValidatorIndex(0) }),
      told({ ...record, validator: toValidatorIndex(9) }),
      Uint8Array.of(255, 255, 255, 255),
      new Uint8Array(0),
    ];
    for (const lie of lies) {
      expect(() => exchangerOf(book).take('somebody', lie)).toThrow('no honest one does');
    }
    expect(book.size).toBe(0);
  });

  it('costs a liar its connection', async () => {
    const node = await openTestNode(genesis, { scoreRules: { disconnectAt: 20, banAt: 20 } });
    const liar = await loopbackNode();
    try {
      await liar.handle(requestProtocolId('peers'), (stream) => {
        void writeAnswer(stream, Uint8Array.of(7), AbortSignal.timeout(5_000)).catch(() => {});
      });
      await liar.dial(multiaddr(addressOf(node)));
      await until('it is banned', () => node.network.metrics().banned_peers === 1);
    } finally {
      await liar.stop();
    }
  });

  it('is never who is behind a sentry', async () => {
    const hidden = await loopbackNode();
    try {
      const sentry = await openTestNode(genesis, {
        sentryFor: [{ peerId: idOf(hidden), validator: 1 }],
      });
      await hidden.dial(multiaddr(addressOf(sentry)));
      const other = await openTestNode(genesis, { seeds: [addressOf(sentry)] });
      await until('they are connected', () => knows(other, sentry));
      const answer = await other.network.ask(sentry.network.peerId, 'peers', new Uint8Array(0));
      expect(Buffer.from(answer).includes(idOf(hidden))).toBe(false);
    } finally {
      await hidden.stop();
    }
  });
});

describe('the own record', () => {
  it('counts also when the clock of the last run was ahead', async () => {
    const other = await openTestNode(genesis);
    const ahead = { now: () => ({ ...systemClock.now(), unixMs: Date.now() + 10 ** 9 }) };
    const seeds = [addressOf(other)];
    const first = await openTestNode(genesis, { validator: 0, seeds, clock: ahead });
    const toldOf = async (asker: TestNode, asked: TestNode): Promise<string[]> => {
      const answer = await asker.network.ask(asked.network.peerId, 'peers', new Uint8Array(0));
      const { records } = decodePeerExchange(answer);
      return records.flatMap(({ ends }) => ends.flatMap(({ addresses }) => addresses));
    };
    await until('they are connected', () => knows(other, first));
    const before = await toldOf(other, first);
    expect(before).toHaveLength(1);
    await first.network.stop();
    const again = await openTestNode(genesis, { validator: 0, seeds, folder: first.folder });
    await until('they are connected again', () => knows(other, again));
    const after = await toldOf(other, again);
    expect(after).toEqual([addressOf(again).replace(/\/p2p\/.*$/, '')]);
    expect(after).not.toEqual(before);
  });

  it('names addresses that others can use, unless there are no others', () => {
    const [local, near, far] = [
      '/ip4/127.0.0.1/tcp/1',
      '/ip4/10.0.0.1/tcp/1',
      '/ip4/8.8.8.8/tcp/1',
    ];
    expect(ownEnd('P', [`${local}/p2p/P`, near, `${far}/p2p/P`])).toEqual([
      { peerId: 'P', addresses: [far] },
    ]);
    expect(ownEnd('P', [local])).toEqual([{ peerId: 'P', addresses: [local] }]);
    expect(ownEnd('P', [])).toEqual([]);
  });

  it('behind sentries names them instead', () => {
    const id = '12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo';
    expect(
      sentryEnds([`/ip4/192.0.2.1/tcp/1/p2p/${id}`, `/ip4/192.0.2.1/udp/1/quic-v1/p2p/${id}`]),
    ).toEqual([
      { peerId: id, addresses: ['/ip4/192.0.2.1/tcp/1', '/ip4/192.0.2.1/udp/1/quic-v1'] },
    ]);
  });
});
