export const NODE_FLAGS: readonly string[];
export const NODE_ENVIRONMENT: Readonly<Record<string, string>>;
export function launch(name: string, launcher: string): Promise<void>;
