import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openStandIn } from './engine.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

// What applies do in their order, with the stand-in for the provider: it refuses, as S3 does, to change a bucket while
// another change of it is under way.

const test = suite('terraform apply in order')
const engine = await openStandIn()
const regions = ['eu-central-1', 'us-east-1']
let workspace: Workspace

test.before(() => {
  workspace = openWorkspace(engine!, { name: 'team-proxy', regions, reserved_concurrency: 10 })
})
test.after(async () => {
  workspace?.close()
  await engine!.close()
})

test('a first apply changes no bucket twice at a time', () => {
  const { outputs } = workspace.apply(workspace.importer)
  const { buckets, functions } = outputs.proxy!.value as Record<string, Record<string, unknown>>
  assert.equal(Object.keys(buckets!), regions)
  assert.equal(functions!['us-east-1'], {
    name: 'team-proxy',
    arn: 'arn:aws:lambda:us-east-1:123456789012:function:team-proxy',
    log_group: '/aws/lambda/team-proxy',
  })
})

const changes = () =>
  workspace
    .plan(workspace.importer)
    .resource_changes.filter(({ change }) => change.actions.join() !== 'no-op')

test('a second apply has nothing to do', () => {
  assert.equal(changes(), [])
})

test('another bundle changes the functions and nothing else', () => {
  workspace.bundle('exports.handler = async () => { /* anew */ }')
  assert.equal(
    changes().map(({ type, change }) => [type, change.actions.join()]),
    regions.map(() => ['aws_lambda_function', 'update']),
  )
})

test('a destroy changes no bucket twice at a time, and needs no bundle', () => {
  rmSync(join(workspace.module, 'function.zip'))
  workspace.run(workspace.importer, 'destroy', '-input=false', '-auto-approve')
})

if (engine) test.run()
