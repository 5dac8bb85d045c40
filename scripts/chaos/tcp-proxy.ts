/**
 * Stands between one member and another: what `from` sends to `to`'s port goes through it, and can be
 * held, reset or slowed, each direction by itself. It connects from an address of its own, so that
 * `to` does not take `from`'s own address for one at which it is seen.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What waits on its way in one direction; then the sender has to wait. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Its way out, another host than that of the members. */
const OWN_HOST = '127.1.0.1';

export interface Pace {
  readonly delayMs: number;
  readonly bytesPerSecond: number;
}

/** How one direction is treated now. */
interface Treatment {
  isHeld: boolean;
  pace: Pace | undefined;
}

/** One direction of one connection: chunks in order, each when it is due. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #treatment: Treatment;
  readonly #waiting: { readonly chunk: Buffer; readonly dueMs: number }[] = [];
  #waitingBytes = 0;
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, treatment: Treatment) {
    this.#from = from;
    this.#to = to;
    this.#treatment = treatment;
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    to.on('drain', () => this.flush());
  }

  #take(chunk: Buffer): void {
    const { pace } = this.#treatment;
    const nowMs = performance.now();
    const cost = pace === undefined ? 0 : (chunk.length * 1_000) / pace.bytesPerSecond;
    const dueMs = Math.max(nowMs + (pace?.delayMs ?? 0), this.#lastDueMs + cost);
    this.#lastDueMs = dueMs;
    this.#waiting.push({ chunk, dueMs });
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= MAX_WAITING_BYTES) this.#from.pause();
    this.flush();
  }

  /** Sends what is due; comes back by itself for the rest. */
  flush(): void {
    clearTimeout(this.#timer);
    const nowMs = performance.now();
    while (!this.#treatment.isHeld && !this.#to.writableNeedDrain) {
      const [next] = this.#waiting;
      if (next === undefined) break;
      if (next.dueMs > nowMs) {
        this.#timer = setTimeout(() => this.flush(), next.dueMs - nowMs);
        break;
      }
      this.#waiting.shift();
      this.#waitingBytes -= next.chunk.length;
      this.#to.write(next.chunk);
    }
    if (this.#waitingBytes < MAX_WAITING_BYTES) this.#from.resume();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }
}

interface Passage {
  readonly sockets: readonly [Socket, Socket];
  readonly pipes: readonly [Pipe, Pipe];
}

export class TcpProxy {
  readonly #server: Server;
  readonly #toPort: number;
  readonly #passages = new Set<Passage>();
  /** From the dialler to the dialled, and back. */
  readonly #there: Treatment = { isHeld: false, pace: undefined };
  readonly #back: Treatment = { isHeld: false, pace: undefined };
  #refuses = false;

  private constructor(toPort: number) {
    this.#toPort = toPort;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** @returns one that listens on a free port of 127.0.0.1 */
  static async to(port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(port);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  get connections(): number {
    return this.#passages.size;
  }

  /** Nothing passes in this direction, and nobody is told. */
  hold(direction: 'there' | 'back'): void {
    this.#of(direction).isHeld = true;
  }

  /** Ends every connection and refuses new ones. */
  reset(): void {
    this.#refuses = true;
    for (const { sockets } of this.#passages)
      for (const socket of sockets) socket.resetAndDestroy();
  }

  slow(direction: 'there' | 'back', pace: Pace): void {
    this.#of(direction).pace = pace;
  }

  /** As it was; what was held goes on its way. */
  heal(): void {
    this.#refuses = false;
    for (const treatment of [this.#there, this.#back]) {
      treatment.isHeld = false;
      treatment.pace = undefined;
    }
    for (const { pipes } of this.#passages) for (const pipe of pipes) pipe.flush();
  }

  close(): void {
    this.#server.close();
    for (const { sockets } of this.#passages) for (const socket of sockets) socket.destroy();
  }

  #of(direction: 'there' | 'back'): Treatment {
    return direction === 'there' ? this.#there : this.#back;
  }

  #accept(near: Socket): void {
    if (this.#refuses) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ host: '127.0.0.1', port: this.#toPort, localAddress: OWN_HOST });
    const sockets: [Socket, Socket] = [near, far];
    const pipes: [Pipe, Pipe] = [new Pipe(near, far, this.#there), new Pipe(far, near, this.#back)];
    const passage = { sockets, pipes };
    this.#passages.add(passage);
    for (const socket of sockets) {
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => {
        this.#passages.delete(passage);
        for (const pipe of pipes) pipe.end();
        for (const other of sockets) other.destroy();
      });
    }
  }
}
