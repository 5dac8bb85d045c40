export { livePid, removePid, writePid } from './node-pid.ts';
export { stopSignal } from './stop-signal.ts';
