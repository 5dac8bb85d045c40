import { createServer, type Server } from 'node:http';
import { isPydeError, type PydeError } from '@pyde/core/bytes';
import { afterEach, describe, expect, it } from 'vitest';
import { RpcClient } from './index.ts';

const servers: Server[] = [];

/** A server that answers every request in one way. */
async function answering(
  respond: (
    body: string,
  ) => { status?: number; text?: string; headers?: Record<string, string> } | undefined,
): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const answer = respond(body);
      if (answer === undefined) return;
      response.writeHead(answer.status ?? 200, answer.headers).end(answer.text ?? '');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function failure(call: Promise<unknown>): Promise<PydeError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isPydeError(error)) throw new Error(`not refused as it should be: ${String(error)}`);
  return error;
}

const result = (body: string, value: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(body).id, result: value });

describe('the RPC client', () => {
  it('gives back the result, and sends what it was asked to', async () => {
    const url = await answering((body) => ({ text: result(body, JSON.parse(body)) }));
    expect(await new RpcClient(url).call('m', [1, 'x'])).toMatchObject({
      jsonrpc: '2.0',
      method: 'm',
      params: [1, 'x'],
    });
  });

  it('takes an address without a scheme and refuses what is none', () => {
    expect(new RpcClient('127.0.0.1:9933').url).toBe('http://127.0.0.1:9933/');
    for (const url of ['', 'ftp://x', 'http://', 'http://a b']) {
      expect(() => new RpcClient(url), url).toThrow(/not the address of a node/);
    }
  });

  it('says what is wrong when nothing listens', async () => {
    const url = await answering(() => undefined);
    await new Promise((resolve) => servers.splice(0)[0]?.close(resolve));
    const error = await failure(new RpcClient(url).call('m'));
    expect(error.code).toBe('rpc.unreachable');
    expect(error.message).toContain('Start the node');
    const socket = await failure(new RpcClient(url).subscribe(['newWaves'], () => {}));
    expect(socket.code).toBe('rpc.unreachable');
  });

  it('gives up after its timeout', async () => {
    const url = await answering(() => undefined);
    const error = await failure(new RpcClient(url, { timeoutMs: 100 }).call('m'));
    expect(error.code).toBe('rpc.timeout');
    expect(error.message).toContain('100 ms');
  });

  it("turns the node's refusal into an error with its code and details", async () => {
    const url = await answering(() => ({
      text: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        error: {
          code: -32000,
          message: 'the nonce is used',
          data: { code: 'account.nonce-used', details: { nonce: '0x1', deep: {} } },
        },
      }),
    }));
    const error = await failure(new RpcClient(url).call('m'));
    expect(error.code).toBe('rpc.refused');
    expect(error.message).toBe('the nonce is used');
    expect(error.details).toEqual({ code: 'account.nonce-used', nonce: '0x1', rpcCode: -32000 });
  });

  it('believes no answer that is not one', async () => {
    for (const text of ['', '<html>', '1', 'null', '{}', '{"error":1}', '{"error":{}}', '[]']) {
      const url = await answering(() => ({ text }));
      expect((await failure(new RpcClient(url).call('m'))).code, text).toBe('rpc.response');
    }
    const url = await answering(() => ({ status: 502, text: 'bad gateway' }));
    expect((await failure(new RpcClient(url).call('m'))).code).toBe('rpc.http');
  });

  it('reads no more of an answer than it was told to', async () => {
    const url = await answering((body) => ({ text: result(body, 'x'.repeat(100_000)) }));
    const error = await failure(new RpcClient(url, { maxResponseBytes: 10_000 }).call('m'));
    expect(error.code).toBe('rpc.response');
  });

  it('splits a long batch, and matches answers by id', async () => {
    const sizes: number[] = [];
    const url = await answering((body) => {
      const calls: { id: number; params: unknown[] }[] = JSON.parse(body);
      sizes.push(calls.length);
      const answers = calls.map(({ id, params }) => ({ jsonrpc: '2.0', id, result: params[0] }));
      return { text: JSON.stringify(answers.reverse()) };
    });
    const calls = Array.from({ length: 150 }, (_, i) => ({ method: 'm', params: [i] }));
    expect(await new RpcClient(url).batch(calls)).toEqual([...new Array(150).keys()]);
    expect(sizes).toEqual([100, 50]);
  });

  it('takes a node that is stopping for one that is not there', async () => {
    const url = await answering(() => ({ status: 503, text: '{"statusCode":503}' }));
    const error = await failure(new RpcClient(url).call('m'));
    expect(error.code).toBe('rpc.unreachable');
    expect(error.message).toMatch(/try again/);
  });

  it('says how long to wait when it is rate limited', async () => {
    const url = await answering(() => ({ status: 429, headers: { 'retry-after': '3' } }));
    const error = await failure(new RpcClient(url).call('m'));
    expect(error.code).toBe('rpc.rate-limited');
    expect(error.details['retryAfterSeconds']).toBe(3);
  });

  it('calls again on a new connection when an idle one was closed meanwhile', async () => {
    let calls = 0;
    const url = await answering((body) => {
      calls++;
      return { text: result(body, calls) };
    });
    const client = new RpcClient(url);
    expect(await client.call('m')).toBe(1);
    // The server closes at the very moment at which the client sends, as far as the client knows.
    const call = client.call('m');
    servers[0]?.closeAllConnections();
    expect([1, 2, 3]).toContain(await call);
  });
});
