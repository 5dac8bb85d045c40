import { multiaddr } from '@multiformats/multiaddr';
import { frameMessage } from '@pyde/core/consensus';
import { decodePeerExchange } from '@pyde/core/net';
import { afterEach, describe, expect, it } from 'vitest';
import { type LoopbackNode, loopbackNode, until } from './testing/loopback-node.ts';
import { RawValidator } from './testing/raw-validator.ts';
import {
  addressOf,
  closeTestNodes,
  freePorts,
  linksOf,
  openTestNode,
  type TestNode,
  testGenesis,
} from './testing/test-network.ts';

const genesis = testGenesis(4);
const vertex = (fill: number, bytes = 80): Uint8Array =>
  frameMessage('vertex', new Uint8Array(bytes).fill(fill));
const raws: LoopbackNode[] = [];

afterEach(async () => {
  await Promise.all(raws.splice(0).map((node) => node.stop()));
  await closeTestNodes();
});

interface Guarded {
  readonly outside: readonly TestNode[];
  readonly sentry: TestNode;
  readonly hidden: TestNode;
  /** Stops the sentry and starts it again. */
  restartSentry(): Promise<TestNode>;
}

/** Validators 0 to 2 in the open, and 3 behind a sentry, whom they know as a seed. */
async function guarded(): Promise<Guarded> {
  const [port] = await freePorts(1);
  const listen = [`/ip4/127.0.0.1/tcp/${port}`];
  const outside: TestNode[] = [];
  for (let validator = 0; validator < 3; validator++) {
    outside.push(await openTestNode(genesis, { validator, seeds: outside.map(addressOf) }));
  }
  const seeds = outside.map(addressOf);
  // Each names the other: the sentry's name is made in a first run.
  const first = await openTestNode(genesis, { listen });
  const sentries = [addressOf(first)];
  await first.network.stop();
  const hidden = await openTestNode(genesis, { validator: 3, sentries });
  const sentryFor = [{ peerId: hidden.network.peerId, validator: 3 }];
  const open = (): Promise<TestNode> =>
    openTestNode(genesis, { listen, seeds, sentryFor, folder: first.folder });
  let sentry = await open();
  return {
    outside,
    sentry,
    hidden,
    restartSentry: async () => {
      await sentry.network.stop();
      sentry = await open();
      return sentry;
    },
  };
}

const allLinked = ({ outside, hidden }: Guarded): boolean =>
  [...outside, hidden].every((node) => linksOf(node).length === 3);

describe('a validator behind a sentry', () => {
  it('is linked to everybody, and nobody but the sentry knows it', async () => {
    const all = await guarded();
    const { outside, sentry, hidden } = all;
    await until('all links', () => allLinked(all));
    const secret = hidden.network.peerId;
    for (const { network } of outside) {
      const link = network.peers().find(({ validator }) => validator === 3);
      expect(link?.peerId).toBe(sentry.network.peerId);
      expect(network.peers().map(({ peerId }) => peerId)).not.toContain(secret);
    }
    const met = new Set(hidden.network.peers().map(({ address }) => address));
    expect(met.size).toBe(1);

    hidden.network.broadcast(vertex(3));
    for (const [i, { network }] of outside.entries()) network.send(3, vertex(i));
    await until('messages out', () => outside.every(({ user }) => user.messages.length === 1));
    for (const { user } of outside) expect(user.messages).toEqual([{ from: 3, bytes: vertex(3) }]);
    await until('messages in', () => hidden.user.messages.length === 3);
    expect(hidden.user.messages.map(({ from }) => from).sort()).toEqual([0, 1, 2]);

    const [asker, other] = outside;
    for (const asked of [sentry, other]) {
      const peerId = asked?.network.peerId ?? '';
      const answer = await asker?.network.ask(peerId, 'peers', new Uint8Array(0));
      const told = decodePeerExchange(answer ?? new Uint8Array(0));
      const named = [...told.peers, ...told.records.flatMap(({ ends }) => ends)];
      expect(named.length).toBeGreaterThan(0);
      expect(named.map((end) => end.peerId)).not.toContain(secret);
    }
  });

  it('takes nobody else in, even who knows its address', async () => {
    const all = await guarded();
    const { hidden } = all;
    await until('all links', () => allLinked(all));
    const stranger = await loopbackNode();
    raws.push(stranger);
    const connection = await stranger.dial(multiaddr(addressOf(hidden))).catch(() => undefined);
    await until('the refusal', () => connection === undefined || connection.status !== 'open');
    expect(hidden.network.metrics()['connections_refused_by_peer']).toBeGreaterThanOrEqual(1);
  });

  it('is linked again when the sentry comes back', async () => {
    const all = await guarded();
    await until('all links', () => allLinked(all));
    await all.sentry.network.stop();
    await until('the loss', () => linksOf(all.hidden).length === 0);
    await all.restartSentry();
    await until('all links', () => allLinked(all));
  });
});

describe('two validators, each behind a sentry of its own', () => {
  it('are linked, with each other too', async () => {
    const outside: TestNode[] = [];
    for (let validator = 0; validator < 2; validator++) {
      outside.push(await openTestNode(genesis, { validator, seeds: outside.map(addressOf) }));
    }
    const seeds = outside.map(addressOf);
    const hidden: TestNode[] = [];
    for (const [i, port] of (await freePorts(2)).entries()) {
      const validator = 2 + i;
      const listen = [`/ip4/127.0.0.1/tcp/${port}`];
      const first = await openTestNode(genesis, { listen });
      const sentries = [addressOf(first)];
      await first.network.stop();
      const node = await openTestNode(genesis, { validator, sentries });
      const sentryFor = [{ peerId: node.network.peerId, validator }];
      await openTestNode(genesis, { listen, seeds, sentryFor, folder: first.folder });
      hidden.push(node);
    }
    const all = [...outside, ...hidden];
    // Sentries learn of each other by what the validators in the open tell.
    await until('all links', () => all.every((node) => linksOf(node).length === 3), 60_000);
  });
});

describe('a sentry', () => {
  it('passes on nobody who names another end than its own', async () => {
    const all = await guarded();
    await until('all links', () => allLinked(all));
    const liar = await loopbackNode();
    raws.push(liar);
    const [honest] = all.outside;
    const raw = await RawValidator.dial(liar, all.sentry, genesis, 0, {
      peerId: honest?.network.peerId ?? '',
    });
    await until('the end', () => !raw.isOpen);
    expect(raw.isProven).toBe(false);
    const status = all.sentry.network
      .peers()
      .find(({ peerId }) => peerId === liar.peerId.toString());
    expect(status?.score).toBeGreaterThanOrEqual(49);
    expect(linksOf(all.hidden)).toEqual([0, 1, 2]);
  });

  it('cuts off whose frame is too large before it passes any of it on', async () => {
    const all = await guarded();
    await until('all links', () => allLinked(all));
    const liar = await loopbackNode();
    raws.push(liar);
    const raw = await RawValidator.dial(liar, all.sentry, genesis, 0);
    await raw.proven();
    raw.stream.send(Uint8Array.of(0, 0, 0, 4, 5, 0));
    await until('the end', () => !raw.isOpen);
    const status = all.sentry.network
      .peers()
      .find(({ peerId }) => peerId === liar.peerId.toString());
    expect(status?.score).toBeGreaterThanOrEqual(49);
  });

  it('relays for nobody but its own validators', async () => {
    const all = await guarded();
    await until('all links', () => allLinked(all));
    const stranger = await loopbackNode();
    raws.push(stranger);
    const connection = await stranger.dial(multiaddr(addressOf(all.sentry)));
    const stream = await connection.newStream('/pyde/1/relay');
    await until('the end', () => stream.status !== 'open');
    expect(all.sentry.network.metrics()['sentry_streams_refused']).toBe(1);
  });
});
