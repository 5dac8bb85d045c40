/** Asking a node over RPC: what it answers is not believed before its shape was checked. */
import { PydeError } from '@pyde/core/bytes';
import { RpcClient } from '@pyde/platform-node/client';
import { ValiError } from 'valibot';

export const DEFAULT_RPC_URL = 'http://127.0.0.1:9933';

/** @throws PydeError `rpc.*`; `rpc.response` when the answer is none of a Pyde node */
export async function answerOf<T>(url: string, ask: (client: RpcClient) => Promise<T>): Promise<T> {
  try {
    return await ask(new RpcClient(url));
  } catch (error) {
    if (!(error instanceof ValiError)) throw error;
    throw new PydeError(
      'rpc.response',
      `this is no answer of a Pyde node: ${error.message}; check --rpc-url`,
    );
  }
}
