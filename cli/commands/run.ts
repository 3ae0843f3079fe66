import { defineCommand } from 'citty'
import { consola, LogLevels } from 'consola'
import { optionsFor } from '../config/options.ts'
import { signallingOptions } from '../deploy/signalling-options.ts'
import { UsageError } from '../input/usage-error.ts'
import { describe } from '../output/help.ts'

export default defineCommand({
  meta: describe({
    name: 'run',
    description:
      'Start the proxy: launch exits, and listen for SOCKS5 and HTTP clients until it is interrupted.',
    exits: {
      done: 'ended by Ctrl-C, SIGTERM or a closed terminal',
      failed: 'no exit can start',
      interrupted: 'ended at once by a second signal',
    },
    examples: [
      ['run --local', 'Try it on this machine, without an AWS account'],
      ['run --regions eu-central-1,us-east-1 --sessions 2', 'Two exits in two regions'],
      ['run --rotate 5m', 'A new address every five minutes'],
      ['run --rules "direct *.example.com"', 'Reach a site without an exit'],
    ],
  }),
  args: {
    ...optionsFor(
      'proxy.port',
      'proxy.host',
      'proxy.http_port',
      'proxy.listen',
      'proxy.auth_file',
      'proxy.allow_open',
      'proxy.bypass',
      'proxy.rules',
      'proxy.dns',
      'proxy.optimistic',
      'fleet.sessions',
      'fleet.standby',
      'fleet.rotate',
      'fleet.idle',
      'fleet.exit',
      'fleet.distinct',
      'fleet.connections_per_exit',
      'fleet.launches_per_minute',
      'fleet.rotate_on',
      'fleet.budget',
      'fleet.budget_action',
      'audit.file',
      'audit.max_size',
      'audit.keep',
      'audit.on_failure',
      'dashboard.enabled',
      'dashboard.host',
      'dashboard.auth_file',
      'dashboard.port',
    ),
    auth: {
      type: 'string',
      valueHint: 'user:password,…',
      group: 'Proxy',
      description:
        'Logins; others can see them in the process list, so prefer LAMBDA_NAT_PROXY_AUTH or --auth-file',
    },
    ...signallingOptions,
    json: { type: 'boolean', default: false, description: 'Print events as JSON, one a line' },
    quiet: {
      type: 'boolean',
      alias: 'q',
      default: false,
      description: 'Print warnings and errors only',
    },
    verbose: {
      type: 'boolean',
      alias: 'v',
      default: false,
      description: "Show each connection, the set-up times and the function's log",
    },
  },
  async run({ args }) {
    const { verbose, json, quiet } = args
    if (quiet && (verbose || json))
      throw new UsageError(`--quiet and --${json ? 'json' : 'verbose'} are both given: leave out one`)
    if (quiet) consola.level = LogLevels.warn
    // Loaded when it is needed: --help and completions do without.
    const { runProxy } = await import('./run-proxy.ts')
    await runProxy(args)
  },
})
