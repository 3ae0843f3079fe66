import { basename } from 'node:path'
import { defineCommand } from 'citty'
import { checkLength } from '../client/accounts/login.ts'
import { loadConfig } from '../config/load.ts'
import { optionsFor } from '../config/options.ts'
import { reachableAt } from '../input/loopback.ts'
import { type ProxyVariable, proxyVariables } from '../input/proxy-variables.ts'
import { UsageError } from '../input/usage-error.ts'
import { describe } from '../output/help.ts'
import { clientConfigs, notProxied, type ProxyAddress, proxyUrl } from './client-config.ts'
import { readSecrets } from './read-secrets.ts'

/** How a shell sets and unsets a variable, and how to have it do what this command prints. */
interface Shell {
  set(name: string, value: string): string
  unset(name: string): string
  use: string
  /** Names in small letters as well: there capitals and small letters are two variables. */
  both: boolean
}

const shells: Record<string, Shell> = {
  sh: {
    set: (name, value) => `export ${name}='${value.replaceAll("'", "'\\''")}'`,
    unset: name => `unset ${name}`,
    use: 'eval "$(lambda-nat-proxy env)"',
    both: true,
  },
  fish: {
    set: (name, value) => `set -gx ${name} '${value.replace(/[\\']/g, '\\$&')}'`,
    unset: name => `set -e ${name}`,
    use: 'lambda-nat-proxy env --shell fish | source',
    both: true,
  },
  powershell: {
    set: (name, value) => `$Env:${name} = '${value.replaceAll("'", "''")}'`,
    unset: name => `Remove-Item -ErrorAction SilentlyContinue Env:${name}`,
    use: 'lambda-nat-proxy env --shell powershell | Out-String | Invoke-Expression',
    both: false,
  },
  cmd: {
    set: (name, value) => `set "${name}=${value}"`,
    unset: name => `set "${name}="`,
    use: `for /f "delims=" %i in ('lambda-nat-proxy env --shell cmd') do @%i`,
    both: false,
  },
}

/** As `run` has them, but what it asks for is known here. */
const proxyOptions = optionsFor('proxy.host', 'proxy.port')

export default defineCommand({
  meta: describe({
    name: 'env',
    description: `Print what makes programs use the proxy: shell commands, or with --format a program's configuration. In sh, bash and zsh: ${shells.sh!.use}`,
    examples: [
      ['env --shell fish | source', 'Set the variables in fish'],
      ['env --format curlrc >> ~/.curlrc', 'Have curl use the proxy'],
      ['env --user alice --format git < password', 'With a login, its password read from a file'],
    ],
  }),
  args: {
    ...proxyOptions,
    host: { ...proxyOptions.host!, description: 'Address that the proxy listens on (default: 127.0.0.1)' },
    port: { ...proxyOptions.port!, description: 'TCP port of the proxy (default: 1080)' },
    user: {
      type: 'string',
      valueHint: 'name',
      description:
        'Log in as this user, with -region-… or -session-… behind the name to choose an exit; the password is asked for, or read from standard input',
    },
    shell: {
      type: 'enum',
      options: Object.keys(shells),
      description: 'Shell to write for (default: that of $SHELL, or PowerShell on Windows)',
    },
    format: {
      type: 'enum',
      options: Object.keys(clientConfigs),
      description: 'Program to write a configuration for, in place of shell commands',
    },
    unset: { type: 'boolean', default: false, description: 'Print the commands that undo it' },
  },
  async run({ args }) {
    if (args.format !== undefined && (args.shell !== undefined || args.unset))
      throw new UsageError('--format is for a file: leave out --shell and --unset')
    const proxy = args.unset ? undefined : await proxyAddress(args)
    const config = proxy && args.format !== undefined ? clientConfigs[args.format]! : undefined
    const shell = shells[args.shell ?? thisShell()]!
    process.stdout.write(config ? config.text(proxy!) : shellLines(shell, proxy))
    if (!process.stdout.isTTY) return
    process.stderr.write(
      config
        ? `\nThis prints the configuration only: ${config.use}.\n`
        : `\nThis prints the commands only. To run them: ${shell.use}\n`,
    )
  },
})

// --- internal ---

function thisShell(): string {
  if (basename(process.env.SHELL ?? '') === 'fish') return 'fish'
  return process.platform === 'win32' ? 'powershell' : 'sh'
}

/** Commands that set the variables, or unset them where there is no proxy. */
function shellLines(shell: Shell, proxy: ProxyAddress | undefined): string {
  const values = proxy && proxyValues(proxy)
  const lines = proxyVariables.flatMap(variable => {
    const names = shell.both ? [variable, variable.toLowerCase()] : [variable]
    return names.map(name => (values ? shell.set(name, values[variable]) : shell.unset(name)))
  })
  return `${lines.join('\n')}\n`
}

/** One port answers SOCKS5 and HTTP, and many programs know only HTTP proxies; in `socks5h` names resolve at the exit. */
const proxyValues = (proxy: ProxyAddress): Record<ProxyVariable, string> => ({
  ALL_PROXY: proxyUrl('socks5h', proxy),
  HTTP_PROXY: proxyUrl('http', proxy),
  HTTPS_PROXY: proxyUrl('http', proxy),
  NO_PROXY: notProxied.join(','),
})

async function proxyAddress(args: { user?: string | undefined }): Promise<ProxyAddress> {
  const { values } = await loadConfig({ flags: args })
  const port = values['proxy.port']
  if (port === 0)
    throw new UsageError('the port is 0, any free one: give the port that "run" printed with --port')
  const host = reachableAt(values['proxy.host'])
  return args.user === undefined ? { host, port } : { host, port, login: await readLogin(args.user) }
}

async function readLogin(user: string): Promise<{ user: string; password: string }> {
  checkLength('--user', 'user name', user)
  if (/[:\p{Cc}]/u.test(user))
    throw new UsageError('--user: a user name cannot contain colons or control characters')
  const [password] = await readSecrets(`Password for ${user}:`)
  if (password === undefined)
    throw new UsageError(`there is no password for ${user} on the standard input: write it there`)
  checkLength('--user', 'password', password)
  if (/\p{Cc}/u.test(password)) throw new UsageError('--user: the password contains control characters')
  return { user, password }
}
