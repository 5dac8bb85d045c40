/**
 * A node of `pyde.toml` in this process: its key, chain, network, RPC and what watches it, put
 * together and taken apart in one order. It holds no rule of the chain.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { equalBytes, PydeError, toHex } from '@pyde/core/bytes';
import { falconVerifyBatch } from '@pyde/core/crypto';
import type { Logger } from '@pyde/core/platform';
import { type Genesis, genesisHash } from '@pyde/core/types';
import { NodeRuntime, type RuntimeOptions, systemClock, systemRandom } from '@pyde/platform-node';
import {
  markFor,
  type OpenedKey,
  openKeyFile,
  readKeyFile,
  validatorSigner,
} from '@pyde/platform-node/keys';
import { createNodeNetwork, type NetworkOptions } from '@pyde/platform-node/network';
import { Operation } from '@pyde/platform-node/operation';
import { PageServer, RpcServer } from '@pyde/platform-node/server';
import type { NodeConfig } from '../config/index.ts';
import { readGenesisFile } from '../genesis/index.ts';
import { removePid, requireKeyHere, writePid } from '../process/index.ts';

export type RunNodeErrorCode = 'node.no-seat' | 'node.folder' | 'node.key-moved';

export interface RunNodeOptions {
  readonly config: NodeConfig;
  /** Takes part with the key of the configuration; without it the node follows. */
  readonly password?: () => Promise<string>;
  /** The folder was put back from a copy. */
  readonly isRestored: boolean;
  readonly logger: Logger;
  /** As in `RuntimeOptions`, for runs with a faulty member. */
  readonly disguise?: RuntimeOptions['disguise'];
  /** Rules of the network that no configuration sets, for runs under attack on one machine. */
  readonly networkRules?: Pick<NetworkOptions, 'limits' | 'scoreRules'>;
}

export interface RunningNode {
  /** Rejects when the node cannot go on by itself. */
  readonly closed: Promise<void>;
  /** Takes back what was begun, in the other order. Safe to call twice. */
  stop(): Promise<void>;
}

/** @throws PydeError of whatever part cannot begin; nothing is left open then */
export async function runNode(options: RunNodeOptions): Promise<RunningNode> {
  const { config, logger } = options;
  const { folder } = config.node;
  const genesis = await readGenesisFile(config.chain.genesis);
  const key = await openKey(options, genesis);
  const operation = new Operation({ folder, clock: systemClock, logger });
  /** What is open, to be closed in the other order. */
  const endings: (() => Promise<void> | void)[] = [() => operation.stop()];
  const stop = async (): Promise<void> => {
    let fault: { readonly error: unknown } | undefined;
    for (const end of endings.splice(0).reverse()) {
      try {
        await end();
      } catch (error) {
        fault ??= { error };
      }
    }
    if (fault !== undefined) throw fault.error;
  };
  try {
    const runtime = await openRuntime(options, genesis, key, operation);
    endings.push(() => runtime.stop());
    writePid(folder);
    endings.push(() => removePid(folder));
    operation.attach(runtime);
    const { listen: pages } = config.metrics;
    const server = new RpcServer({
      backend: runtime,
      ...config.rpc.listen,
      logger,
      watch: operation.rpc,
      ...(pages === undefined ? { pages: operation.pages } : {}),
    });
    const bound = await server.start();
    endings.push(() => server.stop());
    if (pages !== undefined) {
      const pageServer = new PageServer({ pages: operation.pages, ...pages, logger });
      await pageServer.start();
      endings.push(() => pageServer.stop());
    }
    await runtime.run();
    const host = bound.host.includes(':') ? `[${bound.host}]` : bound.host;
    const rpcUrl = `http://${host}:${bound.port}`;
    logger.info('the node is up', {
      rpc: rpcUrl,
      peer: runtime.nodeInfo().peerId,
      wave: runtime.head().waveId,
      validator: key?.index ?? 'none',
    });
    return { closed: runtime.closed, stop };
  } catch (error) {
    // What broke first says more than what breaks on the way out.
    await stop().catch(() => {});
    throw error;
  }
}

interface SeatedKey {
  readonly opened: OpenedKey;
  readonly index: number;
}

async function openKey(
  { config, password }: RunNodeOptions,
  genesis: Genesis,
): Promise<SeatedKey | undefined> {
  if (password === undefined || config.validator === undefined) return undefined;
  requireKeyHere(config.node.folder);
  const { key: path } = config.validator;
  // Before the password is asked for.
  const index = seatOf(genesis, (await readKeyFile(path)).publicKey, path);
  return { opened: await openKeyFile(path, await password()), index };
}

/** @throws PydeError `node.no-seat` */
export function seatOf(genesis: Genesis, publicKey: Uint8Array, path: string): number {
  const index = genesis.validators.findIndex((v) => equalBytes(v.publicKey, publicKey));
  if (index >= 0) return index;
  throw new PydeError<RunNodeErrorCode>(
    'node.no-seat',
    `the key in ${path} is no validator of the genesis ${toHex(genesisHash(genesis))}; check both ` +
      'files, or start without --validator',
  );
}

function openRuntime(
  { config, isRestored, logger, disguise, networkRules }: RunNodeOptions,
  genesis: Genesis,
  key: SeatedKey | undefined,
  { watch }: Operation,
): Promise<NodeRuntime> {
  const { folder } = config.node;
  const { network } = config;
  const signer = key === undefined ? undefined : validatorSigner(key.opened, systemRandom);
  const importedMark = markFor(genesis, key?.opened.signed);
  const senderRatePerSecond = config.rpc.sender_rate;
  return NodeRuntime.open({
    folder: join(folder, 'db'),
    newGenesis: () => genesis,
    expectedGenesis: genesisHash(genesis),
    ...(signer === undefined ? {} : { signer }),
    clock: systemClock,
    logger,
    verificationThreads: availableParallelism() > 4 ? 2 : 1,
    isRestored,
    isArchive: config.node.archive,
    protocol: { upgrades: config.chain.upgrades },
    watch,
    ...(importedMark === undefined ? {} : { importedMark }),
    ...(disguise === undefined ? {} : { disguise }),
    ...(senderRatePerSecond === 0 ? {} : { senderRatePerSecond }),
    network: (context) =>
      createNodeNetwork({
        folder: join(folder, 'network'),
        genesis: context.genesis,
        ...(context.signer === undefined ? {} : { signer: context.signer }),
        random: systemRandom,
        clock: systemClock,
        logger,
        verify: falconVerifyBatch,
        listen: network.listen,
        ...(network.announce === undefined ? {} : { announce: network.announce }),
        seeds: network.seeds,
        dnsSeeds: network.dns_seeds,
        ...(network.sentries === undefined ? {} : { sentries: network.sentries }),
        ...(network.sentry_for === undefined
          ? {}
          : {
              sentryFor: network.sentry_for.map(({ peer_id, validator }) => ({
                peerId: peer_id,
                validator,
              })),
            }),
        ...networkRules,
        limits: { ...limitsOf(network), ...networkRules?.limits },
        ...(network.bandwidth_bytes_per_second === undefined
          ? {}
          : { bandwidthBytesPerSecond: network.bandwidth_bytes_per_second }),
      }),
  });
}

function limitsOf({
  max_connections,
  max_connections_per_ip,
  inbound_per_second,
}: NodeConfig['network']) {
  return {
    ...(max_connections === undefined ? {} : { maxConnections: max_connections }),
    ...(max_connections_per_ip === undefined ? {} : { maxPerHost: max_connections_per_ip }),
    ...(inbound_per_second === undefined ? {} : { newPerSecond: inbound_per_second }),
  };
}
