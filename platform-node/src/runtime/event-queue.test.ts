import { frameMessage } from '@pyde/core/consensus';
import type { NodeEvent } from '@pyde/core/node';
import { toValidatorIndex } from '@pyde/core/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from './event-queue.ts';

const message = (from: number, text: string) => ({
  kind: 'message' as const,
  from: toValidatorIndex(from),
  bytes: new TextEncoder().encode(text),
});
const request = (request: number, length = 1): NodeEvent => ({
  kind: 'submit',
  request,
  bytes: new Uint8Array(length),
});

function drain(queue: EventQueue): NodeEvent[] {
  const out: NodeEvent[] = [];
  for (let event = queue.shift(); event !== undefined; event = queue.shift()) out.push(event);
  return out;
}

describe('EventQueue', () => {
  it('gives what the node is owed before anything from outside', () => {
    const queue = new EventQueue();
    queue.pushRequest(request(1), 1);
    queue.pushMessage(message(0, 'a'));
    queue.pushOwn({ kind: 'timer' });
    expect(drain(queue).map((event) => event.kind)).toEqual(['timer', 'message', 'submit']);
  });

  it('lets no peer keep the others waiting', () => {
    const queue = new EventQueue();
    for (let i = 0; i < 100; i++) queue.pushMessage(message(0, 'x'));
    queue.pushMessage(message(1, 'y'));
    const froms = drain(queue).map((event) => ('from' in event ? event.from : -1));
    expect(froms.indexOf(toValidatorIndex(1))).toBeLessThan(2);
  });

  it('lets neither messages nor requests keep the others waiting', () => {
    const queue = new EventQueue();
    for (let i = 0; i < 500; i++) queue.pushMessage(message(i % 3, 'x'));
    for (let i = 0; i < 500; i++) queue.pushRequest(request(i), 1);
    const kinds = drain(queue).map((event) => event.kind);
    const longest = { message: 0, submit: 0 };
    let run = 0;
    for (const [i, kind] of kinds.slice(0, 900).entries()) {
      run = kinds[i - 1] === kind ? run + 1 : 1;
      if (kind === 'message' || kind === 'submit') longest[kind] = Math.max(longest[kind], run);
    }
    expect(longest.message).toBeLessThanOrEqual(32);
    expect(longest.submit).toBeLessThanOrEqual(32);
  });

  it('refuses what is over its bounds, by peer, and has room again after', () => {
    const queue = new EventQueue({
      ...{ requests: 2, requestBytes: 10 },
      ...{ messagesPerPeer: 3, messageBytesPerPeer: 4, messageBytes: 6 },
    });
    expect(queue.pushMessage(message(0, 'abc'))).toBe(true);
    expect(queue.pushMessage(message(0, 'de'))).toBe(false);
    expect(queue.pushMessage(message(1, 'de'))).toBe(true);
    expect(queue.pushMessage(message(2, 'fgh'))).toBe(false);
    expect(queue.pushRequest(request(0, 11), 11)).toBe(false);
    expect(queue.pushRequest(request(1, 10), 10)).toBe(true);
    expect(queue.pushRequest(request(2, 1), 1)).toBe(false);
    expect(queue.dropped).toBe(2);
    drain(queue);
    expect(queue.pushMessage(message(0, 'de'))).toBe(true);
    expect(queue.pushRequest(request(3, 1), 1)).toBe(true);
  });

  it('joins vertices that wait next to each other, and nothing else', () => {
    const vertex = (from: number, text: string) => {
      const bytes = frameMessage('vertex', new TextEncoder().encode(text));
      return { kind: 'message', from: toValidatorIndex(from), bytes } as const;
    };
    const queue = new EventQueue();
    queue.pushMessage(vertex(0, 'a'));
    queue.pushMessage(vertex(0, 'b'));
    queue.pushMessage(vertex(1, 'c'));
    queue.pushMessage(message(0, 'x'));
    queue.pushMessage(vertex(0, 'd'));
    expect(drain(queue)).toEqual([
      { kind: 'vertices', messages: [vertex(0, 'a'), vertex(1, 'c'), vertex(0, 'b')] },
      message(0, 'x'),
      vertex(0, 'd'),
    ]);
    for (let i = 0; i < 100; i++) queue.pushMessage(vertex(0, String(i)));
    const sizes = drain(queue).map((event) =>
      event.kind === 'vertices' ? event.messages.length : 1,
    );
    expect(Math.max(...sizes)).toBe(32);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(100);
    expect(queue.length).toBe(0);
  });

  it('gives out everything once, and keeps the order of each peer and of requests', () => {
    const push = fc.record({ source: fc.integer({ min: -2, max: 3 }), take: fc.boolean() });
    fc.assert(
      fc.property(fc.array(push, { maxLength: 300 }), (pushes) => {
        const queue = new EventQueue();
        const out: NodeEvent[] = [];
        for (const [i, { source, take }] of pushes.entries()) {
          if (source === -2) queue.pushOwn(request(i));
          else if (source === -1) queue.pushRequest(request(i), 1);
          else queue.pushMessage(message(source, String(i)));
          const event = take ? queue.shift() : undefined;
          if (event !== undefined) out.push(event);
        }
        out.push(...drain(queue));
        expect(out.length).toBe(pushes.length);
        expect(queue.length).toBe(0);
        for (let source = 0; source <= 3; source++) {
          const texts = out
            .filter((event) => event.kind === 'message' && event.from === source)
            .map((event) => ('bytes' in event ? Number(new TextDecoder().decode(event.bytes)) : 0));
          expect(texts).toEqual([...texts].sort((a, b) => a - b));
        }
      }),
    );
  });
});
