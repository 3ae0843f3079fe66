import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { consola } from 'consola'
import { confirm } from '../input/prompt.ts'
import { checkRoom } from './folder.ts'
import { runTerraform, type Terraform } from './terraform.ts'
import { TerraformError, withoutNoise } from './terraform-error.ts'
import { errorText, readEvent, showEvent, type TerraformEvent } from './terraform-events.ts'

export interface Change {
  program: Terraform
  /** Where the module and the state are. */
  folder: string
  /** The module's providers have changed. */
  upgrade: boolean
  /** The one that the provider is configured for. */
  region: string
  destroy: boolean
  /** Settings of the S3 backend, as for `terraform init -backend-config`. */
  backend: string[]
  /** Stops after the plan. */
  planOnly: boolean
  /** Asked before anything is changed; undefined: not asked. */
  question: string | undefined
  /** Shows the plan with all its attributes. */
  verbose: boolean
}

export type Outcome = 'changed' | 'unchanged' | 'planned' | 'refused' | 'interrupted'

/**
 * Brings a stack to the desired state: init, plan, a question, apply of that very plan. What an earlier run left
 * half-finished is in the state, so this continues from there. Throws a TerraformError with Terraform's
 * own words.
 */
export async function change(request: Change): Promise<Outcome> {
  const { folder, upgrade, backend, destroy, planOnly, question, verbose } = request
  await checkRoom(folder)
  try {
    consola.start(`Preparing ${request.program.name} ${request.program.version} in ${folder}`)
    const settings = backend.map(each => `-backend-config=${each}`)
    await text(['init', '-input=false', '-no-color', ...(upgrade ? ['-upgrade'] : []), ...settings], say)
    await pushLeftState()

    consola.start('Planning')
    const plan = await events([
      'plan',
      '-input=false',
      '-json',
      `-out=${planFile}`,
      ...(destroy ? ['-destroy'] : []),
    ])
    if (verbose) await text(['show', '-no-color', planFile], line => consola.log(line))
    const changes = plan.find(event => event.type === 'change_summary')?.changes
    const nothing = !changes || changes.add + changes.change + changes.remove === 0
    consola.info(
      nothing
        ? 'There is nothing to change.'
        : `The plan: ${changes.add} to add, ${changes.change} to change, ${changes.remove} to destroy.`,
    )
    if (planOnly) return 'planned'
    if (!nothing && question !== undefined && !(await confirm(question))) return 'refused'

    // With nothing to change it still writes the outputs, which a run that was cut off may lack.
    await checkRoom(folder)
    if (!nothing) consola.start(destroy ? 'Destroying' : 'Applying')
    await events(['apply', '-input=false', '-json', planFile])
    return nothing ? 'unchanged' : 'changed'
  } catch (error) {
    if (error instanceof Interrupted) return 'interrupted'
    throw error
  } finally {
    await rm(join(folder, planFile), { force: true })
  }

  /** Runs a command with JSON output, shows its progress, and gives all its events. */
  async function events(args: string[]): Promise<TerraformEvent[]> {
    const all: TerraformEvent[] = []
    const rest: string[] = []
    await run(
      args,
      line => {
        const event = readEvent(line)
        if (!event) return rest.push(line)
        all.push(event)
        const shown = showEvent(event)
        if (shown !== undefined) consola.log(shown)
      },
      errors => errorText(all) || errors || rest.slice(-3).join('\n'),
    )
    return all
  }

  /** Runs a command with text output. */
  async function text(args: string[], onLine: (line: string) => void): Promise<void> {
    const lines: string[] = []
    await run(
      args,
      line => {
        lines.push(line)
        onLine(line)
      },
      errors => errors || lines.slice(-3).join('\n'),
    )
  }

  async function run(
    args: string[],
    onLine: (line: string) => void,
    explain: (errors: string) => string,
  ): Promise<void> {
    const { code, errors, interrupted } = await runTerraform({
      program: request.program,
      folder,
      region: request.region,
      args,
      onLine,
    })
    // A signal that came when all was applied changes nothing.
    if (interrupted && (code !== 0 || args[0] !== 'apply')) throw new Interrupted()
    if (code === 0) return
    const words = explain(withoutNoise(errors))
    const what = `${request.program.name} ${args[0]} failed in ${folder}`
    throw new TerraformError(`${what}: ${words || `exit code ${code}`}`, words)
  }

  /** A state that could not be written where it belongs is left in the folder: it goes there now. */
  async function pushLeftState(): Promise<void> {
    const left = join(folder, 'errored.tfstate')
    if (!existsSync(left)) return
    consola.start('Saving the state that an earlier run could not save')
    await text(['state', 'push', '-no-color', 'errored.tfstate'], () => {})
    await rm(left)
  }
}

// --- internal ---

const planFile = 'plan.tfplan'

class Interrupted extends Error {}

/** Shows the lines of `init` that tell its progress. */
function say(line: string): void {
  if (/^(- |Initializing )/.test(line)) consola.log(`  ${line.replace(/^- /, '')}`)
}
