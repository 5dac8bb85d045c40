/** Every assertion of the simulator catches what it is there for. */
import { describe, expect, it } from 'vitest';
import { accountKey, encodeAccount, ZERO_ACCOUNT } from '../account/index.ts';
import { PydeError } from '../bytes/index.ts';
import { frameMessage, openMessage } from '../consensus/index.ts';
import {
  type ExecutedSummary,
  encodeFeeState,
  FEE_STATE_KEY,
  readFeeState,
} from '../execution/index.ts';
import type { NodeEffect } from '../node/index.ts';
import { stateKeyBytes, TABLE, Table } from '../state/index.ts';
import { decodeTx, txHash } from '../tx/index.ts';
import {
  decodeVertex,
  encodeVertex,
  toAddress,
  toFalconSignature,
  toQuanta,
  vertexHash,
} from '../types/index.ts';
import { checkBounds } from './bounds.ts';
import { type SimOptions, simOptions } from './options.ts';
import type { SimReport } from './report.ts';
import type { Disguise, Seat } from './sim-node.ts';
import { Simulation } from './simulation.ts';

/** A node whose effects are tampered with after every step. */
function tampered(
  tamper: (effects: NodeEffect[], seat: Seat) => NodeEffect[],
): ReadonlyMap<number, Disguise> {
  const disguise: Disguise = {
    honest: true,
    wrap: ({ machine }, seat) => ({
      step: (event, now) => tamper(machine.step(event, now), seat),
    }),
  };
  return new Map([[1, disguise]]);
}

async function run(
  disguises: ReadonlyMap<number, Disguise>,
  options: Partial<SimOptions> = {},
): Promise<SimReport> {
  const given = { validators: 4, seconds: 2, signatures: 'keyed', ...options } as const;
  const simulation = await Simulation.open(simOptions(given), { disguises });
  return simulation.run();
}

const codesOf = ({ violations }: SimReport): string[] => violations.map(({ code }) => code);

/** Applies `change` to the n-th effect for which it has something else. */
function once(
  change: (effect: NodeEffect, seat: Seat) => NodeEffect[] | undefined,
): ReadonlyMap<number, Disguise> {
  let done = false;
  return tampered((effects, seat) =>
    effects.flatMap((effect) => {
      const changed = done ? undefined : change(effect, seat);
      done ||= changed !== undefined;
      return changed ?? [effect];
    }),
  );
}

describe('assertions', () => {
  it('agreement: a node that orders other transactions', async () => {
    const report = await run(
      once((effect) => {
        if (effect.kind !== 'execute') return undefined;
        const waves = effect.waves.map((wave) => ({ ...wave, transactions: [new Uint8Array(9)] }));
        return [{ ...effect, waves }];
      }),
    );
    expect(codesOf(report)).toEqual(['agreement']);
  });

  it('prefix: a node that leaves a wave out', async () => {
    const report = await run(
      once((effect) => {
        const isLong = effect.kind === 'execute' && (effect.waves[0]?.waveId ?? 0n) > 3n;
        if (!isLong) return undefined;
        return [effect, effect];
      }),
    );
    expect(codesOf(report)).toEqual(['prefix']);
  });

  it('roots: a node whose state is not that of the others', async () => {
    const disguise: Disguise = {
      honest: true,
      wrap: ({ machine, state }, { disk }) => {
        const fees = readFeeState(state);
        const bent = encodeFeeState({ ...fees, burned: fees.burned + 1n });
        const flat = new Table(disk, TABLE.state);
        disk.apply([flat.put(stateKeyBytes(FEE_STATE_KEY), bent)], true);
        return machine;
      },
    };
    const report = await run(new Map([[1, disguise]]));
    expect(codesOf(report)).toEqual(['roots']);
  });

  it('unsynced-vertex: a node that sends before it has written', async () => {
    const report = await run(
      tampered((effects) => [
        ...effects.filter(({ kind }) => kind !== 'persist'),
        ...effects.filter(({ kind }) => kind === 'persist'),
      ]),
    );
    expect(codesOf(report)).toEqual(['unsynced-vertex']);
  });

  it('unsynced-vertex: a node that writes and does not sync', async () => {
    const report = await run(
      tampered((effects) =>
        effects.map((effect) => (effect.kind === 'persist' ? { ...effect, sync: false } : effect)),
      ),
    );
    expect(codesOf(report)).toEqual(['unsynced-vertex']);
  });

  it('equivocation: a node that signs a second vertex of a round', async () => {
    const report = await run(
      once((effect, { signer }) => {
        if (effect.kind !== 'broadcast') return undefined;
        const { kind, bytes } = openMessage(effect.message);
        if (kind !== 'vertex') return undefined;
        const { signature: _, ...first } = decodeVertex(bytes);
        const second = { ...first, timestampMs: first.timestampMs + 1n };
        const signed = { ...second, signature: signer.sign(vertexHash(second)) };
        return [effect, { ...effect, message: frameMessage('vertex', encodeVertex(signed)) }];
      }),
    );
    expect(codesOf(report)).toEqual(['equivocation']);
  });

  it('certificate: a node that takes a signature for what it is not', async () => {
    const report = await run(
      once((effect) => {
        if (effect.kind !== 'finality') return undefined;
        const [first, ...rest] = effect.cert.signatures;
        if (first === undefined) return undefined;
        const bent = toFalconSignature(first.map((byte, i) => (i === 40 ? byte ^ 1 : byte)));
        return [{ ...effect, cert: { ...effect.cert, signatures: [bent, ...rest] } }];
      }),
    );
    expect(codesOf(report)).toEqual(['certificate']);
  });

  it('halt: an honest node that stops', async () => {
    const report = await run(
      once((effect) =>
        effect.kind === 'wave' ? [effect, { kind: 'halt', reason: 'told to' }] : undefined,
      ),
    );
    expect(codesOf(report)).toEqual(['halt']);
  });

  it('crash: a node that throws', async () => {
    const report = await run(
      tampered(() => {
        throw new Error('a defect');
      }),
    );
    expect(codesOf(report)).toEqual(['crash']);
    expect(report.violations[0]?.message).toContain('a defect');
  });

  it('no crash: a false member whose own node refuses is silent, and only that', async () => {
    const failing = (error: Error): ReadonlyMap<number, Disguise> => {
      let steps = 0;
      const disguise: Disguise = {
        honest: false,
        wrap: ({ machine }) => ({
          step: (event, now) => {
            if (++steps > 100) throw error;
            return machine.step(event, now);
          },
        }),
      };
      return new Map([[1, disguise]]);
    };
    const refusing = await run(failing(new PydeError('consensus.store', 'not its own store')));
    expect(codesOf(refusing)).toEqual([]);
    expect(refusing.waves).toBeGreaterThan(10);
    expect(codesOf(await run(failing(new Error('a defect'))))).toEqual(['crash']);
  });

  it('stranded: a node that acknowledges a transaction and forgets it', async () => {
    const disguise: Disguise = {
      honest: true,
      wrap: ({ machine }) => ({
        step: (event, now) => {
          if (event.kind !== 'submit') return machine.step(event, now);
          const hash = txHash(decodeTx(event.bytes));
          return [{ kind: 'reply', request: event.request, reply: { ok: true, hash } }];
        },
      }),
    };
    const report = await run(new Map([[1, disguise]]));
    expect(codesOf(report)).toEqual(['stranded']);
    expect(report.violations[0]?.node).toBe(1);
  });

  it('progress: two of four that send nothing', async () => {
    const silent: Disguise = {
      honest: true,
      wrap: ({ machine }) => ({
        step: (event, now) =>
          machine.step(event, now).filter(({ kind }) => kind !== 'broadcast' && kind !== 'send'),
      }),
    };
    const report = await run(
      new Map([
        [1, silent],
        [2, silent],
      ]),
    );
    expect(codesOf(report)).toEqual(['progress']);
    expect(report.waves).toBe(0);
  });

  it('execution-twice: a node that says of a transaction again that it ran', async () => {
    const simulation = await Simulation.open(
      simOptions({ validators: 4, seconds: 2, signatures: 'keyed' }),
    );
    const executed = simulation.executed.bind(simulation);
    let earlier: readonly ExecutedSummary[] = [];
    simulation.executed = (node, wave) => {
      const ran = wave.executed.length === 0 ? earlier : wave.executed;
      earlier = ran;
      executed(node, { ...wave, executed: ran });
    };
    const report = await simulation.run();
    expect(codesOf(report)).toEqual(['execution-twice']);
  });

  it('supply: quanta that came from nowhere', async () => {
    const simulation = await Simulation.open(
      simOptions({ validators: 4, seconds: 2, signatures: 'keyed' }),
    );
    const key = stateKeyBytes(accountKey(toAddress(new Uint8Array(32).fill(9))));
    const value = encodeAccount({ ...ZERO_ACCOUNT, balance: toQuanta(1n) });
    for (const { disk } of simulation.nodes) {
      disk.apply([new Table(disk, TABLE.state).put(key, value)], true);
    }
    const report = await simulation.run();
    expect(codesOf(report)).toEqual(['supply']);
  });

  it('bound: a queue that outgrew its own', () => {
    const sizes = {
      waitingWaves: 0,
      requestsInCheck: 0,
      poolTransactions: 0,
      poolBytes: 0,
      waitingEvents: 0,
      batchesInMemory: 0,
      bufferedVertices: 0,
    };
    checkBounds(0, sizes, 4);
    for (const of of Object.keys(sizes)) {
      expect(() => checkBounds(0, { ...sizes, [of]: 2 ** 40 }, 4)).toThrow(of);
    }
  });
});
