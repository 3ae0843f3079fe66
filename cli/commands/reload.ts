import { defineCommand } from 'citty'
import { findProxy } from '../control/ask.ts'
import { describe } from '../output/help.ts'
import { formatOf, formatOptions, print } from '../output/print.ts'
import { reloadLines } from '../output/reload-lines.ts'
import { proxyOption, proxyPort } from './proxy-option.ts'

export default defineCommand({
  meta: describe({
    name: 'reload',
    description:
      'Have the running proxy read its configuration file and logins again. Open connections go on.',
    exits: { failed: 'no proxy runs, or what it read is wrong: nothing has changed then' },
    examples: [['reload', 'Put a changed file of logins into effect']],
  }),
  args: { ...proxyOption, ...formatOptions },
  async run({ args }) {
    const format = formatOf(args)
    const proxy = await findProxy(proxyPort(args.proxy))
    print(await proxy.ask('reload', {}), format, report => reloadLines(report).join('\n'))
  },
})
