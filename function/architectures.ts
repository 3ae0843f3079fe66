/** Processors that Lambda has, by its own names, and what the QUIC engines call each on Amazon Linux 2023. */
export const platforms = { x86_64: 'linux-x64', arm64: 'linux-arm64' } as const

export type Architecture = keyof typeof platforms

export const architectures = Object.keys(platforms) as [Architecture, ...Architecture[]]

/** What the function's zip is called: a name without a processor's is that of x86_64. */
export const zipName = (architecture: Architecture): string =>
  architecture === 'x86_64' ? 'function.zip' : `function-${architecture}.zip`
