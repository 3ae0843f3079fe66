import { basename } from 'node:path'
import { defineCommand } from 'citty'
import { formatEndpoint } from '../../tunnel/net/endpoint.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { optionsFor } from '../config/options.ts'
import { type ProxyVariable, proxyVariables } from '../input/proxy-variables.ts'
import { UsageError } from '../input/usage-error.ts'

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

/** What is on this machine is reached without a proxy. */
const notProxied = 'localhost,127.0.0.1,::1'

export default defineCommand({
  meta: {
    name: 'env',
    description: `Print the shell commands that make programs use the proxy. In sh, bash and zsh: ${shells.sh!.use}`,
  },
  args: {
    ...optionsFor('proxy.host', 'proxy.port'),
    shell: {
      type: 'enum',
      options: Object.keys(shells),
      description: 'Shell to write for (default: that of $SHELL, or PowerShell on Windows)',
    },
    unset: { type: 'boolean', default: false, description: 'Print the commands that undo it' },
  },
  async run({ args }) {
    const shell = shells[args.shell ?? thisShell()]!
    const values = args.unset ? undefined : proxyValues(await loadConfig({ flags: args }))
    const lines = proxyVariables.flatMap(variable => {
      const names = shell.both ? [variable, variable.toLowerCase()] : [variable]
      return names.map(name => (values ? shell.set(name, values[variable]) : shell.unset(name)))
    })
    process.stdout.write(`${lines.join('\n')}\n`)
    if (process.stdout.isTTY)
      process.stderr.write(`\nThis prints the commands only. To run them: ${shell.use}\n`)
  },
})

// --- internal ---

function thisShell(): string {
  if (basename(process.env.SHELL ?? '') === 'fish') return 'fish'
  return process.platform === 'win32' ? 'powershell' : 'sh'
}

/** One port answers SOCKS5 and HTTP, and many programs know only HTTP proxies; in `socks5h` names resolve at the exit. */
function proxyValues({ values }: Config): Record<ProxyVariable, string> {
  const port = values['proxy.port']
  if (port === 0)
    throw new UsageError('the port is 0, any free one: give the port that "run" printed with --port')
  const at = formatEndpoint({ address: reachable(values['proxy.host']), port })
  return {
    ALL_PROXY: `socks5h://${at}`,
    HTTP_PROXY: `http://${at}`,
    HTTPS_PROXY: `http://${at}`,
    NO_PROXY: notProxied,
  }
}

/** What listens on all addresses is reached at the loopback one. */
const reachable = (host: string) => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host)
