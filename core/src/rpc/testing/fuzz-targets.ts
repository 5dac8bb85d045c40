/** JSON-RPC texts against every method of a node with a short chain behind it. */
import { PydeError, toHex } from '../../bytes/index.ts';
import { bytesTarget, type FuzzTarget } from '../../bytes/testing/fuzz.ts';
import { mutateJson } from '../../bytes/testing/json-mutation.ts';
import { type Logger, silentLogger } from '../../platform/index.ts';
import { addressOf, wireBy } from '../../tx/testing.ts';
import { checkJsonBounds } from '../json-bounds.ts';
import { RpcService } from '../service.ts';
import { TestNode, transfer } from '../testing.ts';

/** What the service writes there is about an exception that no refusal is. */
const strictLogger: Logger = {
  ...silentLogger,
  error: (message, fields) => {
    throw new Error(`${message}: ${JSON.stringify(fields)}`);
  },
};

const node = await TestNode.start();
const hash = await node.send(0, transfer());
await node.wave();
await node.send(1, transfer());
const service = new RpcService(node, strictLogger);

const address = toHex(addressOf(0));
const slot = `0x${'01'.repeat(32)}`;
const raw = toHex(wireBy(2, transfer()));
const position = { wave_id: '0x1', tx_index: '0x0' };
const call = { from: address, to: toHex(addressOf(1)), data: '0x', value: '0x5', gas: '0x5208' };

const CALLS: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
  pyde_chainId: [[]],
  pyde_waveId: [[]],
  pyde_getBaseFee: [[]],
  pyde_getFeeData: [[]],
  pyde_getNodeInfo: [[]],
  pyde_getMetrics: [[]],
  pyde_getBalance: [[address], [address, '0x1']],
  pyde_getNonce: [[address]],
  pyde_getTransactionCount: [[address, 1]],
  pyde_getAccount: [[address]],
  pyde_getContractCode: [[address]],
  pyde_getStorageSlot: [[address, slot], [{ address, slot }]],
  pyde_getContractState: [[{ address, slots: [slot] }]],
  pyde_resolveName: [['shop']],
  pyde_getValidator: [[address]],
  pyde_getOperatorValidators: [[toHex(addressOf(1))]],
  pyde_getLogs: [
    [{ from_wave: 2, to_wave: 1 }],
    [{ from_wave: 0, to_wave: 5_001 }],
    [
      {
        from_wave: 0,
        to_wave: '0x1',
        topics: [null, [slot]],
        contracts: [address],
        cursor: { ...position, event_index: 0 },
        limit: 10,
      },
    ],
  ],
  pyde_getEvents: [[], [{ fromWave: 0, toWave: '0x1', contract: address }]],
  pyde_getProof: [
    [{ address, slots: [slot], wave: 1 }],
    [{ address }],
    [{ address, keys: [slot] }],
    [{ keys: [`0x00${'02'.repeat(64)}`, `0x05${'02'.repeat(64)}`] }],
    [{ keys: ['0x'] }],
    [{ address, wave: 9 }],
  ],
  pyde_getTxProof: [[hash], [position], [slot], [{ wave_id: 9, tx_index: 0 }]],
  pyde_getEventProof: [[slot]],
  pyde_getRounds: [[0, 5]],
  pyde_call: [[call]],
  pyde_simulateTransaction: [[raw]],
  pyde_estimateGas: [[call], [{ to: address }]],
  pyde_estimateAccess: [[call]],
  pyde_getSnapshotManifest: [[]],
  pyde_getSnapshot: [[]],
  pyde_traceTransaction: [[hash]],
  pyde_sendRawTransaction: [[raw]],
  pyde_getTx: [[hash]],
  pyde_getReceipt: [[hash]],
  pyde_getTransactionStatus: [[hash]],
  pyde_getWaveTransactions: [[1, position, 5]],
  pyde_getAccountTransactions: [[address, position, 5]],
  pyde_getWave: [[], ['0x1']],
  pyde_getHardFinalityCert: [[1]],
  pyde_subscribe: [
    ['newWaves'],
    ['finality'],
    ['logs'],
    ['logs', { from_wave: 0, to_wave: 5 }],
    ['logs', { topics: [[slot]], contracts: [address] }],
  ],
  pyde_unsubscribe: [['0x1']],
  pyde_none: [[]],
};

const requests = Object.entries(CALLS).flatMap(([method, calls]) =>
  calls.map((params, i) => ({ jsonrpc: '2.0', id: i, method, params })),
);
const utf8 = new TextEncoder();
const seeds = [
  ...requests,
  requests.slice(0, 3),
  [{ jsonrpc: '2.0', method: 'pyde_chainId' }],
  [{ jsonrpc: '2.0', method: 'pyde_chainId' }, requests[0]],
  { jsonrpc: '2.0', method: 'pyde_chainId' },
  { jsonrpc: '2.0', id: 'a', method: 'pyde_chainId', params: {} },
].map((request) => utf8.encode(JSON.stringify(request)));

/** Sends on a connection, which knows the methods of requests and those of subscriptions. */
async function answerTo(text: string): Promise<string | undefined> {
  const sent: string[] = [];
  const sink = { send: (one: string) => sent.push(one), buffered: () => 0, close: () => undefined };
  const connection = service.connect(sink);
  try {
    await connection.receive(text);
  } finally {
    connection.close();
  }
  if (sent.length > 1) throw new Error(`${sent.length} texts answer one`);
  return sent[0];
}

/** Every answer must be one of JSON-RPC, and none may be that of a defect. */
function checkAnswer(text: string): void {
  const answer: unknown = JSON.parse(text);
  for (const one of Array.isArray(answer) ? answer : [answer]) {
    if (one.jsonrpc !== '2.0' || !('id' in one)) throw new Error(`no answer: ${text}`);
    if ('result' in one) continue;
    const { code, message, data } = one.error;
    if (code === -32603 || typeof message !== 'string') throw new Error(`no refusal: ${text}`);
    if (typeof data.code !== 'string') throw new Error(`no code: ${text}`);
  }
}

/** The fields of JSON are not those of Borsh: `mutateJson` knows them. */
const noFields = (): undefined => undefined;

const answers = (length: number) => ({
  largest: (4 << 20) + 8 * length,
  total: (64 << 20) + 64 * length,
});

export const rpcTargets: readonly FuzzTarget[] = [
  bytesTarget({
    name: 'JSON-RPC text',
    seeds,
    layout: noFields,
    decode: async (bytes) => {
      const answer = await answerTo(new TextDecoder().decode(bytes));
      if (answer !== undefined) checkAnswer(answer);
    },
    craft: mutateJson,
    bound: answers,
    share: 1.5,
  }),
  bytesTarget({
    name: 'JSON-RPC parameters',
    seeds: requests.map(({ params }, i) => utf8.encode(JSON.stringify({ i, params }))),
    layout: noFields,
    // The method stays: what is changed are its parameters.
    decode: async (bytes) => {
      const { method, params } = requestOf(new TextDecoder().decode(bytes));
      const answer = await answerTo(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
      if (answer !== undefined) checkAnswer(answer);
    },
    craft: mutateJson,
    bound: answers,
    share: 2,
  }),
  bytesTarget({
    name: 'bounds of a JSON text',
    seeds: [...seeds, utf8.encode('"\\\\\\"é€💥"')],
    decode: (bytes) => checkJsonBounds(new TextDecoder().decode(bytes)),
    // Seldom as large as the bound, and not all of them above it.
    craft: (random, seed) =>
      random.oneIn(150)
        ? utf8.encode(
            random.pick(['x', 'é', '€', '💥']).repeat(random.pick([1 << 20, 3 << 20, 6 << 20])),
          )
        : mutateJson(random, seed),
  }),
];

function requestOf(text: string): { readonly method: string; readonly params: unknown } {
  try {
    const { i, params } = JSON.parse(text);
    return { method: requests[i]?.method ?? 'pyde_none', params };
  } catch {
    throw new PydeError('fuzz.no-call', 'the case is no list of parameters');
  }
}
