/** Questions and answers between real libp2p nodes, honest and not. */
import type { Stream } from '@libp2p/interface';
import { concatBytes, isPydeError, PydeError } from '@pyde/core/bytes';
import {
  type Offence,
  REQUEST_LIMITS,
  REQUEST_PROTOCOLS,
  type RequestProtocol,
  requestProtocolId,
} from '@pyde/core/net';
import { silentLogger } from '@pyde/core/platform';
import { afterEach, describe, expect, it } from 'vitest';
import { type AnsweringOptions, NOT_SERVED, RequestAnswering } from './request-answering.ts';
import { RequestAsking } from './request-asking.ts';
import {
  addressOf,
  drained,
  idOf,
  type LoopbackNode,
  loopbackNode,
  until,
} from './testing/loopback-node.ts';

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const SERVED: ReadonlySet<RequestProtocol> = new Set(
  REQUEST_PROTOCOLS.filter((name) => !NOT_SERVED.has(name)),
);
const question = Uint8Array.of(1, 2, 3);

const ADMISSIONS: Partial<Record<RequestProtocol, 'throttle' | 'flood'>> = {
  head: 'flood',
  peers: 'throttle',
};

interface Server {
  readonly node: LoopbackNode;
  readonly id: string;
  readonly answering: RequestAnswering;
  readonly offences: { readonly peerId: string; readonly offence: Offence }[];
}

async function server(options: Partial<AnsweringOptions> = {}): Promise<Server> {
  const node = await loopbackNode();
  const offences: { peerId: string; offence: Offence }[] = [];
  const answering = new RequestAnswering({
    node,
    logger: silentLogger,
    served: SERVED,
    answer: async (_peer, _protocol, bytes) => concatBytes(Uint8Array.of(9), bytes),
    admit: () => 'take',
    offend: (peerId, offence) => {
      offences.push({ peerId, offence });
    },
    ...options,
  });
  await answering.start();
  closing.push(async () => {
    await answering.stop();
    await node.stop();
  });
  return { node, id: idOf(node), answering, offences };
}

interface Client {
  readonly node: LoopbackNode;
  readonly id: string;
  readonly asking: RequestAsking;
  readonly offences: Offence[];
}

async function clientOf(...servers: readonly { readonly node: LoopbackNode }[]): Promise<Client> {
  return await impatientClientOf(undefined, ...servers);
}

async function impatientClientOf(
  timeoutMs: number | undefined,
  ...servers: readonly { readonly node: LoopbackNode }[]
): Promise<Client> {
  const node = await loopbackNode();
  const offences: Offence[] = [];
  const asking = new RequestAsking({
    node,
    offend: (_peer, offence) => {
      offences.push(offence);
    },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  closing.push(async () => {
    asking.stop();
    await node.stop();
  });
  for (const { node: other } of servers) await node.dial(addressOf(other));
  return { node, id: idOf(node), asking, offences };
}

const opened = (client: Client, to: Server, protocol: RequestProtocol): Promise<Stream> =>
  client.node.dialProtocol(to.node.peerId, requestProtocolId(protocol), {
    maxOutboundStreams: 1_000,
  });

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    if (!isPydeError(error)) throw error;
    return error.code === 'network.refused' ? `refused:${error.details.refusal}` : error.code;
  }
}

/** A node that does with a question stream what it likes. */
async function liar(play: (stream: Stream) => void): Promise<{ node: LoopbackNode; id: string }> {
  const node = await loopbackNode();
  closing.push(async () => await node.stop());
  await node.handle(requestProtocolId('epoch'), (stream) => play(stream));
  return { node, id: idOf(node) };
}

const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};

describe('a question', () => {
  it('is answered, however many are asked at once', async () => {
    const to = await server();
    const { asking } = await clientOf(to);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => asking.ask(to.id, 'cert', Uint8Array.of(i))),
    );
    expect(answers.map((answer) => [...answer])).toEqual(
      Array.from({ length: 8 }, (_, i) => [9, i]),
    );
    await until('the slots are free', () => to.answering.metrics().request_streams_now === 0);
    expect(to.answering.metrics()).toMatchObject({ requests_answered: 8, answer_bytes_now: 0 });
    expect(to.offences).toEqual([]);
  });

  it('may have no bytes, and so may its answer', async () => {
    const to = await server({ answer: async () => new Uint8Array(0) });
    const { asking } = await clientOf(to);
    expect(await asking.ask(to.id, 'head', new Uint8Array(0))).toEqual(new Uint8Array(0));
  });

  it('brings an answer of the largest size', async () => {
    const largest = new Uint8Array(REQUEST_LIMITS.waves.maxAnswerBytes).fill(7);
    const to = await server({ answer: async () => largest });
    const { asking } = await clientOf(to);
    const answer = await asking.ask(to.id, 'waves', question);
    expect(Buffer.compare(answer, largest)).toBe(0);
  });

  it('is not sent when it is over its cap', async () => {
    const to = await server();
    const { asking } = await clientOf(to);
    const large = new Uint8Array(REQUEST_LIMITS.head.maxQuestionBytes + 1);
    expect(await codeOf(asking.ask(to.id, 'head', large))).toBe('network.size');
  });

  it('to nobody known is unreachable', async () => {
    const { asking } = await clientOf();
    const stranger = await loopbackNode();
    closing.push(async () => await stranger.stop());
    expect(await codeOf(asking.ask(idOf(stranger), 'head', question))).toBe('network.unreachable');
    expect(await codeOf(asking.ask('no peer id', 'head', question))).toBe('network.unreachable');
  });

  it('ends with its caller, and with the node', async () => {
    let asked = 0;
    const to = await server({
      answer: () => {
        asked++;
        return new Promise(() => {});
      },
    });
    const { asking, offences } = await clientOf(to);
    const controller = new AbortController();
    const cancelled = codeOf(asking.ask(to.id, 'cert', question, controller.signal));
    const stopped = codeOf(asking.ask(to.id, 'cert', question));
    await until('both are asked', () => asked === 2);
    controller.abort();
    expect(await cancelled).toBe('network.cancelled');
    asking.stop();
    expect(await stopped).toBe('network.stopped');
    expect(await codeOf(asking.ask(to.id, 'cert', question))).toBe('network.stopped');
    expect(asking.metrics()).toMatchObject({ requests_open_now: 0 });
    expect(offences).toEqual([]);
  });

  it('waits for no more than eight answers of one peer', async () => {
    const to = await server({ answer: () => new Promise(() => {}) });
    const { asking } = await clientOf(to);
    const waiting = Array.from({ length: 8 }, () => codeOf(asking.ask(to.id, 'cert', question)));
    expect(await codeOf(asking.ask(to.id, 'cert', question))).toBe('network.busy');
    asking.stop();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['network.stopped']));
  });
});

describe('an answer', () => {
  it('is refused by name when it is not served, too fast, or impossible', async () => {
    const to = await server({
      admit: (_peer, protocol) => ADMISSIONS[protocol] ?? 'take',
      answer: async (_peer, protocol) => {
        if (protocol === 'cert') throw new PydeError('request.unknown-wave', 'no such wave');
        throw new Error('a defect');
      },
    });
    const { asking, offences } = await clientOf(to);
    expect(await codeOf(asking.ask(to.id, 'chunk', question))).toBe('refused:not-served');
    expect(await codeOf(asking.ask(to.id, 'head', question))).toBe('refused:too-fast');
    expect(await codeOf(asking.ask(to.id, 'peers', question))).toBe('refused:too-fast');
    expect(await codeOf(asking.ask(to.id, 'cert', question))).toBe('refused:request.unknown-wave');
    expect(await codeOf(asking.ask(to.id, 'epoch', question))).toBe('refused:internal');
    expect(to.offences.map(({ offence }) => offence)).toEqual(['flood']);
    expect(offences).toEqual([]);
    expect(to.answering.metrics()).toMatchObject({ requests_refused: 5, requests_answered: 0 });
  });

  it('larger than its protocol allows is never sent', async () => {
    const to = await server({
      answer: async () => new Uint8Array(REQUEST_LIMITS.cert.maxAnswerBytes + 1),
    });
    const { asking } = await clientOf(to);
    expect(await codeOf(asking.ask(to.id, 'cert', question))).toBe('refused:too-large');
  });

  it('is in flight for one peer up to its share, and no other waits', async () => {
    const held: (() => void)[] = [];
    const to = await server({
      answer: (_peer, protocol) =>
        new Promise((resolve) => {
          if (protocol === 'waves') held.push(() => resolve(question));
          else resolve(question);
        }),
    });
    const slow = await clientOf(to);
    const quick = await clientOf(to);
    const share = Math.floor((16 * 1024 * 1024) / REQUEST_LIMITS.waves.maxAnswerBytes);
    const streams: Promise<Uint8Array>[] = [];
    for (let i = 0; i < share + 1; i++) {
      const stream = await opened(slow, to, 'waves');
      stream.send(u32(0));
      void stream.close();
      streams.push(drained(stream));
    }
    await until('the share is full', () => held.length === share);
    expect(await quick.asking.ask(to.id, 'cert', question)).toEqual(question);
    await until('the rest is refused', () => to.answering.metrics().requests_refused === 1);
    for (const release of held) release();
    const statuses = (await Promise.all(streams)).map((answer) => answer[0]);
    expect(statuses.sort()).toEqual([...Array(share).fill(0), 1]);
    await until('nothing is held', () => to.answering.metrics().answer_bytes_now === 0);
  });

  it('is worked at for one peer and protocol up to a bound, to which who asks keeps', async () => {
    const held: (() => void)[] = [];
    const to = await server({
      answer: () => new Promise((resolve) => held.push(() => resolve(question))),
    });
    const { asking } = await clientOf(to);
    const cancelled = new AbortController();
    const asked = Array.from({ length: 5 }, () => codeOf(asking.ask(to.id, 'cert', question)));
    const dropped = codeOf(asking.ask(to.id, 'cert', question, cancelled.signal));
    cancelled.abort();
    expect(await dropped).toBe('network.cancelled');
    await until('two are open', () => held.length === 2);
    expect(to.answering.metrics().request_streams_now).toBe(2);
    await until('all are answered', () => {
      for (const release of held.splice(0)) release();
      return to.answering.metrics().requests_answered === 5;
    });
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['none']));
  });

  const lies: readonly [string, string, Offence | undefined, (stream: Stream) => void][] = [
    [
      'of a length over its cap',
      'network.size',
      'oversized-frame',
      (stream) => {
        stream.send(concatBytes(Uint8Array.of(0), u32(REQUEST_LIMITS.epoch.maxAnswerBytes + 1)));
      },
    ],
    [
      'with a refusal over its cap',
      'network.size',
      'oversized-frame',
      (stream) => {
        stream.send(concatBytes(Uint8Array.of(1), u32(REQUEST_LIMITS.epoch.maxAnswerBytes)));
      },
    ],
    [
      'of more bytes than any protocol',
      'network.size',
      'oversized-frame',
      (stream) => {
        stream.send(concatBytes(Uint8Array.of(0), u32(REQUEST_LIMITS.epoch.maxAnswerBytes)));
        stream.send(new Uint8Array(REQUEST_LIMITS.epoch.maxAnswerBytes + 1));
      },
    ],
    [
      'of an unknown status',
      'network.format',
      'bad-frame',
      (stream) => {
        stream.send(concatBytes(Uint8Array.of(2), u32(0)));
      },
    ],
    [
      'with a malformed refusal',
      'network.format',
      'bad-frame',
      (stream) => {
        stream.send(concatBytes(Uint8Array.of(1), u32(3), question));
      },
    ],
    [
      'cut in the middle',
      'network.truncated',
      'truncated',
      (stream) => {
        stream.send(concatBytes(Uint8Array.of(0), u32(4), question));
        void stream.close();
      },
    ],
    [
      'that is none',
      'network.truncated',
      undefined,
      (stream) => {
        void stream.close();
      },
    ],
  ];
  for (const [what, code, offence, play] of lies) {
    it(`${what} is ${code}`, async () => {
      const to = await liar(play);
      const { asking, offences } = await clientOf(to);
      expect(await codeOf(asking.ask(to.id, 'epoch', question))).toBe(code);
      expect(offences).toEqual(offence === undefined ? [] : [offence]);
    });
  }

  it('that does not come in its time is an offence', async () => {
    const to = await liar(() => {});
    const { asking, offences } = await impatientClientOf(200, to);
    expect(await codeOf(asking.ask(to.id, 'epoch', question))).toBe('network.timeout');
    expect(offences).toEqual(['slow-answer']);
  });
});

describe('an attacker', () => {
  it('announcing an oversized question is reset at once', async () => {
    const to = await server();
    const client = await clientOf(to);
    const stream = await opened(client, to, 'epoch');
    stream.send(u32(REQUEST_LIMITS.cert.maxQuestionBytes + 1));
    expect(await drained(stream)).toHaveLength(0);
    await until('an offence', () => to.offences.length > 0);
    expect(to.offences).toEqual([{ peerId: client.id, offence: 'oversized-frame' }]);
  });

  it('sending half a question loses its slot when its time is over', async () => {
    const to = await server({ questionTimeoutMs: 300 });
    const client = await clientOf(to);
    const honest = await clientOf(to);
    const names = ['cert', 'epoch', 'proof', 'waves', 'head'] as const;
    const streams = await Promise.all(
      [...names, ...names].map(async (name) => await opened(client, to, name)),
    );
    for (const stream of streams) stream.send(concatBytes(u32(8), question));
    await until('ten slots are held', () => to.answering.metrics().request_streams_now === 10);
    expect(await honest.asking.ask(to.id, 'cert', question)).toEqual(Uint8Array.of(9, ...question));
    await until('the slots are free', () => to.answering.metrics().request_streams_now === 0);
    expect(to.offences.map(({ offence }) => offence)).toEqual(Array(10).fill('slow-loris'));
    await Promise.all(streams.map(drained));
  });

  it('cutting its question short is told so', async () => {
    const to = await server();
    const client = await clientOf(to);
    const stream = await opened(client, to, 'cert');
    stream.send(concatBytes(u32(8), question));
    await stream.close();
    await drained(stream);
    await until('an offence', () => to.offences.length > 0);
    expect(to.offences[0]?.offence).toBe('truncated');
  });

  it('opening hundreds of streams holds no more than its slots', async () => {
    const to = await server();
    const client = await clientOf(to);
    const honest = await clientOf(to);
    let most = 0;
    const tries = await Promise.allSettled(
      Array.from({ length: 300 }, async () => {
        const stream = await opened(client, to, 'cert');
        most = Math.max(most, to.answering.metrics().request_streams_now ?? 0);
        return stream;
      }),
    );
    expect(tries.length).toBe(300);
    await until('offences', () => to.offences.length >= 32);
    expect(most).toBeLessThanOrEqual(16);
    expect(new Set(to.offences.map(({ offence }) => offence))).toEqual(
      new Set(['stream-exhaustion']),
    );
    expect(await honest.asking.ask(to.id, 'cert', question)).toEqual(Uint8Array.of(9, ...question));
  });

  it('leaving its answer unread keeps its slot no longer than the connection', async () => {
    const to = await server({ answer: async () => new Uint8Array(1024 * 1024) });
    const client = await clientOf(to);
    const stream = await opened(client, to, 'proof');
    stream.send(concatBytes(u32(0)));
    stream.pause();
    await until('an answer is in flight', () => (to.answering.metrics().answer_bytes_now ?? 0) > 0);
    await client.node.stop();
    await until('nothing is held', () => to.answering.metrics().answer_bytes_now === 0);
    await until('no slot is held', () => to.answering.metrics().request_streams_now === 0);
  });
});
