import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PydeError } from '../bytes/index.ts';
import { type LogFields, type Logger, silentLogger } from '../platform/index.ts';
import { handleText, MAX_BATCH_ITEMS, type MethodCall } from './json-rpc.ts';

const echo: MethodCall = async (method, params) => {
  switch (method) {
    case 'echo':
      return params[0];
    case 'count':
      return params.length;
    case 'refuse':
      throw new PydeError('mempool.nonce', 'the nonce is used; use the next one', { nonce: '0x1' });
    case 'break':
      throw new TypeError('secret internals');
    case 'bigint':
      return 1n;
    case 'nothing':
      return undefined;
    case 'large':
      return 'x'.repeat(20 * 1024 * 1024);
    default:
      throw new PydeError('rpc.method', `unknown method ${method}`);
  }
};

async function answer(text: string, call = echo, logger: Logger = silentLogger): Promise<unknown> {
  const response = await handleText(text, call, logger);
  return response === undefined ? undefined : JSON.parse(response);
}

const request = (method: string, params?: unknown, id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) });

const errorOf = (code: number, dataCode: string, id: unknown = null) => ({
  jsonrpc: '2.0',
  id,
  error: expect.objectContaining({ code, data: expect.objectContaining({ code: dataCode }) }),
});

describe('JSON-RPC 2.0', () => {
  it('answers with the result under the id of the request', async () => {
    for (const id of [1, 0, -5, 1.5, 'x', '', null]) {
      expect(await answer(request('echo', ['v'], id))).toEqual({ jsonrpc: '2.0', id, result: 'v' });
    }
  });

  it('takes absent params as none and an undefined result as null', async () => {
    expect(await answer(request('count'))).toEqual({ jsonrpc: '2.0', id: 1, result: 0 });
    expect(await answer(request('nothing'))).toEqual({ jsonrpc: '2.0', id: 1, result: null });
  });

  it('refuses what is no JSON with -32700', async () => {
    for (const text of ['', '{', 'nul', '{"jsonrpc":"2.0"', '\u0000', "{'a':1}", '[1,]']) {
      expect(await answer(text), text).toEqual(errorOf(-32700, 'rpc.parse'));
    }
  });

  it('refuses JSON that is no request with -32600', async () => {
    for (const value of [
      1,
      'x',
      null,
      true,
      {},
      { jsonrpc: '2.0' },
      { jsonrpc: '1.0', method: 'count', id: 1 },
      { jsonrpc: '2.0', method: 1, params: 'bar' },
      { jsonrpc: '2.0', method: 'count', params: 'bar', id: null },
      { jsonrpc: '2.0', method: 'count', params: null, id: null },
    ]) {
      const id = typeof value === 'object' && value !== null ? (value.id ?? null) : null;
      expect(await answer(JSON.stringify(value))).toEqual(errorOf(-32600, 'rpc.request', id));
    }
  });

  it('refuses an id that could not be echoed', async () => {
    for (const id of [{}, [], true, 2 ** 53]) {
      expect(await answer(request('count', [], id))).toEqual(errorOf(-32600, 'rpc.request'));
    }
    expect(await answer('{"jsonrpc":"2.0","method":"count","id":1e999}')).toEqual(
      errorOf(-32600, 'rpc.request'),
    );
  });

  it('answers parameters by name with -32602', async () => {
    expect(await answer(request('count', { a: 1 }))).toEqual(errorOf(-32602, 'rpc.params', 1));
  });

  it('runs a notification and answers nothing, whatever becomes of it', async () => {
    const seen: string[] = [];
    const call: MethodCall = async (method, params) => {
      seen.push(method);
      return echo(method, params);
    };
    for (const method of ['echo', 'refuse', 'break', 'unknown']) {
      expect(await answer(JSON.stringify({ jsonrpc: '2.0', method }), call)).toBeUndefined();
    }
    expect(seen).toEqual(['echo', 'refuse', 'break', 'unknown']);
    const byName = JSON.stringify({ jsonrpc: '2.0', method: 'count', params: { a: 1 } });
    expect(await answer(byName)).toBeUndefined();
  });

  it('answers a refusal with -32000, its stable code, its details and its sentence', async () => {
    expect(await answer(request('refuse'))).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -32000,
        message: 'the nonce is used; use the next one',
        data: { code: 'mempool.nonce', details: { nonce: '0x1' } },
      },
    });
  });

  it('answers a defect with -32603 and tells only the log about it', async () => {
    const logged: LogFields[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (_, fields) => {
        logged.push(fields ?? {});
      },
    };
    for (const method of ['break', 'bigint']) {
      const response = await handleText(request(method), echo, logger);
      expect(JSON.parse(response ?? '')).toEqual(errorOf(-32603, 'rpc.internal', 1));
      expect(response).not.toMatch(/secret|TypeError|\.ts/);
    }
    expect(String(logged[0]?.['cause'])).toContain('secret internals');
    expect(logged.length).toBe(2);
  });
});

describe('batches', () => {
  const batch = (...items: readonly string[]): string => `[${items.join(',')}]`;

  it('start neighbours that may overlap in order, and let others wait for them', async () => {
    const log: string[] = [];
    const calls: unknown[] = [];
    for (const [id, method] of ['send', 'send', 'read', 'send', 'send'].entries()) {
      calls.push({ jsonrpc: '2.0', id, method, params: [id] });
    }
    const call = async (method: string, [id]: readonly unknown[]) => {
      log.push(`${method} ${id} starts`);
      await new Promise((resolve) => setTimeout(resolve, id === 0 || id === 3 ? 20 : 1));
      log.push(`${method} ${id} ends`);
      return id;
    };
    const text = await handleText(
      JSON.stringify(calls),
      call,
      silentLogger,
      (method) => method === 'send',
    );
    const answers: { result: number }[] = JSON.parse(text ?? '[]');
    expect(answers.map(({ result }) => result)).toEqual([0, 1, 2, 3, 4]);
    expect(log).toEqual([
      'send 0 starts',
      'send 1 starts',
      'send 1 ends',
      'send 0 ends',
      'read 2 starts',
      'read 2 ends',
      'send 3 starts',
      'send 4 starts',
      'send 4 ends',
      'send 3 ends',
    ]);
  });

  it('are run and answered in order, one after the other', async () => {
    let running = 0;
    const order: unknown[] = [];
    const call: MethodCall = async (_, params) => {
      running++;
      expect(running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 3 - Number(params[0])));
      order.push(params[0]);
      running--;
      return params[0];
    };
    const texts = [0, 1, 2].map((i) => request('echo', [i], i));
    expect(await answer(batch(...texts), call)).toEqual(
      [0, 1, 2].map((id) => ({ jsonrpc: '2.0', id, result: id })),
    );
    expect(order).toEqual([0, 1, 2]);
  });

  it('answer each bad item by itself and leave notifications out', async () => {
    const notification = JSON.stringify({ jsonrpc: '2.0', method: 'count' });
    const text = batch('1', request('count', [], 7), notification, request('nope', [], 8), '[]');
    expect(await answer(text)).toEqual([
      errorOf(-32600, 'rpc.request'),
      { jsonrpc: '2.0', id: 7, result: 0 },
      errorOf(-32601, 'rpc.method', 8),
      errorOf(-32600, 'rpc.request'),
    ]);
    expect(await answer(batch(notification, notification))).toBeUndefined();
  });

  it('hold 1 to 100 calls; otherwise the answer is one error and nothing is run', async () => {
    let calls = 0;
    const call: MethodCall = async () => {
      calls++;
      return 1;
    };
    const many = (n: number) => batch(...Array.from({ length: n }, () => request('count')));
    expect(await answer('[]', call)).toEqual(errorOf(-32600, 'rpc.batch-size'));
    for (const n of [101, 10_000]) {
      expect(await answer(many(n), call)).toEqual(errorOf(-32600, 'rpc.batch-size'));
    }
    expect(calls).toBe(0);
    expect(await answer(many(MAX_BATCH_ITEMS), call)).toHaveLength(MAX_BATCH_ITEMS);
    expect(calls).toBe(MAX_BATCH_ITEMS);
  });

  it('stop being run when the answers have grown too large', async () => {
    const text = batch(...Array.from({ length: 4 }, (_, id) => request('large', [], id)));
    const answers = await answer(text);
    expect(answers).toHaveLength(4);
    expect(answers).toMatchObject([
      { id: 0, result: expect.any(String) },
      { id: 1, result: expect.any(String) },
      errorOf(-32000, 'rpc.response-size', 2),
      errorOf(-32000, 'rpc.response-size', 3),
    ]);
  });
});

describe('whatever the text is', () => {
  it('there is one well-formed answer or, for notifications, none', async () => {
    const item = fc.record(
      {
        jsonrpc: fc.constantFrom('2.0', '2.0', '2.0', 1),
        id: fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.jsonValue()),
        method: fc.oneof(fc.constantFrom('echo', 'refuse', 'break', '__proto__'), fc.jsonValue()),
        params: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
      },
      { requiredKeys: ['jsonrpc'] },
    );
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      item.map((value) => JSON.stringify(value)),
      fc.array(item, { maxLength: 5 }).map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(text, async (sent) => {
        const response = await handleText(sent, echo, silentLogger);
        if (response === undefined) return;
        const parsed: unknown = JSON.parse(response);
        for (const one of Array.isArray(parsed) ? parsed : [parsed]) {
          expect(one.jsonrpc).toBe('2.0');
          expect('id' in one).toBe(true);
          expect('result' in one).not.toBe('error' in one);
        }
      }),
      { numRuns: 500 },
    );
  });
});
