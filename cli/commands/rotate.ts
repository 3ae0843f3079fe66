import { defineCommand } from 'citty'
import { printable } from '../../tunnel/net/printable.ts'
import type { Which } from '../client/fleet/requests.ts'
import { findProxy } from '../control/ask.ts'
import type { Operations } from '../control/operations.ts'
import { UsageError } from '../input/usage-error.ts'
import { describe } from '../output/help.ts'
import { formatOf, formatOptions, print } from '../output/print.ts'
import { proxyOption, proxyPort } from './proxy-option.ts'

export default defineCommand({
  meta: describe({
    name: 'rotate',
    description: 'Replace exits of the proxy that runs by new ones; what is open on them may finish.',
    exits: { failed: 'no proxy runs, or it has no such exit' },
    examples: [
      ['rotate --all', 'New addresses for everything'],
      ['rotate --site example.com', 'Replace the exit that example.com used last'],
    ],
  }),
  args: {
    exit: { type: 'string', valueHint: 'id', description: 'The exit with this id, as "exits" lists it' },
    region: { type: 'string', valueHint: 'name', description: 'All exits in this region' },
    site: { type: 'string', valueHint: 'example.com', description: 'The exit that this site used last' },
    all: { type: 'boolean', default: false, description: 'All exits' },
    ...proxyOption,
    ...formatOptions,
  },
  async run({ args }) {
    const format = formatOf(args)
    const which = whichOf(args)
    const proxy = await findProxy(proxyPort(args.proxy))
    print(await proxy.ask('rotate', which), format, human)
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
    ...(exit === undefined ? [] : [{ exit }]),
    ...(region === undefined ? [] : [{ region }]),
    ...(site === undefined ? [] : [{ site }]),
    ...(all ? [{ all: true as const }] : []),
  ]
  const [which] = given
  if (which && given.length === 1) return which
  throw new UsageError(`give one of --exit, --region, --site and --all${which ? ' alone' : ''}`)
}

const human = ({ rotating }: Operations['rotate']['output']): string =>
  rotating.length === 0
    ? 'No active exit is meant: the next connections get others already.'
    : rotating
        .map(({ id, region, address = '' }) => `Replacing exit ${id} in ${region}: ${printable(address)}`)
        .join('\n')
