/**
 * The open WebSockets of a server. Each is bounded in what it may have under way, in how fast it
 * may ask, and (by the RPC connection behind it) in what it leaves unread.
 */
import { PydeError } from '@pyde/core/bytes';
import type { Logger } from '@pyde/core/platform';
import type { RpcService } from '@pyde/core/rpc';
import type { RawData, WebSocket } from 'ws';

const MAX_SOCKETS = 1_024;
/** Requests of one socket that run at a time; above it the socket is not read. */
const MAX_UNDER_WAY = 64;
const PING_EVERY_MS = 30_000;
/** How long a socket that we close may take to read why. */
const LINGER_MS = 5_000;
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;

export class SocketSet {
  readonly #service: RpcService;
  readonly #logger: Logger;
  readonly #messagesPerSecond: number | undefined;
  readonly #sockets = new Set<WebSocket>();

  constructor(service: RpcService, logger: Logger, messagesPerSecond: number | undefined) {
    this.#service = service;
    this.#logger = logger;
    this.#messagesPerSecond = messagesPerSecond;
  }

  /** Open ones. */
  get size(): number {
    return this.#sockets.size;
  }

  accept(socket: WebSocket): void {
    if (this.#sockets.size >= MAX_SOCKETS) {
      socket.close(TRY_AGAIN_LATER, 'this node has as many connections as it takes');
      return;
    }
    this.#sockets.add(socket);
    const connection = this.#service.connect({
      send: (text) => socket.send(text),
      buffered: () => socket.bufferedAmount,
      close: (reason) => {
        this.#logger.info('a WebSocket was closed', { reason });
        endSocket(socket, POLICY_VIOLATION, reason, LINGER_MS);
      },
    });
    const gate = new ReadGate(socket, this.#messagesPerSecond);
    socket.on('message', (data, isBinary) => {
      gate.enter();
      const answered = isBinary
        ? Promise.resolve(socket.send(this.#service.refuse(binaryRefused())))
        : connection.receive(textOf(data));
      answered.finally(() => gate.leave()).catch((error) => this.#failed(socket, error));
    });
    const stopPings = keepAlive(socket);
    socket.on('close', () => {
      stopPings();
      gate.close();
      connection.close();
      this.#sockets.delete(socket);
    });
  }

  /** Tells every peer that the node stops, and waits at most `graceMs` for them to go. */
  async close(graceMs: number): Promise<void> {
    const gone = [...this.#sockets].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    for (const socket of this.#sockets) endSocket(socket, GOING_AWAY, 'the node stops', graceMs);
    await Promise.all(gone);
  }

  #failed(socket: WebSocket, error: unknown): void {
    this.#logger.error('a WebSocket failed', {
      cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    socket.terminate();
  }
}

/** Stops reading from a socket that has too much under way, or asks too fast. */
class ReadGate {
  readonly #socket: WebSocket;
  readonly #perSecond: number;
  #underWay = 0;
  #thisSecond = 0;
  #second: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, perSecond: number | undefined) {
    this.#socket = socket;
    this.#perSecond = perSecond ?? Number.POSITIVE_INFINITY;
  }

  enter(): void {
    this.#underWay++;
    this.#thisSecond++;
    if (Number.isFinite(this.#perSecond)) {
      this.#second ??= setTimeout(() => {
        this.#second = undefined;
        this.#thisSecond = 0;
        this.#settle();
      }, 1_000);
    }
    this.#settle();
  }

  leave(): void {
    this.#underWay--;
    this.#settle();
  }

  close(): void {
    clearTimeout(this.#second);
  }

  #settle(): void {
    const full = this.#underWay >= MAX_UNDER_WAY || this.#thisSecond >= this.#perSecond;
    if (full && !this.#socket.isPaused) this.#socket.pause();
    else if (!full && this.#socket.isPaused) this.#socket.resume();
  }
}

/** Ends a socket whose peer has not answered a ping by the next one. */
function keepAlive(socket: WebSocket): () => void {
  let alive = true;
  socket.on('pong', () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive) socket.terminate();
    else {
      alive = false;
      socket.ping();
    }
  }, PING_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function endSocket(socket: WebSocket, code: number, reason: string, lingerMs: number): void {
  socket.resume();
  socket.close(code, reason);
  const timer = setTimeout(() => socket.terminate(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return data instanceof ArrayBuffer ? Buffer.from(data).toString() : data.toString();
}

function binaryRefused(): PydeError {
  return new PydeError('rpc.request', 'a request is a text message, this one is binary');
}
