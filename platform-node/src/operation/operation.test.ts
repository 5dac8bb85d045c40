import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogFields, Logger } from '@pyde/core/platform';
import { ManualClock, silentLogger } from '@pyde/core/platform';
import { toNonce, toQuanta, toRound, toTxHash, toValidatorIndex } from '@pyde/core/types';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wireBy } from '../../../core/src/tx/testing.ts';
import { PageServer } from '../server/index.ts';
import { Operation } from './index.ts';
import { TestSource, WELL } from './testing.ts';

type Line = readonly [level: string, message: string, fields: LogFields];

let folder: string;
let operation: Operation;
let source: TestSource;
let clock: ManualClock;
let lines: Line[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pyde-operation-'));
  source = await TestSource.start();
  clock = new ManualClock(Number(source.genesis.timestampMs));
  lines = [];
  operation = open();
});
afterEach(() => {
  operation.stop();
  rmSync(folder, { recursive: true, force: true });
});

function open(): Operation {
  const note =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push([level, message, fields]);
    };
  const logger: Logger = { ...silentLogger, info: note('info'), warn: note('warn') };
  return new Operation({ folder, clock, logger });
}

async function page(path: string) {
  const answer = await operation.pages.get(path)?.();
  if (answer === undefined) throw new Error(`there is a page ${path}`);
  return answer;
}

/** Every sample by its name and labels. */
async function samples(): Promise<Map<string, number>> {
  const text = await operation.registry.metrics();
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

const transfer = (nonce: bigint): Uint8Array =>
  wireBy(0, { value: toQuanta(1n), nonce: toNonce(nonce) });

describe('the log', () => {
  it('has one line a wave, with the way from its anchor to execution and to its certificate', async () => {
    operation.attach(source);
    clock.advance(130);
    const record = await source.wave([transfer(0n)]);
    expect(lines).toEqual([]);
    clock.advance(45);
    source.certify(record);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toEqual([
      'info',
      'wave',
      expect.objectContaining({
        wave: 1n,
        epoch: 0,
        round: 1,
        transactions: 1,
        gas: 21_000n,
        executed_ms: 30,
        certified_ms: 75,
        blake3: expect.stringMatching(/^[0-9a-f]{8}$/),
      }),
    ]);
  });

  it('writes a wave whose certificate does not come, and all at the end', async () => {
    operation.attach(source);
    for (let i = 0; i < 40; i++) await source.wave([]);
    expect(lines).toHaveLength(8);
    expect(lines[0]?.[2]).toMatchObject({ wave: 1n, certified_ms: null });
    operation.stop();
    expect(lines).toHaveLength(40);
  });

  it('has one line a second while the node comes back', async () => {
    operation.attach(source);
    source.now = { ...WELL, phase: 'waves' };
    for (let i = 0; i < 100; i++) {
      await source.wave([]);
      clock.advance(25);
    }
    expect(lines.map(([, message]) => message)).toEqual(['catching up', 'catching up']);
    expect(lines[0]?.[2]).toMatchObject({ from: 1n, to: 41n });
    expect(
      (await samples()).get('pyde_stage_duration_seconds_count{stage="anchor-to-executed"}'),
    ).toBe(0);
  });

  it('warns of an upgrade that this software cannot follow, at the start and with every epoch', async () => {
    const unsupported = { version: 2, epoch: 7 };
    source.now = { ...WELL, protocol: { ...WELL.protocol, next: unsupported, unsupported } };
    operation.attach(source);
    await source.wave([]);
    await source.wave([]);
    const warnings = () => lines.filter(([level]) => level === 'warn');
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]?.[2]).toMatchObject({ upgrade_epoch: 7, upgrade_version: 2 });
    expect((await samples()).get('pyde_upgrade_required_epoch')).toBe(7);
  });
});

describe('the metrics', () => {
  it('say where the node stands, and count what waves bring', async () => {
    source.figures = {
      events_queued: 5,
      transactions_pending: 6,
      links_live: 3,
      link_in_vertex_bytes: 100,
      link_out_want_vertices_bytes: 50,
      link_queue_bulk_bytes: 7,
      link_dropped_consensus: 8,
      banned_peers: 9,
      gossip_rejected: 10,
      heap_bytes: 11,
    };
    source.connected = [
      { validator: toValidatorIndex(1), direction: 'inbound', transport: 'tcp' },
      { direction: 'outbound', transport: 'quic' },
    ];
    operation.attach(source);
    await source.wave([transfer(0n), transfer(1n)]);
    const record = await source.wave([], { priorAnchorRound: toRound(2), anchorRound: toRound(6) });
    clock.advance(2_200);
    source.certify(record);
    operation.watch.equivocation();
    const found = await samples();
    const values = Object.entries({
      pyde_wave: 2,
      pyde_certified_wave: 2,
      pyde_finality_lag_waves: 0,
      pyde_finality_lag_seconds: 2,
      pyde_round: 13,
      pyde_own_round: 12,
      'pyde_phase{phase="following"}': 1,
      pyde_waves_total: 2,
      pyde_transactions_total: 2,
      pyde_gas_used_total: 42_000,
      pyde_skipped_anchors_total: 3,
      pyde_equivocations_total: 1,
      pyde_halted: 0,
      'pyde_messages_refused_total{code="consensus.signature"}': 4,
      'pyde_queue_length{queue="events"}': 5,
      pyde_mempool_transactions: 6,
      pyde_links: 3,
      'pyde_received_bytes_total{type="vertex"}': 100,
      'pyde_sent_bytes_total{type="want_vertices"}': 50,
      'pyde_link_queue_bytes{class="bulk"}': 7,
      'pyde_link_dropped_messages_total{class="consensus"}': 8,
      'pyde_bans{of="peers"}': 9,
      'pyde_network_figure{name="gossip_rejected"}': 10,
      'pyde_peers{kind="validator"}': 1,
      'pyde_peers{kind="outbound"}': 1,
      'pyde_connections{transport="quic"}': 1,
      pyde_starts_total: 1,
    });
    for (const [name, value] of values) expect([name, found.get(name)]).toEqual([name, value]);
    expect([...found.keys()].filter((name) => name.includes('heap_bytes"'))).toEqual([]);
    expect(found.has('pyde_upgrade_required_epoch')).toBe(false);
  });

  it('time every stage', async () => {
    operation.attach(source);
    const hash = toTxHash(new Uint8Array(32).fill(3));
    source.pending.add(hash.join());
    operation.watch.admitted(hash, 4);
    operation.watch.took('store-write', 2);
    clock.advance(150);
    await source.wave([transfer(0n)]);
    source.pending.clear();
    clock.advance(100);
    const record = await source.wave([transfer(1n)]);
    clock.advance(50);
    source.certify(record);
    const found = await samples();
    const of = (stage: string, what: string): number | undefined =>
      found.get(`pyde_stage_duration_seconds_${what}{stage="${stage}"}`);
    expect(of('submit-to-admitted', 'sum')).toBeCloseTo(0.004);
    expect(of('store-write', 'count')).toBe(1);
    expect(of('admitted-to-executed', 'sum')).toBeCloseTo(0.25);
    expect(of('anchor-to-executed', 'count')).toBe(2);
    expect(of('executed-to-certified', 'sum')).toBeCloseTo(0.05 + 0.15);
    expect(of('anchor-to-certified', 'sum')).toBeCloseTo(0.1 + 0.2);
    expect(of('signature-check', 'count')).toBe(0);
  });

  it('are made once for all who ask within a second', async () => {
    operation.attach(source);
    const first = await page('/metrics');
    await source.wave([]);
    expect((await page('/metrics')).body).toBe(first.body);
    expect(first.type).toContain('text/plain');
  });

  it('count the starts on a folder', async () => {
    for (const _ of [2, 3]) {
      operation.stop();
      operation = open();
    }
    expect((await samples()).get('pyde_starts_total')).toBe(3);
  });
});

describe('the pages', () => {
  it('are live until the node halts', async () => {
    expect(await page('/health')).toMatchObject({ status: 200 });
    operation.attach(source);
    expect(JSON.parse((await page('/health')).body)).toEqual({ live: true, phase: 'following' });
    source.now = { ...WELL, halted: 'epoch 7 runs by protocol version 2' };
    const halted = await page('/health');
    expect(halted.status).toBe(503);
    expect(JSON.parse(halted.body)).toEqual({
      live: false,
      reason: 'epoch 7 runs by protocol version 2',
    });
  });

  it('are ready when caught up, and say why not in JSON', async () => {
    const reasons = async (): Promise<string[]> => {
      const { status, body } = await page('/ready');
      const answer = JSON.parse(body);
      expect([status, answer.ready]).toEqual(
        answer.reasons.length === 0 ? [200, true] : [503, false],
      );
      return answer.reasons.map(({ code }: { code: string }) => code);
    };
    expect(await reasons()).toEqual(['opening']);
    operation.attach(source);
    expect(await reasons()).toEqual(['no-wave']);
    await source.wave([]);
    expect(await reasons()).toEqual([]);
    source.now = { ...WELL, phase: 'joining' };
    expect(await reasons()).toEqual(['catching-up']);
    source.now = WELL;
    clock.advance(11_000);
    expect(await reasons()).toEqual(['stale']);
  });

  it('want links to a quorum from a validator, and from no other node', async () => {
    const [validator] = source.genesis.validators;
    if (validator === undefined) throw new Error('genesis has a validator');
    const genesis = { ...source.genesis, validators: [validator, validator, validator, validator] };
    Object.defineProperty(source, 'genesis', { value: genesis });
    operation.attach(source);
    await source.wave([]);
    const link = (index: number) =>
      ({ validator: toValidatorIndex(index), direction: 'inbound', transport: 'tcp' }) as const;
    source.connected = [link(1), link(1)];
    const { body } = await page('/ready');
    expect(JSON.parse(body).reasons[0]).toEqual({
      code: 'links',
      message: 'there are links to 1 other validators, and a quorum needs 2',
    });
    source.connected = [link(1), link(2)];
    expect((await page('/ready')).status).toBe(200);
    source.connected = [];
    source.now = { ...WELL, isValidator: false };
    expect((await page('/ready')).status).toBe(200);
  });

  it('are served on a port of their own', async () => {
    operation.attach(source);
    const logger = silentLogger;
    const server = new PageServer({ pages: operation.pages, host: '127.0.0.1', port: 0, logger });
    const { port } = await server.start();
    try {
      const at = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
      const metrics = await at('/metrics');
      expect(metrics.headers.get('content-type')).toBe(operation.registry.contentType);
      expect(await metrics.text()).toContain('pyde_build_info{version="pyde/0.1.0"');
      expect((await at('/health')).status).toBe(200);
      expect((await at('/ready')).status).toBe(503);
      const unknown = await at('/');
      expect([unknown.status, await unknown.text()]).toEqual([
        404,
        'There is /metrics /health /ready here.\n',
      ]);
    } finally {
      await server.stop();
    }
  });
});
