import { request } from 'node:http';
import { connect } from 'node:net';
import { isPydeError, type PydeError, toHex } from '@pyde/core/bytes';
import { silentLogger } from '@pyde/core/platform';
import { MAX_REQUEST_BYTES } from '@pyde/core/rpc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { TestNode } from '../../../core/src/rpc/testing.ts';
import { addressOf, wireBy } from '../../../core/src/tx/testing.ts';
import { toQuanta } from '../../../core/src/types/index.ts';
import { RpcClient } from '../client/index.ts';
import { RpcServer, type RpcServerOptions } from './index.ts';

let node: TestNode;
let server: RpcServer;
let port: number;
let url: string;
const started: RpcServer[] = [];

async function serve(options: Partial<RpcServerOptions> = {}): Promise<void> {
  server = new RpcServer({
    backend: node,
    host: '127.0.0.1',
    port: 0,
    logger: silentLogger,
    ...options,
  });
  started.push(server);
  ({ port } = await server.start());
  url = `http://127.0.0.1:${port}`;
}

beforeEach(async () => {
  node = await TestNode.start();
});

afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
});

const body = (method: string, params: readonly unknown[] = [], id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });

async function post(text: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await fetch(url, { method: 'POST', body: text, headers });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, answer };
}

/** Posts what must be refused; the JSON-RPC code and `data.code`. */
async function refusedPost(
  text: string | Uint8Array<ArrayBuffer>,
): Promise<readonly [number, number, string]> {
  const { status, answer } = await post(text, { 'content-type': 'application/json' });
  const { error } = JSON.parse(answer);
  return [status, error.code, error.data.code];
}

const stillUp = async (): Promise<void> => {
  expect(JSON.parse((await post(body('pyde_chainId'))).answer).result).toBe('0x7a69');
};

describe('HTTP', () => {
  beforeEach(() => serve());

  it('serves the operator on this machine, and nobody for whom a proxy or a page asks', async () => {
    const ask = async (headers: Record<string, string>) =>
      JSON.parse((await post(body('pyde_getPeers'), headers)).answer);
    expect(await ask({})).toMatchObject({ result: [] });
    for (const name of ['x-forwarded-for', 'forwarded', 'origin']) {
      const { error } = await ask({ [name]: 'http://203.0.113.7' });
      expect(error?.data.code, name).toBe('rpc.operator-only');
    }
  });

  it('answers POST / whatever content type the caller sends', async () => {
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
      const { status, headers, answer } = await post(body('pyde_chainId'), {
        'content-type': type,
      });
      expect(status).toBe(200);
      expect(headers.get('content-type')).toContain('application/json');
      expect(JSON.parse(answer)).toEqual({ jsonrpc: '2.0', id: 1, result: '0x7a69' });
    }
  });

  it('says what it is on GET / and on unknown paths', async () => {
    const root = await fetch(url);
    expect([root.status, await root.text()]).toEqual([200, expect.stringContaining('JSON-RPC')]);
    const other = await fetch(`${url}/nothing`);
    expect([other.status, await other.text()]).toEqual([404, expect.stringContaining('JSON-RPC')]);
  });

  it('lets every origin read', async () => {
    const { headers } = await post(body('pyde_chainId'), { origin: 'https://example.org' });
    expect(headers.get('access-control-allow-origin')).toBe('*');
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://example.org',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type');
  });

  it('answers an empty body, a notification and bytes that are no UTF-8', async () => {
    expect(await refusedPost('')).toEqual([200, -32700, 'rpc.parse']);
    expect(await refusedPost(Uint8Array.of(0xff, 0xfe, 0x7b))).toEqual([200, -32700, 'rpc.parse']);
    const notification = await post('{"jsonrpc":"2.0","method":"pyde_chainId"}');
    expect([notification.status, notification.answer]).toEqual([200, '']);
    await stillUp();
  });

  it('answers JSON nested 10,000 deep with one clear error', async () => {
    for (const text of ['['.repeat(10_000) + ']'.repeat(10_000), '{"a":'.repeat(10_000)]) {
      expect(await refusedPost(text)).toEqual([200, -32600, 'rpc.too-deep']);
    }
    const inside = body('pyde_getBalance', [JSON.parse('['.repeat(100) + ']'.repeat(100))]);
    expect(await refusedPost(inside)).toEqual([200, -32600, 'rpc.too-deep']);
    await stillUp();
  });

  it('answers 10 MiB of JSON with one clear error, sent whole or in pieces', async () => {
    const text = JSON.stringify({ x: 'a'.repeat(10 * 1024 * 1024) });
    expect(await refusedPost(text)).toEqual([200, -32600, 'rpc.too-large']);
    const pieces = new Array(160).fill(new Uint8Array(65_536).fill(0x20));
    const answer = await new Promise<string>((resolve, reject) => {
      const sending = request({ port, host: '127.0.0.1', method: 'POST' }, (response) => {
        let got = '';
        response.on('data', (chunk) => {
          got += chunk;
        });
        response.on('end', () => resolve(got));
      });
      sending.on('error', reject);
      for (const piece of pieces) sending.write(piece);
      sending.end();
    });
    expect(JSON.parse(answer)).toMatchObject({ error: { data: { code: 'rpc.too-large' } } });
    await stillUp();
  });

  it('takes a request of exactly 5 MiB', async () => {
    const text = body('pyde_chainId');
    const { answer } = await post(text + ' '.repeat(MAX_REQUEST_BYTES - text.length));
    expect(JSON.parse(answer)).toMatchObject({ result: '0x7a69' });
    expect(await refusedPost(text + ' '.repeat(MAX_REQUEST_BYTES - text.length + 1))).toEqual([
      200,
      -32600,
      'rpc.too-large',
    ]);
  });

  it('answers a batch of 10,000 calls with one error, and one of 100 in order', async () => {
    const batch = (n: number): string =>
      `[${Array.from({ length: n }, (_, id) => body('pyde_chainId', [], id)).join(',')}]`;
    expect(await refusedPost(batch(10_000))).toEqual([200, -32600, 'rpc.batch-size']);
    const { answer } = await post(batch(100));
    expect(JSON.parse(answer).map(({ id }: { id: number }) => id)).toEqual([
      ...new Array(100).keys(),
    ]);
  });

  it('survives connections that break off or speak nonsense, and blames nobody in its log', async () => {
    const told: string[] = [];
    const tell = (message: string) => told.push(message);
    await serve({ logger: { ...silentLogger, warn: tell, error: tell } });
    for (const text of [
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"js',
      'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      '\u0016\u0003\u0001\u0002\u0000\u0001\u0000',
      'GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => {
          socket.write(text);
          setTimeout(() => socket.destroy(), 30);
        });
        socket.on('close', () => resolve());
        socket.on('error', () => {});
      });
    }
    await stillUp();
    expect(told).toEqual([]);
  });
});

describe('pages', () => {
  it('are read with GET beside the RPC, with a status of their own', async () => {
    const pages = new Map([
      ['/metrics', async () => ({ status: 200, type: 'text/plain', body: 'pyde_wave 7\n' })],
      ['/ready', async () => ({ status: 503, type: 'application/json', body: '{"ready":false}' })],
    ]);
    await serve({ pages });
    const metrics = await fetch(`${url}/metrics`);
    expect([metrics.status, await metrics.text()]).toEqual([200, 'pyde_wave 7\n']);
    const ready = await fetch(`${url}/ready`);
    expect([ready.status, ready.headers.get('cache-control')]).toEqual([503, 'no-store']);
    expect(await ready.json()).toEqual({ ready: false });
    expect((await fetch(`${url}/metrics`, { method: 'POST', body: '{}' })).status).toBe(404);
    await stillUp();
  });

  it('are not there when none are given', async () => {
    await serve();
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });
});

describe('whoever watches', () => {
  it('is told of calls by method and code, of refusals by rate, and of open sockets', async () => {
    const calls: string[] = [];
    let limited = 0;
    let open = 0;
    const watch = {
      called: (method: string) => (code: string) => calls.push(`${method} ${code}`),
      rateLimited: () => limited++,
      sockets: (now: number) => {
        open = now;
      },
    };
    await serve({ watch, requestsPerSecond: 5 });
    await post(body('pyde_chainId'));
    await post(body('pyde_getBalance', ['0x12']));
    await post(body('no such method'));
    expect(calls).toEqual(['pyde_chainId ok', 'pyde_getBalance rpc.params', 'unknown rpc.method']);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    await expect.poll(() => open).toBe(1);
    socket.close();
    await expect.poll(() => open).toBe(0);
    await Promise.all(Array.from({ length: 12 }, () => post(body('pyde_chainId'))));
    expect(limited).toBeGreaterThan(0);
  });
});

describe('rate limit', () => {
  it('answers 429 with an integer Retry-After, and a JSON-RPC error', async () => {
    await serve({ requestsPerSecond: 5 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => post(body('pyde_chainId'))));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited).toHaveLength(7);
    for (const { headers, answer } of limited) {
      expect(headers.get('retry-after')).toMatch(/^[1-9][0-9]*$/);
      expect(JSON.parse(answer)).toMatchObject({
        id: null,
        error: { data: { code: 'server.rate-limited' } },
      });
    }
    const refused = await new RpcClient(url).call('pyde_chainId').catch((error) => error);
    expect(isPydeError(refused, 'rpc.rate-limited')).toBe(true);
  });

  it('slows a WebSocket down to the same pace', async () => {
    await serve({ requestsPerSecond: 5 });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    await new Promise((resolve) => socket.on('open', resolve));
    let answers = 0;
    socket.on('message', () => answers++);
    for (let i = 0; i < 200; i++) {
      socket.send(body('pyde_chainId', [' '.repeat(4096)], i));
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(answers).toBeGreaterThan(0);
    expect(answers).toBeLessThan(60);
    socket.terminate();
  });
});

describe('starting and stopping', () => {
  it('names host and port when the port is taken, and can be tried again', async () => {
    await serve();
    const second = new RpcServer({ backend: node, host: '127.0.0.1', port, logger: silentLogger });
    const error = await second.start().catch((reason: PydeError) => reason);
    expect(isPydeError(error, 'server.port-taken')).toBe(true);
    expect(String(error)).toContain(`127.0.0.1:${port}`);
    await stillUp();
    await server.stop();
    started.push(second);
    await second.start();
    await stillUp();
  });

  it('names an address that is not this machine', async () => {
    const away = new RpcServer({
      backend: node,
      host: '203.0.113.7',
      port: 0,
      logger: silentLogger,
    });
    const error = await away.start().catch((reason: PydeError) => reason);
    expect(isPydeError(error, 'server.address')).toBe(true);
  });

  it('stops within a second with connections open, and tells WebSockets why', async () => {
    await serve();
    const idle = connect(port, '127.0.0.1');
    await new Promise((resolve) => idle.on('connect', resolve));
    idle.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{');
    idle.on('error', () => {});
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    await new Promise((resolve) => socket.on('open', resolve));
    const closed = new Promise((resolve) =>
      socket.on('close', (code, reason) => resolve([code, String(reason)])),
    );
    const mute = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    await new Promise((resolve) => mute.on('open', resolve));
    mute.pause();
    const before = performance.now();
    await server.stop();
    expect(performance.now() - before).toBeLessThan(1_000);
    expect(await closed).toEqual([1001, 'the node stops']);
    expect(node.listeners).toBe(0);
    await server.stop();
    mute.terminate();
    idle.destroy();
  });
});

describe('WebSocket', () => {
  beforeEach(() => serve());

  it('serves requests and pushes to the client of this package', async () => {
    const client = new RpcClient(url);
    const waves: unknown[] = [];
    const certs: unknown[] = [];
    const onWaves = await client.subscribe(['newWaves'], (wave) => waves.push(wave));
    await client.subscribe(['finality'], (cert) => certs.push(cert));
    await client.call('pyde_sendRawTransaction', [
      toHex(wireBy(0, { to: addressOf(1), value: toQuanta(1n) })),
    ]);
    await node.wave();
    await expect.poll(() => [waves.length, certs.length]).toEqual([1, 1]);
    expect(waves[0]).toEqual(await client.call('pyde_getWave', [1]));
    expect(certs[0]).toEqual(await client.call('pyde_getHardFinalityCert', [1]));
    await onWaves.unsubscribe();
    await node.wave();
    await expect.poll(() => certs.length).toBe(2);
    expect(waves).toHaveLength(1);
    client.close();
    await expect.poll(() => node.listeners).toBe(0);
  });

  it('answers bad texts and binary messages and stays open', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    await new Promise((resolve) => socket.on('open', resolve));
    const answers: { id: unknown; error?: { data: { code: string } }; result?: unknown }[] = [];
    socket.on('message', (data) => answers.push(JSON.parse(String(data))));
    for (const text of ['{', '['.repeat(10_000), ' '.repeat(10 * 1024 * 1024), '[]']) {
      socket.send(text);
    }
    socket.send(Buffer.from('{}'), { binary: true });
    socket.send(body('pyde_chainId', [], 'last'));
    await expect.poll(() => answers.length).toBe(6);
    expect(answers.map(({ error, result }) => error?.data.code ?? result).sort()).toEqual(
      [
        'rpc.parse',
        'rpc.too-deep',
        'rpc.too-large',
        'rpc.batch-size',
        'rpc.request',
        '0x7a69',
      ].sort(),
    );
    socket.close();
  });

  it('closes a reader that does not read, with a reason, while others go on', async () => {
    const slow = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    await new Promise((resolve) => slow.on('open', resolve));
    const closed = new Promise((resolve) =>
      slow.on('close', (code, reason) => resolve([code, String(reason)])),
    );
    slow.pause();
    const batch = `[${new Array(100).fill(body('pyde_getSnapshot')).join(',')}]`;
    for (let i = 0; i < 40; i++) slow.send(batch);
    await stillUp();
    await expect.poll(() => node.listeners, { timeout: 10_000 }).toBe(0);
    slow.resume();
    expect(await closed).toEqual([1008, expect.stringContaining('slow reader')]);
    await stillUp();
  });
});
