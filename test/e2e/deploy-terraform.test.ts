import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { consola } from 'consola'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Change, change } from '../../cli/deploy/change.ts'
import { findTerraform } from '../../cli/deploy/terraform.ts'
import { until } from '../support/until.ts'

// What deploy asks of Terraform, asked of the real one where it is at hand, with a module of its built-in provider,
// which needs no network.

const test = suite<{
  folder: string
  said: string[]
  carryOut: (more?: Partial<Change>) => ReturnType<typeof change>
}>('deploy with the real Terraform')
const program = await findTerraform(undefined).catch(() => undefined)

const resources = (names: string[], more: object = {}) =>
  JSON.stringify({
    output: { names: { value: names } },
    resource: { terraform_data: Object.fromEntries(names.map(name => [name, { input: name, ...more }])) },
  })

test.before.each(async context => {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const said: string[] = []
  consola.setReporters([{ log: ({ args }) => said.push(args.join(' ')) }])
  const usual = { upgrade: false, region: 'eu-west-1', destroy: false, backend: [], planOnly: false }
  Object.assign(context, {
    folder,
    said,
    carryOut: (more: Partial<Change> = {}) =>
      change({ program: program!, folder, ...usual, question: undefined, verbose: false, ...more }),
  })
})
test.after.each(({ folder }) => rm(folder, { recursive: true, force: true }))

const state = async (folder: string) => JSON.parse(await readFile(join(folder, 'terraform.tfstate'), 'utf8'))
const names = async (folder: string) =>
  (await state(folder)).resources.map(({ name }: { name: string }) => name)

test('a stack is planned, made, left alone, changed and destroyed', async ({ folder, said, carryOut }) => {
  const put = (names: string[]) => writeFile(join(folder, 'main.tf.json'), resources(names))
  await put(['a', 'b'])
  assert.is(await carryOut({ planOnly: true, verbose: true }), 'planned')
  assert.ok(said.includes('  + terraform_data.a'))
  assert.ok(said.includes('The plan: 2 to add, 0 to change, 0 to destroy.'))
  assert.match(said.join('\n'), 'resource "terraform_data" "a"')
  assert.not(existsSync(join(folder, 'terraform.tfstate')))

  assert.is(await carryOut(), 'changed')
  assert.match(said.join('\n'), /\+ terraform_data\.b done \(\d+ s\)/)
  assert.equal(await names(folder), ['a', 'b'])
  assert.is(await carryOut({ upgrade: true }), 'unchanged')

  await put(['b'])
  assert.is(await carryOut(), 'changed')
  assert.ok(said.includes('  - terraform_data.a'))
  assert.equal((await state(folder)).outputs.names.value, ['b'])
  assert.is(await carryOut({ destroy: true }), 'changed')
  assert.equal(await names(folder), [])
  assert.not((await readdir(folder)).some(name => name.endsWith('.tfplan')))
})

test('a state that could not be saved is taken up', async ({ folder, carryOut }) => {
  await writeFile(join(folder, 'main.tf.json'), resources(['a']))
  await carryOut()
  await copyFile(join(folder, 'terraform.tfstate'), join(folder, 'errored.tfstate'))
  await rm(join(folder, 'terraform.tfstate'))
  assert.is(await carryOut(), 'unchanged')
  assert.equal(await names(folder), ['a'])
  assert.not(existsSync(join(folder, 'errored.tfstate')))
})

test('an apply that is interrupted stops in order, and goes on from what it made', async ({
  folder,
  said,
  carryOut,
}) => {
  const begun = join(folder, 'begun')
  const slow = {
    depends_on: ['terraform_data.a'],
    provisioner: { 'local-exec': { command: `touch '${begun}' && exec sleep 60` } },
  }
  const first = JSON.parse(resources(['a']))
  const both = JSON.parse(resources(['b'], slow))
  Object.assign(both.resource.terraform_data, first.resource.terraform_data)
  await writeFile(join(folder, 'main.tf.json'), JSON.stringify(both))
  const carried = carryOut()
  await until(() => existsSync(begun), 'the second resource to be begun')
  process.emit('SIGINT', 'SIGINT')
  assert.is(await carried, 'interrupted')
  assert.ok(said.some(line => line.includes('terraform_data.a done')))
  assert.ok((await names(folder)).includes('a'))

  await writeFile(join(folder, 'main.tf.json'), resources(['a']))
  assert.is(await carryOut(), 'changed')
  assert.equal(await names(folder), ['a'])
})

test('what Terraform complains of is told, of a module and of a state', async ({ folder, carryOut }) => {
  const complaint = () => carryOut().then(String, (error: Error) => error.message)
  await writeFile(join(folder, 'main.tf.json'), '{ "resource": { "nothing_known": { "a": {} } } }')
  assert.match(await complaint(), /init failed in .*: .*provider/is)
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is Terraform's.
  await writeFile(join(folder, 'main.tf.json'), '{ "output": { "a": { "value": "${local.none}" } } }')
  assert.match(await complaint(), /plan failed in .*: Reference to undeclared local value/)
  await writeFile(join(folder, 'terraform.tfstate'), 'spoilt')
  assert.match(await complaint(), /failed in .*: .*state/is)
  assert.is(await readFile(join(folder, 'terraform.tfstate'), 'utf8'), 'spoilt')
})

if (program) test.run()
else
  console.error(
    '\n*** LEFT OUT: deploy with the real Terraform: there is neither terraform nor tofu on PATH\n',
  )
