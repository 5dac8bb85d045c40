export { forgetKeyMoved, markKeyMoved, requireKeyHere } from './key-moved.ts';
export { livePid, removePid, writePid } from './node-pid.ts';
export { stopSignal } from './stop-signal.ts';
