import { randomBytes } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { defineCommand } from 'citty'
import { consola } from 'consola'
import { type Mode, modeNames, modes } from '../../function/modes.ts'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { configPath, loadConfig, settle } from '../config/load.ts'
import { optionsFor } from '../config/options.ts'
import { wrongRegion } from '../config/regions.ts'
import { entry, keys, type Values } from '../config/settings.ts'
import { configTemplate } from '../config/template.ts'
import { missingNeeds } from '../deploy/needs.ts'
import { readList } from '../input/list.ts'
import { isTerminal, openPrompt, type Prompt } from '../input/prompt.ts'
import { systemReason } from '../input/system-error.ts'
import { UsageError } from '../input/usage-error.ts'
import { inWords } from '../output/advice.ts'
import { exitCodeMeanings } from '../output/exit-codes.ts'
import { describe } from '../output/help.ts'
import { columns, formatOf, formatOptions, print } from '../output/print.ts'

const init = defineCommand({
  meta: describe({
    name: 'init',
    description:
      'Write a configuration file with comments. It asks for the main settings where there is a terminal.',
    exits: { interrupted: exitCodeMeanings.interrupted },
    examples: [['config init --region eu-central-1 --mode test', 'Ask for neither']],
  }),
  args: {
    ...optionsFor(...keys),
    force: { type: 'boolean', default: false, description: 'Overwrite an existing file' },
  },
  async run({ args }) {
    const { path } = configPath({ flags: args })
    if (!args.force && existsSync(path)) throw new UsageError(`${path} exists already: --force overwrites it`)
    const { values, sources } = settle(args, process.env)
    const given = keys.filter(key => sources[key].kind !== 'default')
    const chosen: Partial<Values> = {
      'deployment.stack_name': `lambda-nat-proxy-${randomBytes(3).toString('hex')}`,
      'deployment.mode': values['deployment.mode'],
      ...Object.fromEntries(given.map(key => [key, values[key]])),
    }
    if (isTerminal()) {
      using prompt = openPrompt()
      if (!chosen['aws.regions']) chosen['aws.regions'] = await askRegions(prompt)
      if (!given.includes('deployment.mode')) chosen['deployment.mode'] = await askMode(prompt)
    }
    await write(path, configTemplate(chosen))
    consola.success(`Wrote ${path}. The stack is named ${chosen['deployment.stack_name']}.`)
    const missing = (await missingNeeds(await loadConfig({ flags: { ...args, config: path } }))).flatMap(
      inWords,
    )
    if (missing.length === 0)
      return consola.log(
        'Next: "lambda-nat-proxy doctor" checks this machine, "lambda-nat-proxy deploy" deploys.',
      )
    consola.log(`Before "lambda-nat-proxy deploy":\n${missing.map(words => `  - ${words}`).join('\n')}`)
    consola.log('Then "lambda-nat-proxy doctor" checks all of it.')
  },
})

const show = defineCommand({
  meta: { name: 'show', description: 'Show the settings in effect, and where each comes from.' },
  args: { ...optionsFor(...keys), ...formatOptions },
  async run({ args }) {
    const { file, fileFound, values, sources } = await loadConfig({ flags: args })
    const settings = Object.fromEntries(
      keys.map(key => [
        key,
        { value: values[key] ?? null, source: sources[key].kind, where: sources[key].where },
      ]),
    )
    print({ file, fileFound, settings }, formatOf(args), () => {
      const rows = Object.entries(settings).map(([key, { value, source, where }]) => [
        key,
        [value ?? ''].flat().join(', ') || '-',
        where ? `${source} (${where})` : source,
      ])
      return `${columns([['SETTING', 'VALUE', 'FROM'], ...rows])}\n\nFile: ${file}${fileFound ? '' : ' (does not exist)'}`
    })
  },
})

const path = defineCommand({
  meta: { name: 'path', description: 'Print the path of the configuration file.' },
  args: optionsFor(),
  run({ args }) {
    process.stdout.write(`${configPath({ flags: args }).path}\n`)
  },
})

export default defineCommand({
  meta: { name: 'config', description: 'Write or show the configuration.' },
  subCommands: { init: async () => init, show: async () => show, path: async () => path },
})

// --- internal ---

async function askRegions(prompt: Prompt): Promise<string[] | undefined> {
  for (;;) {
    const answer = await prompt.text('AWS regions, separated by commas [the region of the AWS profile]:')
    const names = readList(answer)
    if (names.length === 0) return undefined
    const problem = names.map(wrongRegion).find(Boolean)
    if (!problem) return names
    consola.warn(problem)
  }
}

const askMode = (prompt: Prompt): Promise<Mode> =>
  prompt.choose(
    'Size of the function:',
    modeNames.map(name => ({
      value: name,
      about: `${modes[name].memory} MB, ends after ${modes[name].timeoutMs / 60_000} min`,
    })),
    entry('deployment.mode').default as Mode,
  )

/** Without waiting for who reads a pipe; Windows has no such flag. */
const writeFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NONBLOCK ?? 0)

async function write(path: string, content: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content, { flag: writeFlags })
  } catch (error) {
    throw new CodedError('E_CONFIG_UNWRITABLE', `${path} cannot be written: ${systemReason(error)}`, {
      cause: error,
    })
  }
}
