export { accountPassword, newPassword, passwordChange } from './password.ts';
export { orAsk } from './question.ts';
export { readStandardInput } from './standard-input.ts';
