import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { defineCommand } from 'citty'
import { consola } from 'consola'
import { putLogin, removeLogin } from '../client/accounts/edit-login-file.ts'
import { type LimitName, limitNames, readLimits } from '../client/accounts/limits.ts'
import { checkLength, checkUser } from '../client/accounts/login.ts'
import { readLoginFile } from '../client/accounts/login-file.ts'
import { hashPassword } from '../client/accounts/password-hash.ts'
import { prefixOf } from '../client/ledger/period.ts'
import { formatBytes } from '../client/stats/format.ts'
import { loadConfig } from '../config/load.ts'
import { type Option, optionsFor } from '../config/options.ts'
import { didYouMean } from '../input/did-you-mean.ts'
import { UsageError } from '../input/usage-error.ts'
import { describe } from '../output/help.ts'
import { formatOf, formatOptions, print, table } from '../output/print.ts'
import { defaultLoginsPath } from '../places/folders.ts'
import { readSecrets } from './read-secrets.ts'
import { readingLedger } from './with-ledger.ts'

const file: Option = {
  type: 'string',
  valueHint: 'path',
  description: 'File of logins (default: proxy.auth_file of the configuration, or logins.yaml beside it)',
}
const name = { type: 'positional', required: true, description: 'The user name' } as const

/** Of `login add`, by the names that they have in a file. */
const limits: Record<LimitName, Option> = {
  quota: {
    type: 'string',
    valueHint: '5GB/month',
    description: 'Bytes down and up together, per day or month',
  },
  rate: {
    type: 'string',
    valueHint: '20Mbit',
    description: 'Bits a second in each direction, or down and up as in 20Mbit/5Mbit',
  },
  connections: { type: 'string', valueHint: 'n', description: 'Maximum connections at once' },
  exits: { type: 'string', valueHint: 'a,b', description: 'Regions whose exits it may use' },
}

const add = defineCommand({
  meta: describe({
    name: 'add',
    description:
      'Add a login, or give one another password. The password is asked for, or read from the standard input.',
    examples: [
      ['login add alice', 'Ask for the password'],
      ['login add alice --generate --quota 5GB/month', 'Generate one, and print it'],
      ['login add alice --file team.txt < password', 'Read it from a file'],
    ],
  }),
  args: {
    name,
    file,
    ...limits,
    generate: {
      type: 'boolean',
      default: false,
      description: 'Generate a password, and print it alone on the standard output',
    },
    ...optionsFor(),
  },
  async run({ args }) {
    const path = await pathOf(args)
    checkUser(args.name, args.name)
    const given = Object.fromEntries(
      limitNames.flatMap(name => (args[name] === undefined ? [] : [[name, args[name]]])),
    ) as Partial<Record<LimitName, string>>
    readLimits(args.name, given)
    const password = args.generate ? randomBytes(18).toString('base64url') : await readPassword(args.name)
    checkLength(args.name, 'password', password)
    // So that a script can take what was made up from the standard output, where it stands alone.
    if (args.generate) consola.options.stdout = process.stderr
    const isNew = await putLogin(path, args.name, await hashPassword(password), given)
    consola.success(
      isNew ? `Added ${args.name} to ${path}.` : `Changed the password of ${args.name} in ${path}.`,
    )
    if (args.generate) process.stdout.write(`${password}\n`)
    consola.log(
      `A proxy with --auth-file ${path} accepts it from its next start on, or after "lambda-nat-proxy reload".`,
    )
  },
})

const list = defineCommand({
  meta: { name: 'list', description: 'List the logins in a file; no password is shown.' },
  args: { file, ...formatOptions, ...optionsFor() },
  async run({ args }) {
    const format = formatOf(args)
    const path = await pathOf(args)
    const known = await readLoginFile(path)
    const logins = readingLedger(ledger =>
      known.map(({ user, secret, limits }) => {
        const prefix = prefixOf(limits.quota?.period ?? 'month', Date.now())
        const { up, down } = ledger.traffic(user, prefix)
        return { user, password: secret.kind, limits, used: up + down }
      }),
    )
    print({ file: path, logins }, format, () =>
      table(
        [
          ['NAME', 'PASSWORD', 'USED', 'QUOTA', 'RATE', 'CONNECTIONS', 'EXITS'],
          ...logins.map(({ user, password, used, limits: { quota, rate, connections, exits } }) => [
            user,
            password,
            formatBytes(used),
            quota ? `${formatBytes(quota.bytes)} a ${quota.period}` : '-',
            rate ? `${bits(rate.down)} down, ${bits(rate.up)} up` : '-',
            String(connections ?? '-'),
            exits?.join(', ') ?? '-',
          ]),
        ],
        ['PASSWORD', 'CONNECTIONS', 'EXITS', 'RATE'],
      ),
    )
  },
})

const remove = defineCommand({
  meta: { name: 'remove', description: 'Remove a login from a file.' },
  args: { name, file, ...optionsFor() },
  async run({ args }) {
    const path = await pathOf(args)
    const names = existsSync(path) ? await removeLogin(path, args.name) : []
    if (!names.includes(args.name))
      throw new UsageError(`${path} has no login ${args.name}${didYouMean(args.name, names)}`)
    consola.success(`Removed ${args.name} from ${path}.`)
    if (names.length === 1) consola.warn(`${path} has no logins left: "run" refuses to start with it.`)
  },
})

export default defineCommand({
  meta: {
    name: 'login',
    description: 'Add, list and remove logins; passwords are stored as argon2id hashes.',
  },
  subCommands: { add: async () => add, list: async () => list, remove: async () => remove },
})

// --- internal ---

const bits = (bytesASecond: number) => `${(bytesASecond * 8) / 1e6} Mbit/s`

/** The name of a login is no setting, though one has the option --name. */
const pathOf = async ({ file, config }: { file?: string | undefined; config?: unknown }): Promise<string> =>
  file ?? (await loadConfig({ flags: { config } })).values['proxy.auth_file'] ?? defaultLoginsPath()

/** Twice from a terminal, where it is not seen; else the first line of the standard input. */
async function readPassword(user: string): Promise<string> {
  const [password, again] = await readSecrets(`Password for ${user}:`, 'The same again:')
  if (password === undefined)
    throw new UsageError('there is no password on the standard input: write it there, or give --generate')
  if (again !== undefined && again !== password)
    throw new UsageError('the two passwords differ: nothing was changed')
  return password
}
