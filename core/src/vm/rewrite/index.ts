export { INTERNAL, STATUS } from './internal.ts';
