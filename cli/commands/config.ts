import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { defineCommand } from 'citty'
import { consola } from 'consola'
import { type Mode, modeNames } from '../../function/modes.ts'
import { configPath, loadConfig, settle } from '../config/load.ts'
import { optionsFor } from '../config/options.ts'
import { entry, keys, type Values } from '../config/settings.ts'
import { configTemplate } from '../config/template.ts'
import { isTerminal } from '../input/terminal.ts'
import { UsageError } from '../input/usage-error.ts'
import { columns, formatOf, formatOptions, print } from '../output/print.ts'

const init = defineCommand({
  meta: { name: 'init', description: 'Write a configuration file, with comments. Asks on a terminal only.' },
  args: {
    ...optionsFor(...keys),
    force: { type: 'boolean', default: false, description: 'Overwrite the file that is there' },
  },
  async run({ args }) {
    const { path } = configPath({ flags: args })
    if (!args.force && existsSync(path))
      throw new UsageError(`${path} is there already: --force overwrites it`)
    const { values, sources } = settle(args, process.env)
    const given = keys.filter(key => sources[key].kind !== 'default')
    const chosen: Partial<Values> = {
      'deployment.stack_name': `lambda-nat-proxy-${randomBytes(3).toString('hex')}`,
      'deployment.mode': values['deployment.mode'],
      ...Object.fromEntries(given.map(key => [key, values[key]])),
    }
    if (isTerminal()) {
      if (!chosen['aws.regions']) chosen['aws.regions'] = await askRegions()
      if (!given.includes('deployment.mode')) chosen['deployment.mode'] = await askMode()
    }
    await write(path, configTemplate(chosen))
    consola.success(`Wrote ${path}: the stack's name is ${chosen['deployment.stack_name']}.`)
    consola.log('Next: lambda-nat-proxy deploy')
  },
})

const show = defineCommand({
  meta: { name: 'show', description: 'Show the settings in effect, and where each came from.' },
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
      return `${columns([['SETTING', 'VALUE', 'FROM'], ...rows])}\n\nFile: ${file}${fileFound ? '' : ' (not there)'}`
    })
  },
})

const path = defineCommand({
  meta: { name: 'path', description: 'Print where the configuration file is looked for.' },
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

async function askRegions(): Promise<string[] | undefined> {
  for (;;) {
    const question = 'AWS regions, with commas between them (none: the region of the AWS profile)'
    const answer = await consola.prompt(question, {
      type: 'text',
      default: '',
      placeholder: 'none',
      cancel: 'reject',
    })
    if (!answer?.trim()) return undefined
    try {
      return settle({ regions: answer }, {}).values['aws.regions']
    } catch (error) {
      consola.warn((error as Error).message)
    }
  }
}

const askMode = (): Promise<Mode> =>
  consola.prompt(entry('deployment.mode').about, {
    type: 'select',
    options: modeNames.map(name => ({ label: name, value: name })),
    initial: entry('deployment.mode').default as Mode,
    cancel: 'reject',
  })

async function write(path: string, content: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  } catch (error) {
    throw new Error(`${path} cannot be written: ${(error as Error).message}`)
  }
}
