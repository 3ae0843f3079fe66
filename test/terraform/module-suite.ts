import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openStandIn } from './engine.ts'
import { type Block, openWorkspace, type Plan, type State, type Workspace } from './workspace.ts'

export type Settings = Record<string, unknown>

/** Arguments that set these variables. */
export const flags = (settings: Settings): string[] =>
  Object.entries(settings).map(
    ([name, value]) => `-var=${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )

/** The values of all resources of a type, or of the one at an address. */
export const valuesOf = ({ planned_values }: Plan, wanted: string): Block[] =>
  planned_values.root_module.resources
    .filter(({ type, address }) => type === wanted || address === wanted)
    .map(({ values }) => values)

/** A suite about the module with the stand-in for the AWS provider; `run` leaves it out where there is no Terraform. */
export async function moduleSuite(name: string) {
  const engine = await openStandIn()
  const test = suite<{ workspace: Workspace }>(name)
  let workspace: Workspace

  test.before(context => {
    workspace = context.workspace = openWorkspace(engine!, {})
  })
  test.after(async () => {
    workspace?.close()
    await engine!.close()
  })

  const plan = (settings: Settings = {}): Plan => workspace.plan(workspace.module, ...flags(settings))
  return {
    test,
    plan,
    apply: (settings: Settings): State => workspace.apply(workspace.module, ...flags(settings)),
    /** Asserts that it cannot be planned, and gives all that was said. */
    refusal(settings: Settings): string {
      const { status, said } = workspace.attempt(workspace.module, 'plan', '-input=false', ...flags(settings))
      assert.is(status, 1, 'the plan was not refused')
      return said
    },
    /** The function as it is planned. */
    lambda: (settings: Settings): Block => valuesOf(plan(settings), 'aws_lambda_function')[0]!,
    run: () => {
      if (engine) test.run()
    },
  }
}
