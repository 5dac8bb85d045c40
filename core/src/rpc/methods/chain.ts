/** The chain as a whole: its id, head, fees, and what this node says of itself. */
import { toHex, toQuantity } from '../../bytes/index.ts';
import { currentBaseFee } from '../../execution/index.ts';
import type { MethodTable } from './method.ts';

export const PROTOCOL_VERSION = 'pyde/1';

export const chainMethods: MethodTable = {
  pyde_chainId: { params: [], run: (backend) => toQuantity(backend.chainId) },
  pyde_waveId: { params: [], run: (backend) => toQuantity(backend.head().waveId) },
  pyde_getBaseFee: {
    params: [],
    run: (backend) => toQuantity(currentBaseFee(backend.state)),
  },
  pyde_getFeeData: {
    params: [],
    run: (backend) => ({
      base_fee: toQuantity(currentBaseFee(backend.state)),
      suggested_tip: '0x0',
    }),
  },
  pyde_getNodeInfo: {
    params: [],
    run: (backend) => {
      const info = backend.nodeInfo();
      const { peerId, falconPublicKey, listenAddrs, agentVersion } = info;
      return {
        peer_id: peerId,
        falcon_pubkey: falconPublicKey === undefined ? null : toHex(falconPublicKey),
        listen_addrs: listenAddrs,
        agent_version: agentVersion,
        protocol_version: PROTOCOL_VERSION,
        phase: info.phase,
      };
    },
  },
  pyde_getMetrics: { params: [], run: (backend) => backend.metrics() },
};
