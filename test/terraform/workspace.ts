import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import * as assert from 'uvu/assert'
import { startMoto } from '../support/moto.ts'
import type { Engine } from './engine.ts'
import { type Block, folder, type Json } from './module.ts'

export interface Plan {
  planned_values: {
    outputs: Record<string, { value: Json }>
    root_module: { resources: { type: string; values: Block }[] }
  }
  resource_changes: { type: string; change: { actions: string[]; before: Block; after: Block } }[]
}

/** A copy of the module and a configuration that imports it, with moto's AWS as all that they can reach. */
export type Workspace = Awaited<ReturnType<typeof openWorkspace>>

export const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }

/** `imports` is what the importer sets; the module's outputs are its own output `proxy`. */
export async function openWorkspace(engine: Engine, imports: Block) {
  const moto = await startMoto()
  if (!moto) throw new Error('there is a Terraform but no moto to try it on')
  // moto would run functions in containers; here they have only to be notified.
  await fetch(`${moto.endpoint}/moto-api/config`, { method: 'POST', body: '{"lambda":{"use_docker":false}}' })

  const work = mkdtempSync(join(tmpdir(), 'terraform-'))
  const module = join(work, 'module')
  const importer = join(work, 'importer')
  cpSync(folder, module, { recursive: true, filter: path => !/\.zip$|\.terraform/.test(path) })
  mkdirSync(importer)
  const configuration = {
    provider: { aws: { s3_use_path_style: true } },
    module: { proxy: { source: '../module', ...imports } },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is Terraform's.
    output: { proxy: { value: '${module.proxy}' } },
  }
  writeFileSync(join(importer, 'main.tf.json'), JSON.stringify(configuration))

  const environment = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: '',
    AWS_PROFILE: '',
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL: moto.endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
  }

  /** Runs a command and gives its status and all that it said, in one line. */
  function attempt(place: string, ...args: string[]) {
    const { status, stdout, stderr } = engine.run(place, [...args, '-no-color'], environment)
    return { status, stdout, said: `${stdout}${stderr}`.replace(/[\s│╷╵]+/g, ' ') }
  }
  function run(place: string, ...args: string[]): string {
    const { status, stdout, said } = attempt(place, ...args)
    assert.is(status, 0, said)
    return stdout
  }

  const workspace = {
    endpoint: moto.endpoint,
    module,
    importer,
    attempt,
    run,
    plan(place: string, ...options: string[]): Plan {
      run(place, 'plan', '-input=false', '-out=plan', ...options)
      return JSON.parse(run(place, 'show', '-json', 'plan'))
    },
    /** Puts a bundle of this code beside the module. */
    bundle: (code: string) =>
      writeFileSync(join(module, 'function.zip'), zipSync({ 'index.js': strToU8(code) })),
    async close() {
      await moto.close()
      rmSync(work, { recursive: true, force: true })
    },
  }
  workspace.bundle('exports.handler = async () => {}')
  for (const place of [module, importer]) run(place, 'init', '-input=false')
  return workspace
}
