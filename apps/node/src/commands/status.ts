/** `pyde status`: one look at a node over RPC. */
import type { Command } from 'commander';
import { type Cli, examples } from '../program.ts';
import { statusLines, statusOf } from './node-status.ts';
import { answerOf, DEFAULT_RPC_URL } from './rpc-answer.ts';

export function define(command: Command, { output }: Cli): void {
  command
    .option('--rpc-url <url>', 'the node to ask', DEFAULT_RPC_URL)
    .option('--json', 'one JSON object')
    .action(async ({ rpcUrl }: { rpcUrl: string }) => {
      const status = await answerOf(rpcUrl, statusOf);
      output.answer(status, () => statusLines(status));
    });
  examples(command, 'status', 'status --rpc-url http://127.0.0.1:9934 --json');
}
