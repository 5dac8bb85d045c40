/**
 * A localnet under attack: 100 transfers a second go through all validators while one attack after
 * another is made on the first of them, each from an address of its own that is not the validators'.
 * Told of each: how long transactions took to their certificates, against the time before all
 * attacks; the target's memory; whether the attacker's address ended banned.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeLocalnet } from '../../apps/node/src/localnet/index.ts';
import { freeRpcBase } from '../../apps/node/src/testing.ts';
import type {
  AttackCounts,
  AttackName,
} from '../../platform-node/src/network/testing/hostile/index.ts';
import {
  FinalityWatch,
  latenciesOf,
  type PacedLoad,
  pace,
  percentile,
  TransferPlan,
} from '../bench/localnet-load.ts';
import { allocationsOf, localnetKeys, usageOf } from '../bench/localnet-net.ts';
import { Member } from '../chaos/members.ts';
import type { AttackOrder } from './attacker.ts';

export interface SiegeOptions {
  readonly attacks: readonly AttackName[];
  /** Of each attack, and of the time before them. */
  readonly seconds: number;
  readonly tps: number;
  /** Empty or new. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

export interface AttackReport {
  readonly attack: AttackName;
  readonly counts: AttackCounts;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Its p99 ÷ that of the time before. */
  readonly ratio: number;
  /** The target's, at most. */
  readonly residentMiB: number;
  readonly isBanned: boolean;
  /** Connections of strangers that the target held at most. */
  readonly held: number;
}

export interface SiegeReport {
  readonly seconds: number;
  readonly calm: { readonly p50Ms: number; readonly p99Ms: number; readonly residentMiB: number };
  readonly attacks: readonly AttackReport[];
  readonly violations: readonly string[];
}

const VALIDATORS = 4;
const SENDERS = 128;
const SETTLE_MS = 5_000;
/** Certificates of what was sent last. */
const TAIL_MS = 2_000;
const LOOK_EVERY_MS = 250;
const MOST_RATIO = 2;
const MOST_GROWTH_MIB = 200;
/** What one address may hold. */
const MOST_HELD = 8;
const ATTACKER_END_MS = 10_000;
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** Each attack has its own host: a ban of one says nothing of the next. */
const hostOf = (i: number): string => `127.66.${i + 1}.1`;
/** On bare TCP nobody has a name yet: such connections are refused by number, then by their host. */
const NAMELESS: ReadonlySet<AttackName> = new Set([
  'connection-crowd',
  'slow-connections',
  'rubbish-connections',
]);

export async function siege(options: SiegeOptions): Promise<SiegeReport> {
  const { folder } = options;
  mkdirSync(folder, { recursive: true });
  const keys = localnetKeys(SENDERS);
  const rpcBase = await freeRpcBase(VALIDATORS);
  const { localnet } = await makeLocalnet(
    {
      ...{ folder: join(folder, 'net'), validators: VALIDATORS, fullNodes: 0, rpcBase },
      moreAllocations: allocationsOf(keys),
    },
    () => {},
  );
  const members = localnet.validators.map(
    (json) => new Member(json, [at('./exposed-node.ts'), join(json.folder, 'pyde.toml')]),
  );
  const run = new Siege(options, members, new TransferPlan(keys, 0));
  try {
    for (const member of members) member.start();
    await Promise.all(members.map((member) => member.up()));
    await sleep(SETTLE_MS);
    return await run.run(join(folder, 'net', 'genesis.bin'));
  } finally {
    for (const { client } of members) client.close();
    await Promise.all(members.map((member) => member.kill()));
  }
}

class Siege {
  readonly #options: SiegeOptions;
  readonly #members: readonly Member[];
  readonly #plan: TransferPlan;
  readonly #violations: string[] = [];

  constructor(options: SiegeOptions, members: readonly Member[], plan: TransferPlan) {
    this.#options = options;
    this.#members = members;
    this.#plan = plan;
  }

  get #target(): Member {
    const [first] = this.#members;
    if (first === undefined) throw new Error('a localnet has validators');
    return first;
  }

  async run(genesis: string): Promise<SiegeReport> {
    const { seconds, say } = this.#options;
    // What comes first in a chain's life does not count.
    await this.#measure();
    const calm = await this.#measure();
    const [p50Ms, p99Ms] = [percentile(calm.ms, 0.5), percentile(calm.ms, 0.99)];
    say(
      `calm: p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms, ${calm.residentMiB.toFixed(0)} MiB`,
    );
    const { listen_addrs } = (await this.#target.client.call('pyde_getNodeInfo')) as {
      listen_addrs: string[];
    };
    const address = listen_addrs.find((one) => /\/tcp\/\d+\/p2p\//.test(one)) ?? '';
    const attacks: AttackReport[] = [];
    for (const [i, attack] of this.#options.attacks.entries()) {
      const config = join(this.#members[1]?.json.folder ?? '', 'pyde.toml');
      const order: AttackOrder = {
        ...{ name: attack, address, genesis, from: hostOf(i) },
        recorded: { validator: 1, config },
      };
      const before = await this.#metrics();
      const attacker = new Attacker(order);
      await attacker.begun();
      const found = await this.#measure();
      const counts = await attacker.end();
      const after = await this.#metrics();
      const p99 = percentile(found.ms, 0.99);
      const report: AttackReport = {
        ...{ attack, counts, p50Ms: percentile(found.ms, 0.5), p99Ms: p99 },
        ratio: p99 / p99Ms,
        residentMiB: found.residentMiB,
        isBanned: (after['banned_hosts'] ?? 0) > (before['banned_hosts'] ?? 0),
        held: found.held,
      };
      attacks.push(report);
      this.#judge(report, found.never, calm.residentMiB);
      say(
        `${attack}: p50 ${report.p50Ms.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms ` +
          `(${report.ratio.toFixed(2)} ×), ${report.residentMiB.toFixed(0)} MiB, held ` +
          `${report.held}, ${report.isBanned ? 'banned' : 'not banned'}; ${JSON.stringify(counts)}`,
      );
    }
    return {
      seconds,
      calm: { p50Ms, p99Ms, residentMiB: calm.residentMiB },
      attacks,
      violations: this.#violations,
    };
  }

  #judge(report: AttackReport, never: number, calmMiB: number): void {
    const { attack, ratio, residentMiB, isBanned, held, counts } = report;
    const fault = (what: string): void => {
      this.#violations.push(`${attack}: ${what}`);
    };
    const work = Object.values(counts).reduce((sum, count) => sum + count, 0);
    if (work === 0) fault('the attacker did nothing');
    if (!(ratio <= MOST_RATIO)) fault(`p99 was ${ratio.toFixed(2)} times that of calm`);
    if (never > 0) fault(`${never} transfers did not become final`);
    if (residentMiB > calmMiB + MOST_GROWTH_MIB) {
      fault(`the target took ${residentMiB.toFixed(0)} MiB, ${calmMiB.toFixed(0)} in calm`);
    }
    if (NAMELESS.has(attack) && held > MOST_HELD) fault(`${held} connections were held`);
    if (!isBanned) fault('its address was not banned');
    if ((counts['proven'] ?? 0) > 0) fault(`${counts['proven']} handshakes were believed`);
  }

  /** Under load for the whole time. */
  async #measure(): Promise<{
    readonly ms: readonly number[];
    readonly never: number;
    readonly residentMiB: number;
    readonly held: number;
  }> {
    const { seconds, tps } = this.#options;
    this.#plan.sign(Math.ceil((seconds * tps) / SENDERS) + 1);
    const clients = this.#members.map(({ client }) => client);
    const watches = await Promise.all(clients.map((client) => FinalityWatch.of(client)));
    let [residentMiB, held] = [0, 0];
    let isLooking = true;
    const looking = (async () => {
      while (isLooking) {
        residentMiB = Math.max(residentMiB, usageOf(this.#target.pid).residentBytes / 2 ** 20);
        const metrics = await this.#metrics();
        held = Math.max(held, metrics['connections_inbound_ordinary'] ?? 0);
        await sleep(LOOK_EVERY_MS);
      }
    })();
    const load: PacedLoad = await pace(this.#plan, clients, tps, seconds * 1_000);
    await sleep(TAIL_MS);
    isLooking = false;
    await looking;
    for (const [message, count] of load.refused) {
      this.#violations.push(`${count} transfers were refused: ${message}`);
    }
    const { ms, never } = await latenciesOf(load, watches);
    for (const client of clients) client.close();
    return { ms, never, residentMiB, held };
  }

  async #metrics(): Promise<Readonly<Record<string, number>>> {
    return (await this.#target.client.call('pyde_getMetrics')) as Record<string, number>;
  }
}

/** An attack in a process of its own. */
class Attacker {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #begun: Promise<void>;
  #out = '';

  constructor(order: AttackOrder) {
    this.#process = spawn(process.execPath, [at('./attacker.ts'), JSON.stringify(order)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#process.stdin?.on('error', () => {});
    this.#ended = once(this.#process, 'close');
    this.#begun = new Promise((resolve) => {
      this.#process.stdout?.on('data', (part) => {
        this.#out += String(part);
        resolve();
      });
    });
  }

  /** @throws Error when it ends instead */
  async begun(): Promise<void> {
    await Promise.race([
      this.#begun,
      this.#ended.then(() => {
        throw new Error('the attacker ended before it began');
      }),
    ]);
  }

  /** What it managed, as far as it has told. */
  async end(): Promise<AttackCounts> {
    this.#process.stdin?.end();
    const late = setTimeout(() => this.#process.kill('SIGKILL'), ATTACKER_END_MS);
    await this.#ended;
    clearTimeout(late);
    return JSON.parse(this.#out.split('\n').at(-2) ?? '{}') as AttackCounts;
  }
}
