/** Requests to the RPC: how many, of which method, with what result, how fast. */
import type { CallWatch } from '@pyde/core/rpc';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ServerWatch } from '../server/index.ts';

const BUCKETS_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10];

export class RpcMetrics implements ServerWatch {
  readonly #requests: Counter<'method' | 'code'>;
  readonly #durations: Histogram<'method'>;
  readonly #limited: Counter;
  readonly #sockets: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'pyde_rpc_requests_total',
      help: 'Calls by method and by the code of their result, ok or that of the refusal',
      labelNames: ['method', 'code'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'pyde_rpc_duration_seconds',
      help: 'Time from a call to its answer, by method',
      labelNames: ['method'],
      buckets: BUCKETS_SECONDS,
      registers,
    });
    this.#limited = new Counter({
      name: 'pyde_rpc_rate_limited_total',
      help: 'Requests refused because their address asked too often',
      registers,
    });
    this.#sockets = new Gauge({
      name: 'pyde_rpc_sockets',
      help: 'Open WebSockets',
      registers,
    });
  }

  readonly called: CallWatch = (method) => {
    const beganMs = performance.now();
    return (code) => {
      this.#requests.inc({ method, code });
      this.#durations.observe({ method }, (performance.now() - beganMs) / 1_000);
    };
  };

  rateLimited(): void {
    this.#limited.inc();
  }

  sockets(open: number): void {
    this.#sockets.set(open);
  }
}
