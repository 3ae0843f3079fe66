import { defineCommand } from 'citty'
import { printable } from '../../tunnel/net/printable.ts'
import type { Which } from '../client/fleet/requests.ts'
import { findProxy, type RunningProxy } from '../control/ask.ts'
import { ControlError } from '../control/control-error.ts'
import type { ExitReport } from '../control/exit-report.ts'
import type { Operations } from '../control/operations.ts'
import { UsageError } from '../input/usage-error.ts'
import { describe } from '../output/help.ts'
import { formatOf, formatOptions, print } from '../output/print.ts'
import { nameIn, proxyOption, proxyPort, siteIn } from './proxy-option.ts'

export default defineCommand({
  meta: describe({
    name: 'rotate',
    description: 'Replace exits of the running proxy with new ones. Open connections may finish.',
    exits: { failed: 'no proxy runs, or it has no such exit' },
    examples: [
      ['rotate --all --wait', 'New addresses for everything; ends when they are in use'],
      ['rotate --site example.com', 'Replace the exit that example.com used last'],
    ],
  }),
  args: {
    exit: { type: 'string', valueHint: 'id', description: 'The exit with this id, as "exits" lists it' },
    region: { type: 'string', valueHint: 'name', description: 'All exits in this region' },
    site: { type: 'string', valueHint: 'example.com', description: 'The exit that this site used last' },
    all: { type: 'boolean', default: false, description: 'All exits' },
    wait: { type: 'boolean', default: false, description: 'Wait until their replacements serve' },
    ...proxyOption,
    ...formatOptions,
  },
  async run({ args }) {
    const format = formatOf(args)
    const which = whichOf(args)
    const proxy = await findProxy(proxyPort(args.proxy))
    const { rotating } = await proxy.ask('rotate', which)
    const report = args.wait ? { rotating, active: await replaced(proxy, rotating) } : { rotating }
    print<Report>(report, format, human)
  },
})

// --- internal ---

function whichOf({
  exit,
  region,
  site,
  all,
}: Record<'exit' | 'region' | 'site', string | undefined> & { all: boolean }): Which {
  const given: Which[] = [
    ...(exit === undefined ? [] : [{ exit: nameIn(exit, '--exit') }]),
    ...(region === undefined ? [] : [{ region: nameIn(region, '--region') }]),
    ...(site === undefined ? [] : [{ site: siteIn(site, '--site') }]),
    ...(all ? [{ all: true as const }] : []),
  ]
  const [which] = given
  if (which && given.length === 1) return which
  throw new UsageError(`give one of --exit, --region, --site and --all${which ? ' alone' : ''}`)
}

/** `active`: those that serve when the replacements are up. */
type Report = Operations['rotate']['output'] & { active?: ExitReport[] }

/** A launch takes seconds, but the budget may put it off for a minute. Milliseconds. */
const limitMs = 120_000
const lookEveryMs = 250

/** Waits until none of these takes new connections. Throws a ControlError when that takes too long. */
async function replaced(proxy: RunningProxy, old: readonly ExitReport[]): Promise<ExitReport[]> {
  const ids = new Set(old.map(({ id }) => id))
  for (const limit = performance.now() + limitMs; performance.now() < limit; await Bun.sleep(lookEveryMs)) {
    const active = (await proxy.ask('exits', {})).filter(({ phase }) => phase === 'active')
    if (active.length > 0 && !active.some(({ id }) => ids.has(id))) return active
  }
  throw new ControlError('E_ROTATE_TIMEOUT', `no replacement was up within ${limitMs / 1000} s`, {
    hint: 'The old exits stay in use. The output of the proxy says why its launches fail.',
  })
}

function human({ rotating, active }: Report): string {
  if (rotating.length === 0) return 'No active exit matches: the next connections use others already.'
  const line = (what: string) => (exit: ExitReport) =>
    `${what} ${exit.id} in ${exit.region}: ${printable(exit.address ?? '')}`
  return [...rotating.map(line('Replacing exit')), ...(active ?? []).map(line('Now in use: exit'))].join('\n')
}
