import type { Events } from '../client/stats/events.ts'
import type { Model } from '../client/stats/model.ts'
import { type Notify, sdNotify } from './sd-notify.ts'

/** Keeps systemd informed of a proxy (Type=notify, sd_notify(3)); does nothing where systemd does not ask. */
export interface Notifier {
  /** It is ready: after its start, and after a reload, successful or not. */
  ready(): void
  reloading(): void
  stopping(): void
  close(): void
}

export interface NotifierOptions {
  events: Events
  model: Model
  env?: Record<string, string | undefined>
  notify?: Notify | undefined
}

export function startNotifier({
  events,
  model,
  env = process.env,
  notify = sdNotify(),
}: NotifierOptions): Notifier {
  if (!notify) return { ready() {}, reloading() {}, stopping() {}, close() {} }
  const everyMs = watchdogMs(env)
  const watchdog = everyMs === undefined ? undefined : setInterval(() => notify('WATCHDOG=1'), everyMs)
  let told = ''
  /** One line of what `systemctl status` shows. */
  const tellStatus = (text = statusOf(model)) => {
    if (text !== told) notify(`STATUS=${text}`)
    told = text
  }
  const unsubscribe = events.subscribe(event => {
    if (event.type === 'config.rejected') tellStatus('The last reload failed, and has changed nothing')
    else if (event.type === 'config.reloaded' || event.type.startsWith('exit.')) tellStatus()
  })
  return {
    ready: () => notify('READY=1'),
    reloading: () => notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`),
    stopping: () => notify('STOPPING=1', 'STATUS=Ending'),
    close() {
      clearInterval(watchdog)
      unsubscribe()
    },
  }
}

// --- internal ---

/** Half of what systemd allows between two signs of life (sd_watchdog_enabled(3)). */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: Record<string, string | undefined>): number | undefined {
  const micros = Number(WATCHDOG_USEC)
  const isOurs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid
  return isOurs && micros > 0 ? micros / 2_000 : undefined
}

function statusOf({ exits }: Model): string {
  const active = exits.filter(({ phase }) => phase === 'active')
  const addresses = active.flatMap(({ address }) => address ?? []).slice(0, 4)
  if (active.length === 0) return 'No exit is up'
  return `${active.length} ${active.length === 1 ? 'exit' : 'exits'}: ${addresses.join(', ')}${active.length > addresses.length ? ', …' : ''}`
}
