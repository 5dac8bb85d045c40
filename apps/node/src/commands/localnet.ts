/**
 * `pyde localnet`: a network of validators on this machine, each a process of its own, until Ctrl-C
 * or SIGTERM. What else a newcomer needs (the funded accounts in the keystore, the genesis among the
 * accepted ones) is done once the network is up.
 */
import { resolve } from 'node:path';
import { toHex } from '@pyde/core/bytes';
import type { Genesis } from '@pyde/core/types';
import { devnetAccounts } from '@pyde/platform-node/devnet';
import { type Command, InvalidArgumentError } from 'commander';
import {
  LOCALNET_ACCOUNTS,
  LOCALNET_BALANCE,
  type LocalnetJson,
  MAX_RPC_BASE,
  makeLocalnet,
  runLocalnet,
} from '../localnet/index.ts';
import { EXIT, type Output, table, toFailure } from '../output/index.ts';
import { stopSignal } from '../process/index.ts';
import { type Cli, examples } from '../program.ts';

interface Options {
  readonly validators?: number;
  readonly fullNodes?: number;
  readonly dir: string;
  readonly rpcBase?: number;
  readonly autoImportWallets: boolean;
}

const DEFAULT_FOLDER = '.pyde/localnet';
const DEFAULT_BASE = 9_933;

export function define(command: Command, cli: Cli): void {
  command
    .option('--validators <n>', 'size of the committee (default: 4)', whole(1, 128))
    .option('--full-nodes <n>', 'nodes that follow (default: 0)', whole(0, 64))
    .option(
      '--dir <folder>',
      'keys, chain and logs; a localnet that is there goes on',
      DEFAULT_FOLDER,
    )
    .option(
      '--rpc-base <port>',
      `RPC of validator i is on this port + i (default: ${DEFAULT_BASE})`,
      whole(1_024, MAX_RPC_BASE),
    )
    .option('--no-auto-import-wallets', 'leave the keystore of otigen alone')
    .option('--json', 'one JSON event a line')
    .action((options: Options) => run(cli, options));
  examples(
    command,
    'localnet',
    'localnet --validators 7 --dir ./net --rpc-base 20000',
    'localnet --full-nodes 1',
  );
}

async function run(cli: Cli, options: Options): Promise<void> {
  const { output } = cli;
  const folder = resolve(options.dir);
  let killAll: () => void = () => {};
  const { signalled, stop: wish } = stopSignal(() => killAll());
  const stopped = new AbortController();
  void signalled.then(() => stopped.abort());

  const { localnet, genesis, fresh } = await makeLocalnet(
    {
      folder,
      validators: options.validators,
      fullNodes: options.fullNodes,
      rpcBase: options.rpcBase,
    },
    (what) => output.progress(what),
  );
  output.progress('');
  const net = await runLocalnet(
    folder,
    localnet,
    {
      progress: (what) => output.progress(what),
      died: ({ name, json, command }, { code, signal }, words) => {
        const how = signal === null ? `with code ${code}` : `by ${signal}`;
        const event = { name, folder: json.folder, code, signal, last_words: words };
        output.event(
          'node_died',
          event,
          `${output.paint('red', `${name} has ended`)} ${how}${words === '' ? '' : `: ${words}`}`,
        );
        output.event(
          'node_restart',
          { command },
          `  the others go on; to start it again: ${command}`,
        );
      },
    },
    stopped.signal,
  );
  killAll = () => net.kill();
  void net.allEnded.then(wish);
  if (!net.isMoving && !stopped.signal.aborted)
    output.warn(`no wave in half a minute; the logs are in ${folder}/*/node.log`);
  announce(output, net.localnet, { fresh, folder, dir: options.dir });
  if (options.autoImportWallets) await settleIn(output, genesis);
  await signalled;
  const wereUp = net.localnet.validators.length + net.localnet.full_nodes.length;
  output.progress(`stopping ${wereUp} nodes`);
  await net.stop();
  output.progress('');
  output.event('localnet_stopped', { folder }, 'stopped');
  // The addresses of nodes that were asked are kept open by the client.
  setTimeout(() => process.exit(EXIT.success), 1_000).unref();
}

function announce(
  output: Output,
  localnet: LocalnetJson,
  {
    fresh,
    folder,
    dir,
  }: { readonly fresh: boolean; readonly folder: string; readonly dir: string },
): void {
  const accounts = devnetAccounts(LOCALNET_ACCOUNTS).map(({ address }, i) => ({
    name: `devnet-${i}`,
    address: toHex(address),
  }));
  const { validators, full_nodes } = localnet;
  output.event('localnet_ready', { ...localnet, fresh, folder, accounts });
  if (output.isJson) return;
  const bold = (text: string) => output.paint('bold', text);
  const run = process.env['npm_lifecycle_event'] === undefined ? '' : 'npx ';
  const base = localnet.rpc_base;
  const node = base === DEFAULT_BASE ? '' : ` --rpc-url http://127.0.0.1:${base} --chain-id 31337`;
  const status = base === DEFAULT_BASE ? '' : ` --rpc-url http://127.0.0.1:${base}`;
  const rows = [...validators, ...full_nodes].map((each) => [
    `${validators.includes(each) ? 'validator' : 'full node'} ${each.index}`,
    each.rpc_url,
    each.p2p_addrs[0] ?? '',
    String(each.pid ?? ''),
  ]);
  const lines = [
    `${bold('Pyde localnet')}, chain ${localnet.chain_id}, ${validators.length} validators`,
    ...table([['node', 'RPC (WebSocket at /ws)', 'network', 'pid'], ...rows]).map((l) => `  ${l}`),
    `  folder    ${dir}${fresh ? '' : ', going on with the chain there'}; logs in */node.log`,
    `  accounts  ${accounts.length}, ${fresh ? `funded with ${LOCALNET_BALANCE / 10n ** 9n} PYDE each` : 'as the kept chain has them'}, password "devnet", keys public`,
    ...accounts.map(({ name, address }) => `    ${name}  ${address}`),
    '  try, in another terminal:',
    `    ${run}otigen wallet new alice`,
    `    ${run}otigen send alice 1_000_000_000 --from devnet-0${node}`,
    `    ${run}otigen balance alice --verify${node}`,
    `    ${run}pyde status${status}`,
    '  Ctrl-C stops all',
  ];
  for (const line of lines) process.stdout.write(`${line}\n`);
}

/** A fault here is told and stops nothing. */
async function settleIn(output: Output, genesis: Genesis): Promise<void> {
  try {
    const { adoptLocalChain } = await import('@pyde/otigen/local-chain');
    const { keystore, names } = await adoptLocalChain(genesis, 'pyde localnet on this machine');
    const added =
      names.length === 0 ? undefined : `  keystore  ${names.length} accounts added to ${keystore}`;
    output.event('localnet_wallets_imported', { names, keystore }, added);
  } catch (error) {
    output.warn(`the accounts are not in the keystore: ${toFailure(error).message}`);
  }
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
  };
}
