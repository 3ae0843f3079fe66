import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { folder } from './module.ts'
import { flags, moduleSuite, type Settings } from './module-suite.ts'

// Each example is valid, can be applied, has then nothing more to do, and can be destroyed.

const { test, run } = await moduleSuite('terraform examples')

/** What a person would set. */
const settings: Record<string, Settings> = {
  // Nothing is fetched: a plan alone.
  basic: { release: { url: 'https://example.com/function.zip', sha256: '0'.repeat(64) } },
  regions: {
    bundle_version: { 'eu-central-1': 'v1', 'us-east-1': 'v2', 'ap-southeast-2': 'v3' },
  },
  'existing-role': {
    permissions_boundary: 'arn:aws:iam::123456789012:policy/bounds',
    function_zip: '../../function.zip',
  },
  vpc: { function_zip: '../../function.zip' },
  'ci-oidc': { repository: 'team/proxy', state_bucket: 'team-state' },
}
/** What each is there to show. */
const made: Record<string, string> = {
  regions: 'module.proxy.aws_lambda_function.exit["ap-southeast-2"]',
  'existing-role': 'aws_iam_role_policy.exit',
  vpc: 'module.proxy.aws_lambda_function.exit["eu-central-1"]',
  'ci-oidc': 'aws_iam_role_policy.deploy',
}

for (const example of readdirSync(join(folder, 'examples')))
  test(example, ({ workspace }) => {
    const place = join(workspace.module, 'examples', example)
    const options = flags(settings[example] ?? {})
    workspace.run(place, 'init', '-input=false')
    workspace.run(place, 'validate')
    const { resource_changes } = workspace.plan(place, ...options)
    assert.ok(resource_changes.length > 3)
    const wanted = made[example]
    if (!wanted) return
    workspace.run(place, 'apply', '-input=false', 'plan')
    assert.ok(workspace.run(place, 'state', 'list').split('\n').includes(wanted))
    const again = workspace.plan(place, ...options).resource_changes
    assert.equal(
      again.filter(({ change }) => change.actions.join() !== 'no-op'),
      [],
    )
    workspace.run(place, 'destroy', '-input=false', '-auto-approve', ...options)
  })

run()
