import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import * as assert from 'uvu/assert'
import type { Engine } from './engine.ts'
import { folder } from './module.ts'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
/** The arguments of one block. */
export type Block = { [argument: string]: Json }

export interface Resource {
  address: string
  mode: 'managed' | 'data'
  type: string
  index?: string | number
  values: Block
}

export interface Plan {
  planned_values: {
    outputs: Record<string, { value: Json }>
    root_module: { resources: Resource[] }
  }
  resource_changes: { type: string; change: { actions: string[]; before: Block; after: Block } }[]
}

export interface State {
  outputs: Record<string, { value: Json }>
  resources: Resource[]
  /** The values of the resource at this address. */
  at(address: string): Block
}

/** A copy of the module and its examples, and a configuration that imports the module. */
export interface Workspace {
  module: string
  importer: string
  /** Runs a command and gives its status and all that it said, in one line. */
  attempt(place: string, ...args: string[]): { status: number | null; stdout: string; said: string }
  /** As `attempt`, and its success is asserted. */
  run(place: string, ...args: string[]): string
  plan(place: string, ...options: string[]): Plan
  /** Applies, and gives what then is: resources with all their attributes, and outputs. */
  apply(place: string, ...options: string[]): State
  /** Copies the module to another place, with files of it changed, ready for commands. */
  copy(place: string, changes: Record<string, (text: string) => string>): void
  /** Puts a bundle of this code beside the module. */
  bundle(code: string): void
  close(): void
}

/** `imports` is what the importer sets; the module's outputs are its own output `proxy`. */
export function openWorkspace(engine: Engine, imports: Block, aws: NodeJS.ProcessEnv = {}): Workspace {
  const work = mkdtempSync(join(tmpdir(), 'terraform-'))
  const module = join(work, 'module')
  const importer = join(work, 'importer')
  cpSync(folder, module, { recursive: true, filter: path => !/\.zip$|\.terraform|tfstate/.test(path) })
  mkdirSync(importer)
  const configuration = {
    provider: { aws: { s3_use_path_style: true } },
    module: { proxy: { source: '../module', ...imports } },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is Terraform's.
    output: { proxy: { value: '${module.proxy}' } },
  }
  writeFileSync(join(importer, 'main.tf.json'), JSON.stringify(configuration))
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_PROFILE: '',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...aws,
  }

  const workspace: Workspace = {
    module,
    importer,
    attempt(place, ...args) {
      const { status, stdout, stderr } = engine.run(place, [...args, '-no-color'], environment)
      return { status, stdout, said: `${stdout}${stderr}`.replace(/[\s│╷╵]+/g, ' ') }
    },
    run(place, ...args) {
      const { status, stdout, said } = workspace.attempt(place, ...args)
      assert.is(status, 0, said)
      return stdout
    },
    plan(place, ...options) {
      workspace.run(place, 'plan', '-input=false', '-out=plan', ...options)
      return JSON.parse(workspace.run(place, 'show', '-json', 'plan'))
    },
    apply(place, ...options) {
      workspace.run(place, 'apply', '-input=false', '-auto-approve', ...options)
      const { values } = JSON.parse(workspace.run(place, 'show', '-json')) as {
        values: { outputs: State['outputs']; root_module: { resources?: Resource[] } }
      }
      const { resources = [] } = values.root_module
      const at = (address: string) => {
        const found = resources.find(each => each.address === address)
        if (!found) throw new Error(`there is no ${address}`)
        return found.values
      }
      return { outputs: values.outputs ?? {}, resources, at }
    },
    copy(place, changes) {
      cpSync(module, place, { recursive: true })
      for (const [name, change] of Object.entries(changes)) {
        const text = readFileSync(join(place, name), 'utf8')
        const changed = change(text)
        assert.is.not(changed, text, `nothing was changed in ${name}`)
        writeFileSync(join(place, name), changed)
      }
      workspace.run(place, 'init', '-input=false')
    },
    bundle: code => writeFileSync(join(module, 'function.zip'), zipSync({ 'index.js': strToU8(code) })),
    close: () => rmSync(work, { recursive: true, force: true }),
  }
  workspace.bundle('exports.handler = async () => {}')
  for (const place of [module, importer]) workspace.run(place, 'init', '-input=false')
  return workspace
}
