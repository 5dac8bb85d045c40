/**
 * A validator that treats this machine as it would strangers: `pyde node --validator` to which no
 * address is exempt from limits and bans for being local. `exposed-node.ts CONFIG`.
 */
import { runChanged } from '../chaos/node-process.ts';

await runChanged(process.argv[2] ?? '', {
  networkRules: { limits: { exemptLocal: false }, scoreRules: { banLoopback: true } },
});
