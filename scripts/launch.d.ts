export const NODE_FLAGS: Readonly<Record<'otigen devnet' | 'pyde node', readonly string[]>>;
export const NODE_ENVIRONMENT: Readonly<Record<string, string>>;
export function launch(name: string, launcher: string): Promise<void>;
