export { accountPassword, newPassword, passwordChange, pastedSecret } from './password.ts';
export { orAsk } from './question.ts';
export { readStandardInput } from './standard-input.ts';
