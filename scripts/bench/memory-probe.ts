/**
 * Loaded into every thread of a measured node by `--expose-gc --import`. On a message of the parent
 * process all threads collect their garbage, and the main thread answers with what each then holds.
 * The node itself knows nothing of it.
 */
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

/** What the JavaScript of one thread holds after a collection, in bytes. */
export interface ThreadMemory {
  /** 0 is the main thread. */
  readonly thread: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

export interface CollectedMemory {
  readonly threads: readonly ThreadMemory[];
}

type Message =
  | { readonly kind: 'here'; readonly thread: number }
  | { readonly kind: 'collect' }
  | { readonly kind: 'collected'; readonly memory: ThreadMemory };

const channel = new BroadcastChannel('pyde-memory-probe');
const say = (message: Message): void => channel.postMessage(message);

if (isMainThread) answerTheParent();
else answerTheMainThread();
channel.unref();

function collect(): ThreadMemory {
  if (globalThis.gc === undefined) throw new Error('start the node with --expose-gc');
  // The second frees what hung on what the first one found dead.
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  return { thread: threadId, heapUsed, heapTotal, external, arrayBuffers };
}

function answerTheMainThread(): void {
  channel.onmessage = ({ data }) => {
    const message = data as Message;
    if (message.kind === 'collect') say({ kind: 'collected', memory: collect() });
  };
  say({ kind: 'here', thread: threadId });
}

/** One question at a time: the parent waits for the answer before it asks again. */
function answerTheParent(): void {
  const workers = new Set<number>();
  const collected: ThreadMemory[] = [];
  const take = (memory: ThreadMemory): void => {
    collected.push(memory);
    if (collected.length <= workers.size) return;
    const threads = collected.splice(0).sort((a, b) => a.thread - b.thread);
    process.send?.({ threads } satisfies CollectedMemory);
  };
  channel.onmessage = ({ data }) => {
    const message = data as Message;
    if (message.kind === 'here') workers.add(message.thread);
    else if (message.kind === 'collected') take(message.memory);
  };
  process.on('message', () => {
    say({ kind: 'collect' });
    take(collect());
  });
  // Its listener must not keep a node up that has ended.
  process.channel?.unref();
}
