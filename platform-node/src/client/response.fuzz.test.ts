/** What a node answers, against docs/protocol/fuzzing.md. */
import { describe, expect, it } from 'vitest';
import { budgetOf, bytesTarget } from '../../../core/src/bytes/testing/fuzz.ts';
import { mutateJson } from '../../../core/src/bytes/testing/json-mutation.ts';
import { parseJson, resultOf } from './response.ts';

const utf8 = new TextEncoder();
const seeds = [
  { jsonrpc: '2.0', id: 1, result: { wave_id: '0x1' } },
  { jsonrpc: '2.0', id: 1, result: null, error: null },
].map((answer) => utf8.encode(JSON.stringify(answer)));
const refusal = utf8.encode(
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32000, message: 'no', data: { code: 'tx.size', details: { size: 3, x: [] } } },
  }),
);

const target = bytesTarget({
  name: 'answer of a node',
  seeds,
  layout: () => undefined,
  decode: (bytes) => resultOf(parseJson(new TextDecoder().decode(bytes), 'here'), 'here'),
  craft: (random, seed) => mutateJson(random, random.oneIn(2) ? refusal : seed),
});

describe('the reader of answers keeps its rules on hostile input', () => {
  it('answer of a node', async () => {
    const { cases, accepted, refusals } = await target.run(budgetOf(target, process.env));
    expect(cases).toBeGreaterThan(accepted);
    expect([...refusals.keys()]).toEqual(expect.arrayContaining(['rpc.response', 'rpc.refused']));
  }, 0);
});
