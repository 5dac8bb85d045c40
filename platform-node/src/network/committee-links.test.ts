import type { Connection } from '@libp2p/interface';
import { frameMessage } from '@pyde/core/consensus';
import { falconVerifyBatch } from '@pyde/core/crypto';
import { COMMITTEE_PROTOCOL, type Frame } from '@pyde/core/net';
import { silentLogger } from '@pyde/core/platform';
import { toValidatorIndex } from '@pyde/core/types';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../runtime/system-clock.ts';
import { CommitteeLinks } from './committee-links.ts';
import {
  type LoopbackNode,
  addressOf as loopbackAddressOf,
  loopbackNode,
  until,
} from './testing/loopback-node.ts';
import { RawValidator } from './testing/raw-validator.ts';
import {
  addressOf,
  closeTestNodes,
  freePorts,
  linksOf,
  openTestNode,
  signerOf,
  type TestNode,
  testGenesis,
  testKeys,
} from './testing/test-network.ts';

const genesis = testGenesis(4);
const raws: LoopbackNode[] = [];

async function rawNode(): Promise<LoopbackNode> {
  const node = await loopbackNode();
  raws.push(node);
  return node;
}

afterEach(async () => {
  await Promise.all(raws.splice(0).map((node) => node.stop()));
  await closeTestNodes();
});

const message = (kind: 'vertex' | 'batch', bytes: number, fill = 1): Uint8Array =>
  frameMessage(kind, new Uint8Array(bytes).fill(fill));
const metric = (of: { metrics(): Readonly<Record<string, number>> }, name: string): number =>
  of.metrics()[name] ?? Number.NaN;
const soon = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('who is let in', () => {
  it('is one that proves the key of a validator of this chain, and gives and takes messages', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const raw = await (await RawValidator.dial(await rawNode(), node, genesis, 2)).proven();
    await until('the link', () => linksOf(node).includes(2));
    expect(node.user.links).toEqual([2]);
    raw.send({ kind: 'message', payload: message('vertex', 50) });
    await until('the message', () => node.user.messages.length === 1);
    expect(node.user.messages).toEqual([{ from: 2, bytes: message('vertex', 50) }]);
    node.network.send(2, message('vertex', 60));
    await until('the answer', () => raw.frames.length === 1);
    expect(raw.frames[0]).toEqual({ kind: 'message', payload: message('vertex', 60) });
  });

  const stranger = testKeys[7];
  if (stranger === undefined) throw new Error('there are ten keys');

  it('is nobody whose proof another key made, and the impostor pays for it', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const liar = await rawNode();
    const raw = await RawValidator.dial(liar, node, genesis, 2, {
      sign: (digest) => signerOf(stranger).sign(digest),
    });
    await until('the refusal', () => raw.refusal !== undefined);
    expect(raw.refusal).toBe('bad-proof');
    const [status] = node.network.peers();
    expect(status?.validator).toBeUndefined();
    expect(status?.score).toBeGreaterThanOrEqual(49);
    expect(node.user.links).toEqual([]);
  });

  it('is nobody who names another end than that of the connection', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const other = await rawNode();
    const raw = await RawValidator.dial(await rawNode(), node, genesis, 2, {
      peerId: other.peerId.toString(),
    });
    await until('the refusal', () => raw.refusal !== undefined);
    expect(raw.refusal).toBe('bad-proof');
    expect(node.user.links).toEqual([]);
  });

  it('is nobody of another chain', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const raw = await RawValidator.dial(await rawNode(), node, testGenesis(5), 2);
    await until('the refusal', () => raw.refusal !== undefined);
    expect(raw.refusal).toBe('wrong-chain');
  });

  it('is nobody who sends a message before the proof', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const raw = await RawValidator.dial(await rawNode(), node, genesis, 2, { role: 'listener' });
    raw.send({ kind: 'message', payload: message('vertex', 50) });
    await until('the end', () => !raw.isOpen);
    expect(node.user.messages).toEqual([]);
    expect(node.user.links).toEqual([]);
  });

  it('is nobody who takes too long, and silence costs no place for ever', async () => {
    const node = await openTestNode(genesis, {
      validator: 0,
      limits: { handshakeTimeoutMs: 300 },
    });
    const raw = await RawValidator.dial(await rawNode(), node, genesis, 2, { role: 'listener' });
    expect(metric(node.network, 'link_handshakes_pending')).toBe(1);
    await until('the end', () => !raw.isOpen);
    expect(metric(node.network, 'link_handshakes_pending')).toBe(0);
    expect(metric(node.network, 'link_handshakes_failed')).toBe(1);
  });
});

describe('a proven peer', () => {
  it('is cut off at the header of a frame that is too large', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const raw = await (await RawValidator.dial(await rawNode(), node, genesis, 2)).proven();
    await until('the link', () => linksOf(node).includes(2));
    // 64 MiB of vertex, of which only the first byte is ever sent.
    raw.stream.send(Uint8Array.of(0, 0, 0, 4, 5, 0));
    await until('the end', () => !raw.isOpen);
    await until('the loss', () => linksOf(node).length === 0);
    expect(node.network.peers()[0]?.score).toBeGreaterThanOrEqual(49);
  });

  it('that does not read costs no more than the bounds, and consensus overtakes bulk', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const raw = await (await RawValidator.dial(await rawNode(), node, genesis, 2)).proven();
    await until('the link', () => linksOf(node).includes(2));
    raw.stream.pause();
    const batch = message('batch', 1_000_000);
    for (let i = 0; i < 64; i++) {
      node.network.broadcast(batch);
      await soon(1);
    }
    const queued = metric(node.network, 'link_queue_bulk_bytes');
    expect(queued).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(queued).toBeGreaterThan(8 * 1024 * 1024);
    expect(metric(node.network, 'link_write_ahead_bytes')).toBeLessThanOrEqual(256 * 1024);
    expect(metric(node.network, 'link_dropped_bulk')).toBeGreaterThan(30);
    node.network.broadcast(message('vertex', 100, 7));
    raw.stream.resume();
    await until('the vertex', () => raw.frames.some(({ payload }) => payload[0] === 0));
    const before = raw.frames.findIndex(({ payload }) => payload[0] === 0);
    // Only what had left the queue comes first: windows and the frame that was begun.
    expect(before).toBeLessThan(12);
    await until('the rest', () => raw.frames.length > before + 10);
  });

  it('that is silent for ten seconds is dropped', async () => {
    const reasons: unknown[] = [];
    const log = {
      ...silentLogger,
      info: (message: string, fields?: Readonly<Record<string, unknown>>) => {
        if (message === 'link lost') reasons.push(fields?.['reason']);
      },
    };
    const node = await openTestNode(genesis, { validator: 0, log });
    const raw = await (await RawValidator.dial(await rawNode(), node, genesis, 2)).proven();
    raw.answersPings = false;
    await until('the link', () => linksOf(node).includes(2));
    await until('a ping', () => raw.frames.some(({ kind }) => kind === 'ping'));
    await until('the loss', () => linksOf(node).length === 0, 30_000);
    expect(raw.frames.filter(({ kind }) => kind === 'ping').length).toBeGreaterThanOrEqual(3);
    expect(reasons).toEqual(['nothing came for 10 s']);
  });

  it('that opens streams for nothing is shut out in the end', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const liar = await rawNode();
    const tired = async (): Promise<boolean> => {
      try {
        const raw = await RawValidator.dial(liar, node, genesis, 2, { role: 'listener' });
        raw.stream.abort(new Error('only to be a nuisance'));
        return false;
      } catch {
        return metric(node.network, 'connections_refused_by_peer') > 0;
      }
    };
    await until('the closed door', tired);
    expect(node.network.peers()).toEqual([]);
  });

  it('may open no crowd of handshakes', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const liar = await rawNode();
    const dial = () => RawValidator.dial(liar, node, genesis, 2, { role: 'listener' });
    const streams: RawValidator[] = [];
    for (let i = 0; i < 3; i++) streams.push(await dial());
    await until('the end of one', () => streams.some(({ isOpen }) => !isOpen));
    expect(metric(node.network, 'link_handshakes_pending')).toBe(2);
  });
});

describe('one link a pair', () => {
  const ROUNDS = 40;

  /** Validator `index` on its node, with nothing but links. */
  function linksOn(node: LoopbackNode, index: number) {
    const key = testKeys[index];
    if (key === undefined) throw new Error(`there is no test key ${index}`);
    const seen = { connected: 0, offences: 0 };
    const links = new CommitteeLinks({
      genesis,
      validator: toValidatorIndex(index),
      signer: signerOf(key),
      random: systemRandom,
      clock: systemClock,
      logger: silentLogger,
      verify: falconVerifyBatch,
      handshakeTimeoutMs: 10_000,
      user: {
        message: () => {},
        connected: () => seen.connected++,
        proven: () => {},
        offence: () => seen.offences++,
        failed: () => {},
      },
    });
    const ends = (connection: Connection) => ({
      connection,
      ownPeerId: node.peerId.toString(),
      remotePeerId: connection.remotePeer.toString(),
    });
    const listen = (): Promise<void> =>
      node.handle(
        COMMITTEE_PROTOCOL,
        (stream, connection) => {
          links.take({ stream, role: 'listener', ...ends(connection) });
        },
        { force: true },
      );
    const dial = async (other: LoopbackNode): Promise<void> => {
      const connection = await node.dial(loopbackAddressOf(other));
      const stream = await connection.newStream(COMMITTEE_PROTOCOL);
      links.take({ stream, role: 'dialler', ...ends(connection) });
    };
    return { links, seen, listen, dial };
  }

  it('of two opened at once, that of the lower index stays on both sides', async () => {
    const [lowNode, highNode] = [await rawNode(), await rawNode()];
    for (let round = 0; round < ROUNDS; round++) {
      const [low, high] = [linksOn(lowNode, 1), linksOn(highNode, 3)];
      await Promise.all([low.listen(), high.listen()]);
      // Now the one, now the other has a head start.
      const ahead = (round % 5) - 2;
      const dialLow = async (): Promise<void> => {
        if (ahead < 0) await soon(-2 * ahead);
        await low.dial(highNode);
      };
      const dialHigh = async (): Promise<void> => {
        if (ahead > 0) await soon(2 * ahead);
        await high.dial(lowNode);
      };
      await Promise.all([dialLow(), dialHigh()]);
      const stays = (): boolean =>
        low.links.link(toValidatorIndex(3))?.openedByUs === true &&
        high.links.link(toValidatorIndex(1))?.openedByUs === false &&
        low.links.metrics()['link_handshakes_pending'] === 0 &&
        high.links.metrics()['link_handshakes_pending'] === 0;
      await until('one link', stays);
      await soon(5);
      expect(stays()).toBe(true);
      // At most one of them gives way, and nobody goes back and forth.
      for (const { seen } of [low, high]) {
        expect(seen.connected).toBeLessThanOrEqual(2);
      }
      expect(low.seen.offences + high.seen.offences).toBe(0);
      low.links.stop();
      high.links.stop();
      const streams = (): number =>
        [...lowNode.getConnections(), ...highNode.getConnections()]
          .flatMap((connection) => connection.streams)
          .filter(({ protocol }) => protocol === COMMITTEE_PROTOCOL).length;
      await until('the streams to close', () => streams() === 0);
    }
  });

  it('comes back when the other side was killed and is there again', async () => {
    const [port] = await freePorts(1);
    const listen = [`/ip4/127.0.0.1/tcp/${port}`];
    const first = await openTestNode(genesis, { validator: 0, listen });
    const node = await openTestNode(genesis, { validator: 1, seeds: [addressOf(first)] });
    await until('the link', () => linksOf(node).includes(0));
    await first.network.stop();
    await until('the loss', () => linksOf(node).length === 0);
    const { folder } = first;
    // It knows nobody: whom it lost must dial it.
    const again = await openTestNode(genesis, { validator: 0, listen, folder });
    expect(again.network.peerId).toBe(first.network.peerId);
    await until('the link', () => linksOf(node).includes(0) && linksOf(again).includes(1));
    expect(node.user.links).toEqual([0, 0]);
  });
});

describe('a second process with the same key', () => {
  it('is told so by f + 1 validators while the first one lives, and gives up', async () => {
    const nodes: TestNode[] = [];
    for (let validator = 0; validator < 4; validator++) {
      nodes.push(await openTestNode(genesis, { validator, seeds: nodes.map(addressOf) }));
    }
    await until('all links', () => nodes.every((node) => linksOf(node).length === 3));
    const seeds = nodes.slice(0, 3).map(addressOf);
    const twin = await openTestNode(genesis, { validator: 3, seeds });
    await until('the end of the twin', () => twin.user.failures.length > 0);
    await soon(500);
    expect(twin.user.failures.map(({ code }) => code)).toEqual(['network.key-live']);
    await twin.network.stop();
    for (const node of nodes) expect(linksOf(node).length).toBe(3);
    for (const node of nodes) expect(node.user.failures).toEqual([]);
    const [first] = nodes;
    first?.network.send(3, message('vertex', 10, 9));
    await until('a message to the first', () => nodes[3]?.user.messages.length === 1);
  });

  it('is let in when the first one no longer answers', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const first = await (await RawValidator.dial(await rawNode(), node, genesis, 2)).proven();
    await until('the first', () => linksOf(node).includes(2));
    first.answersPings = false;
    const second = await (await RawValidator.dial(await rawNode(), node, genesis, 2)).proven();
    // It may speak at once: what it says is kept until it is let in.
    second.send({ kind: 'message', payload: message('vertex', 70) });
    await until('the message', () => node.user.messages.length === 1);
    expect(first.isOpen).toBe(false);
    expect(second.isOpen).toBe(true);
    expect(linksOf(node)).toEqual([2]);
  });

  it('is not let in because this process stood still', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const first = await (await RawValidator.dial(await rawNode(), node, genesis, 2)).proven();
    await until('the first', () => linksOf(node).includes(2));
    first.answersPings = false;
    const second = await (await RawValidator.dial(await rawNode(), node, genesis, 2)).proven();
    const ping = (): Frame | undefined => first.frames.findLast(({ kind }) => kind === 'ping');
    await until('the question', () => ping() !== undefined);
    // In this phase of the event loop, so that timers come before what was sent meanwhile.
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
        first.send({ kind: 'pong', payload: ping()?.payload ?? new Uint8Array() });
        resolve();
      });
    });
    await until('the refusal', () => second.frames.some(({ kind }) => kind === 'refuse'));
    expect(first.isOpen).toBe(true);
    expect(linksOf(node)).toEqual([2]);
  });

  it('of the same session takes the place of the first, which has broken on its side', async () => {
    const node = await openTestNode(genesis, { validator: 0 });
    const session = new Uint8Array(16).fill(3);
    const peer = await rawNode();
    const first = await (await RawValidator.dial(peer, node, genesis, 2, { session })).proven();
    await until('the first', () => linksOf(node).includes(2));
    const second = await (await RawValidator.dial(peer, node, genesis, 2, { session })).proven();
    await until('the end of the first', () => !first.isOpen);
    expect(second.isOpen).toBe(true);
    expect(linksOf(node)).toEqual([2]);
  });
});
