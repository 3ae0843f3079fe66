/** A line of `terraform plan -json` or `apply -json`: the fields that are used here. */
export type TerraformEvent =
  | { type: 'planned_change'; change: { resource: { addr: string }; action: string } }
  | { type: 'change_summary'; changes: { add: number; change: number; remove: number } }
  | { type: 'apply_start' | 'apply_progress' | 'apply_complete' | 'apply_errored'; hook: Hook }
  | { type: 'diagnostic'; diagnostic: { severity: string; summary: string; detail?: string } }

export interface Hook {
  resource: { addr: string }
  action?: string
  elapsed_seconds?: number
}

/** Reads such a line; undefined for other events, and for what is not JSON. */
export function readEvent(line: string): TerraformEvent | undefined {
  try {
    const event = JSON.parse(line) as { type?: unknown } | null
    return types.includes(String(event?.type)) ? (event as TerraformEvent) : undefined
  } catch {
    return undefined
  }
}

/** The event as a short line for a person, or undefined. */
export function showEvent(event: TerraformEvent): string | undefined {
  switch (event.type) {
    case 'planned_change':
      return `  ${marks[event.change.action] ?? event.change.action} ${event.change.resource.addr}`
    case 'apply_progress':
      return `  … ${event.hook.resource.addr} (${event.hook.elapsed_seconds} s so far)`
    case 'apply_complete':
      return `  ${marks[event.hook.action ?? ''] ?? ''} ${event.hook.resource.addr} done (${event.hook.elapsed_seconds} s)`
    case 'apply_errored':
      return `  ✖ ${event.hook.resource.addr} failed`
    default:
      return undefined
  }
}

/** The errors among diagnostics, in words; empty when there is none. */
export function errorText(events: readonly TerraformEvent[]): string {
  const errors = events.flatMap(event =>
    event.type === 'diagnostic' && event.diagnostic.severity === 'error' ? [event.diagnostic] : [],
  )
  const words = errors.map(({ summary, detail }) => (detail ? `${summary}\n${detail}` : summary))
  return [...new Set(words)].join('\n\n')
}

// --- internal ---

const types = [
  'planned_change',
  'change_summary',
  'apply_start',
  'apply_progress',
  'apply_complete',
  'apply_errored',
  'diagnostic',
]

const marks: Record<string, string> = { create: '+', update: '~', delete: '-', replace: '±' }
