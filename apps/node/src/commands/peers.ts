/** `pyde peers`: whom a node is connected to, as it tells its operator (`pyde_getPeers`). */
import type { Command } from 'commander';
import * as v from 'valibot';
import { printable, table } from '../output/index.ts';
import { type Cli, examples } from '../program.ts';
import { answerOf, DEFAULT_RPC_URL } from './rpc-answer.ts';

const Peers = v.array(
  v.object({
    peer_id: v.string(),
    validator: v.nullable(v.number()),
    address: v.string(),
    direction: v.string(),
    transport: v.string(),
    since_ms: v.number(),
    bytes_in: v.number(),
    bytes_out: v.number(),
    round_trip_ms: v.nullable(v.number()),
    score: v.number(),
  }),
);
type Peer = v.InferOutput<typeof Peers>[number];

const HEAD = [
  ...['validator', 'peer', 'direction', 'transport', 'address', 'up'],
  ...['received', 'sent', 'round trip', 'score'],
];

export function define(command: Command, { output }: Cli): void {
  command
    .option('--rpc-url <url>', 'the node to ask; it answers on its own machine', DEFAULT_RPC_URL)
    .option('--json', 'one JSON array')
    .action(async ({ rpcUrl }: { rpcUrl: string }) => {
      const peers = await answerOf(rpcUrl, async (client) =>
        v.parse(Peers, await client.call('pyde_getPeers', [])),
      );
      output.answer(peers, () => peerLines(peers, Date.now()));
    });
  examples(command, 'peers', 'peers --rpc-url http://127.0.0.1:9934 --json');
}

/** Validators first, then by peer id. */
export function peerLines(peers: readonly Peer[], nowMs: number): string[] {
  if (peers.length === 0) return ['no peers'];
  const sorted = [...peers].sort(
    (a, b) =>
      (a.validator ?? Number.POSITIVE_INFINITY) - (b.validator ?? Number.POSITIVE_INFINITY) ||
      (a.peer_id < b.peer_id ? -1 : 1),
  );
  const rows = sorted.map((peer) => [
    peer.validator === null ? '-' : String(peer.validator),
    ...[peer.peer_id, peer.direction, peer.transport, peer.address].map(printable),
    duration(nowMs - peer.since_ms),
    bytes(peer.bytes_in),
    bytes(peer.bytes_out),
    peer.round_trip_ms === null ? '-' : `${Math.round(peer.round_trip_ms)} ms`,
    String(Math.round(peer.score * 10) / 10),
  ]);
  return table([HEAD, ...rows]);
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const kib = count / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
