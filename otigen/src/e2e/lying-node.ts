/** A node that passes calls on to a real one and changes some answers on their way back. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Changes the result of a call in place, or returns another. */
export type Lie = (method: string, result: unknown, params: readonly unknown[]) => unknown;

export interface LyingNode {
  readonly url: string;
  tell(lie: Lie): void;
  close(): void;
}

export async function lyingNode(honestUrl: string): Promise<LyingNode> {
  let lie: Lie = (_, result) => result;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', async () => {
      const body = Buffer.concat(parts).toString();
      const honest = await fetch(honestUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const answer = JSON.parse(await honest.text());
      // One call, or a batch, whose answers come in the order of the calls.
      const calls = [JSON.parse(body)].flat();
      for (const [i, one] of [answer].flat().entries()) {
        const { method, params } = calls[i];
        if ('result' in one) one.result = lie(method, one.result, params);
      }
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    tell: (next) => {
      lie = next;
    },
    close: () => server.close(),
  };
}
