/** docs/protocol/contracts-wasm.md, "Instances", has the bounds as they are. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { STACK_BUDGET_SLOTS } from '../gas.ts';
import { MAX_CALL_DEPTH, MAX_LIVE_PAGES } from './machine.ts';
import { MemoryPool } from './memory-pool.ts';

const page = readFileSync(
  new URL('../../../../docs/protocol/contracts-wasm.md', import.meta.url),
  'utf8',
);
const inWords = (count: number): string => count.toLocaleString('en');

it('the page names the bounds of frames', () => {
  for (const row of [
    `| frames at once, the outermost among them | ${inWords(MAX_CALL_DEPTH)} |`,
    `| slots of stack, all frames together | ${inWords(STACK_BUDGET_SLOTS)} |`,
    `| pages of memory, all frames together | ${inWords(MAX_LIVE_PAGES)} |`,
  ]) {
    expect(page).toContain(row);
  }
});

it('the page names the bounds of the memory pool', () => {
  const kept = (minPages: number): MemoryPool['idle'] => {
    const pool = new MemoryPool();
    const shape = { minPages, maxPages: minPages };
    for (let i = 0; i < 40; i++) {
      pool.give(new WebAssembly.Memory({ initial: minPages, maximum: minPages }), shape);
    }
    return pool.idle;
  };
  const [most, mostPages] = [kept(1).memories, kept(32).pages];
  expect(page).toContain(`at most ${most} of them and ${mostPages} pages`);
});
