import { defineCommand } from 'citty'
import { printable } from '../../tunnel/net/printable.ts'
import type { Banned } from '../client/fleet/requests.ts'
import { findProxy } from '../control/ask.ts'
import { describe } from '../output/help.ts'
import { formatOf, formatOptions, print } from '../output/print.ts'
import { proxyOption, proxyPort, siteIn } from './proxy-option.ts'

export default defineCommand({
  meta: describe({
    name: 'ban',
    description:
      'Stop using, for a site, the exit that served it last, for an hour. Other sites keep that exit.',
    exits: { failed: 'no proxy runs, or no exit has served the site' },
    examples: [['ban example.com', 'example.com refuses this address: use another']],
  }),
  args: {
    site: { type: 'positional', required: true, description: 'A domain such as example.com, or an address' },
    ...proxyOption,
    ...formatOptions,
  },
  async run({ args }) {
    const format = formatOf(args)
    const site = siteIn(args.site, '<site>')
    const proxy = await findProxy(proxyPort(args.proxy))
    print(await proxy.ask('ban', { site }), format, human)
  },
})

// --- internal ---

const human = ({ site, address, launching }: Banned): string =>
  `${printable(site)} is no longer reached from ${printable(address)}. ${
    launching ? 'An exit is being launched for it.' : 'Its next connections use another exit.'
  }`
