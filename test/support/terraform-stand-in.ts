import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

// In Terraform's place, where its AWS provider is not to be had: it understands the same commands, says the same lines
// of JSON, keeps its state in the same file, and makes the stack that putStack makes. One resource a region.

/** Makes a `terraform` in a folder, for PATH. */
export async function putTerraform(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'terraform')
  await writeFile(path, `#!/bin/sh\nexec "${process.execPath}" "${import.meta.path}" "$@"\n`)
  await chmod(path, 0o755)
}

interface State {
  version: 4
  outputs: object
  resources: { region: string }[]
}

/** What the stand-in is told by its environment. */
interface Orders {
  /** A file that gets a line for each command. */
  STAND_IN_LOG?: string
  /** The command that fails, and with which words. */
  STAND_IN_FAILS?: string
  STAND_IN_WORDS?: string
  /** Apply goes on until it is told to stop. */
  STAND_IN_WAITS?: string
  /** The version that it says it is. */
  STAND_IN_VERSION?: string
}

// --- internal ---

async function main([command = '', ...args]: string[]): Promise<number> {
  const orders = process.env as Orders
  if (orders.STAND_IN_LOG)
    writeFileSync(orders.STAND_IN_LOG, `${[command, ...args].join(' ')}\n`, { flag: 'a' })
  const json = args.includes('-json')
  if (command === orders.STAND_IN_FAILS && command !== 'apply') return fail(json, orders.STAND_IN_WORDS!)

  const variables: { name: string; regions: string[] } =
    command === 'version' ? undefined : JSON.parse(readFileSync('terraform.tfvars.json', 'utf8'))
  switch (command) {
    case 'version':
      console.log(JSON.stringify({ terraform_version: orders.STAND_IN_VERSION ?? '1.11.4' }))
      return 0
    case 'init':
      console.log('Initializing the backend...\nTerraform has been successfully initialized!')
      return 0
    case 'state':
      writeFileSync('terraform.tfstate', readFileSync('errored.tfstate'))
      return 0
    case 'show':
      console.log('# every attribute')
      return 0
    case 'plan': {
      const plan = planned(args.includes('-destroy') ? [] : variables.regions)
      for (const { region, action } of plan)
        say('planned_change', { change: { resource: { addr: address(region) }, action } })
      const count = (action: string) => plan.filter(each => each.action === action).length
      say('change_summary', { changes: { add: count('create'), change: 0, remove: count('delete') } })
      writeFileSync(args.find(arg => arg.startsWith('-out='))!.slice(5), JSON.stringify(plan))
      return 0
    }
    case 'apply':
      return apply(variables.name, JSON.parse(readFileSync(args.at(-1)!, 'utf8')), orders)
    default:
      throw new Error(`unknown command ${command}`)
  }
}

interface Step {
  region: string
  action: 'create' | 'delete'
}

const address = (region: string) => `aws_lambda_function.exit["${region}"]`

function planned(wanted: string[]): Step[] {
  const there = readState().resources.map(({ region }) => region)
  return [
    ...wanted
      .filter(region => !there.includes(region))
      .map(region => ({ region, action: 'create' as const })),
    ...there
      .filter(region => !wanted.includes(region))
      .map(region => ({ region, action: 'delete' as const })),
  ]
}

/** Each step is in the state as soon as it is done; a failure comes after the first. */
async function apply(name: string, plan: Step[], orders: Orders): Promise<number> {
  // With nothing to change the state stays as it is.
  if (plan.length === 0) return 0
  // Loaded for this alone: AWS's clients take longer than all else that it does.
  const { bucketOf, putStack, removeStack } = await import('./stack.ts')
  const endpoint = process.env.AWS_ENDPOINT_URL!
  for (const { region, action } of plan) {
    const hook = { resource: { addr: address(region) }, action, elapsed_seconds: 0 }
    say('apply_start', { hook })
    if (orders.STAND_IN_WAITS) {
      let interrupts = 0
      await new Promise<void>(resolve => {
        const timer = setInterval(() => {}, 1000)
        process.on('SIGINT', () => {
          interrupts++
          clearTimeout(timer)
          // Long enough for a second one to come, if it does.
          setTimeout(resolve, 300)
        })
        say('apply_progress', { hook })
      })
      writeState({ version: 4, outputs: {}, resources: [{ region }] })
      if (orders.STAND_IN_LOG) writeFileSync(orders.STAND_IN_LOG, `interrupts ${interrupts}\n`, { flag: 'a' })
      return fail(true, 'execution halted')
    }
    const { resources } = readState()
    if (action === 'create') await putStack(endpoint, name, region)
    else await removeStack(endpoint, name, region)
    writeState({
      version: 4,
      outputs: {},
      resources:
        action === 'create' ? [...resources, { region }] : resources.filter(each => each.region !== region),
    })
    say('apply_complete', { hook })
    if (orders.STAND_IN_FAILS === 'apply') return fail(true, orders.STAND_IN_WORDS!)
  }
  const { resources } = readState()
  const perRegion = (value: (region: string) => unknown) =>
    Object.fromEntries(resources.map(({ region }) => [region, value(region)]))
  const outputs = {
    buckets: { value: perRegion(region => bucketOf(name, region)) },
    functions: { value: perRegion(() => ({ name, arn: name, log_group: `/aws/lambda/${name}` })) },
  }
  writeState({ version: 4, outputs: resources.length > 0 ? outputs : {}, resources })
  return 0
}

function readState(): State {
  return existsSync('terraform.tfstate')
    ? JSON.parse(readFileSync('terraform.tfstate', 'utf8'))
    : { version: 4, outputs: {}, resources: [] }
}

const writeState = (state: State) => writeFileSync('terraform.tfstate', JSON.stringify(state))

const say = (type: string, fields: object) => console.log(JSON.stringify({ type, ...fields }))

function fail(json: boolean, summary: string): number {
  if (json) say('diagnostic', { diagnostic: { severity: 'error', summary } })
  else console.error(`Error: ${summary}`)
  return 1
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2))
