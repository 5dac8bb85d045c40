/**
 * `npm run bench -- [name …] [--json FILE]`: measures, prints a table, and with --json writes rows
 * of name, value, unit, what it is compared with in the same run, and the ratio to it. Without
 * names it runs all but the longest. docs/performance.md says how to read the figures.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What ran beside it in the same process, if anything, and value ÷ that one's value. */
  readonly comparedWith?: string;
  readonly ratio?: number;
}

const BENCHES: Record<string, () => Promise<{ run(): Promise<Row[]> }>> = {
  falcon: () => import('./bench/falcon.ts'),
  poseidon2: () => import('./bench/poseidon2.ts'),
  blake3: () => import('./bench/blake3.ts'),
  jmt: () => import('./bench/jmt.ts'),
  'transfer-execution': () => import('./bench/transfer-execution.ts'),
  vm: () => import('./bench/vm.ts'),
  consensus: () => import('./bench/consensus.ts'),
  'devnet-start': () => import('./bench/devnet-start.ts'),
  'devnet-sequential': () => import('./bench/devnet-sequential.ts'),
  'devnet-load': () => import('./bench/devnet-load.ts'),
  localnet: () => import('./bench/localnet.ts'),
  'localnet-soak': () => import('./bench/localnet-soak.ts'),
};

/** Takes half an hour: only when it is named. */
const LONG: ReadonlySet<string> = new Set(['localnet-soak']);

/** One name for several. */
const GROUPS: Record<string, readonly string[]> = {
  devnet: ['devnet-start', 'devnet-sequential', 'devnet-load'],
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  allowPositionals: true,
});
const named = positionals.flatMap((name) => GROUPS[name] ?? [name]);
const unknown = named.filter((name) => !(name in BENCHES));
if (values.help === true || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no benchmark is called ${unknown.join(', ')}`);
  const names = [...Object.keys(BENCHES), ...Object.keys(GROUPS)];
  console.error(`usage: npm run bench -- [${names.join(' | ')}] [--json FILE]`);
  process.exit(unknown.length > 0 ? 1 : 0);
}

const rows: Row[] = [];
const byDefault = Object.keys(BENCHES).filter((name) => !LONG.has(name));
for (const name of named.length > 0 ? new Set(named) : byDefault) {
  const bench = await BENCHES[name]?.();
  if (bench === undefined) continue;
  console.error(`… ${name}`);
  for (const row of await bench.run()) {
    rows.push(row);
    const value = row.value >= 100 ? Math.round(row.value).toString() : row.value.toFixed(2);
    const compared =
      row.ratio === undefined ? '' : `   ${row.ratio.toFixed(1)} × ${row.comparedWith ?? ''}`;
    console.log(`${row.name.padEnd(48)} ${value.padStart(12)} ${row.unit.padEnd(10)}${compared}`);
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
process.exit(0);
