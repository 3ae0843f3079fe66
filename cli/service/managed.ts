import { closeSync, openSync } from 'node:fs'

/**
 * Whether a service manager runs this process, so that SIGHUP means a reload: it says so itself, or it is systemd's
 * (INVOCATION_ID, which what a person starts in a desktop's terminal inherits, too) and has no terminal.
 */
export function isManaged({ env }: { env: Record<string, string | undefined> } = process): boolean {
  if (env.LAMBDA_NAT_PROXY_SERVICE || env.NOTIFY_SOCKET) return true
  return env.INVOCATION_ID !== undefined && !hasTerminal()
}

// --- internal ---

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
