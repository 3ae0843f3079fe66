import { printable } from '../../tunnel/net/printable.ts'
import type { Change, ProxyEvent } from '../client/stats/events.ts'

/** What a reload brought, for a person. */
export function reloadLines({
  applied,
  needRestart,
  logins,
}: Omit<Extract<ProxyEvent, { type: 'config.reloaded' }>, 'type'>): string[] {
  const people = (what: string, users: readonly string[]) =>
    users.length === 0 ? [] : [`Logins ${what}: ${users.map(user => printable(user)).join(', ')}`]
  const lines = [
    ...applied.map(change => `In effect now: ${inWords(change)}`),
    ...people('added', logins.added),
    ...people('removed', logins.removed),
    ...people('changed', logins.changed),
  ]
  return [
    ...(lines.length > 0 ? lines : ['Settings and logins were read again: nothing has changed']),
    ...needRestart.map(change => `Takes effect at the next start: ${inWords(change)}`),
  ]
}

// --- internal ---

const inWords = ({ key, from, to }: Change) => `${key} ${inText(to)} (was ${inText(from)})`

function inText(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'unset'
  return printable(Array.isArray(value) ? value.join(', ') : String(value))
}
