import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseConfig } from '../../cli/config/file.ts'
import { settle } from '../../cli/config/load.ts'
import { wrongRegion } from '../../cli/config/regions.ts'
import { keys } from '../../cli/config/settings.ts'
import { configTemplate } from '../../cli/config/template.ts'
import { UsageError } from '../../cli/input/usage-error.ts'
import { inWords } from '../../cli/output/advice.ts'

const test = suite('configuration')

/** What is said of a file; fails when nothing is. */
function refusal(text: string): string {
  try {
    parseConfig('file.yaml', text)
  } catch (error) {
    assert.instance(error, UsageError)
    return inWords(error).join()
  }
  throw new Error(`accepted: ${text}`)
}

const values = (text: string) =>
  Object.fromEntries([...parseConfig('file.yaml', text).settings].map(([key, { value }]) => [key, value]))

test('a file sets what it names, and one region or server is a list of one', () => {
  const text = `
aws: { region: eu-central-1, profile: work }
deployment:
  stack_name: team-proxy
  mode: test
proxy:
  port: 0
  stun_server: stun.example.org`
  assert.equal(values(text), {
    'aws.regions': ['eu-central-1'],
    'aws.profile': 'work',
    'deployment.stack_name': 'team-proxy',
    'deployment.mode': 'test',
    'proxy.port': 0,
    'proxy.stun_server': ['stun.example.org'],
  })
  assert.equal(values('aws:\n  regions: [eu-west-1, us-east-1, eu-west-1]'), {
    'aws.regions': ['eu-west-1', 'us-east-1'],
  })
})

test('a section or a key with nothing after it is as good as left out', () => {
  assert.equal(values('aws:\nproxy:\n  port:\n'), {})
  assert.equal(values('# all of it is a comment\n'), {})
})

for (const [what, text, ...words] of [
  ['an empty file', ' \n', 'file.yaml: is empty', 'config init --force'],
  ['a tab', 'proxy:\n\tport: 1', 'file.yaml:2:', 'tab'],
  ['what is not YAML', 'proxy: [', 'file.yaml:1:', 'not YAML'],
  ['prose', 'hello', 'file.yaml:1:', 'key: value'],
  ['a list', '- a', 'file.yaml:1:', 'key: value'],
  ['two documents', 'proxy:\n---\nproxy:', 'file.yaml:'],
  ['a key twice', 'proxy:\n  port: 1\n  port: 2', 'file.yaml:3:', 'twice'],
  ['an unknown section', 'aws:\nporxy:\n  port: 1', 'file.yaml:2:', "'porxy'", 'did you mean proxy?', 'aws'],
  ['an unknown key', 'proxy:\n  prot: 1', 'file.yaml:2:', 'did you mean proxy.port?', 'proxy.host'],
  ['a section that is a text', 'proxy: 1080', 'file.yaml:1:', 'proxy must hold'],
  ['a port that is a text', 'proxy:\n  port: "1"', 'file.yaml:2:', 'proxy.port', '0 to 65535'],
  ['a port beyond 65535', 'proxy:\n  port: 65536', 'file.yaml:2:', '0 to 65535'],
  ['a mode that is none', 'deployment:\n  mode: fast', 'file.yaml:2:', 'test, normal, performance'],
  ['a long name', `deployment:\n  stack_name: ${'x'.repeat(39)}`, 'file.yaml:2:', '39', '38', 'buckets'],
  ['a name in capitals', 'deployment:\n  stack_name: Proxy', 'file.yaml:2:', 'lower-case'],
  ['a name that is a number', 'deployment:\n  stack_name: 1234', 'file.yaml:2:', 'must be a text'],
  ['an unknown region', 'aws:\n  region: eu-centrl-1', 'file.yaml:2:', 'did you mean eu-central-1?'],
  ['a region that is a number', 'aws:\n  regions: [1]', 'file.yaml:2:', 'name of a region'],
  [
    'two names for one setting',
    'aws:\n  region: eu-west-1\n  regions: [eu-west-2]',
    'file.yaml:3:',
    'leave out',
  ],
  ['a rotation that never ends', 'fleet:\n  rotate: 1ms', 'file.yaml:2:', '1s or more'],
  ['an idle time that is none', 'fleet:\n  idle: soon', 'file.yaml:2:', 'or never'],
  ['an idle time that is too short', 'fleet:\n  idle: 20ms', 'file.yaml:2:', '1s or more'],
  ['a duration without its unit', 'fleet:\n  rotate: 90', 'file.yaml:2:', 'has no unit', '90s', '90m'],
  ['an alias of nothing', 'aws:\n  region: *there', 'file.yaml:2:', 'quotes'],
  ['no STUN server', 'proxy:\n  stun_server: []', 'file.yaml:2:', 'no STUN server'],
  ['a malformed STUN server', 'proxy:\n  stun_server: [a b]', 'file.yaml:2:', "'a b'"],
] as const)
  test(`${what} is refused with the line and what is allowed`, () => {
    const said = refusal(text)
    for (const word of words) assert.ok(said.includes(word), `${word} in: ${said}`)
  })

test('all that is wrong in a file is said at once', () => {
  const text = 'proxy:\n  prot: 1\n  port: x\nporxy:\naws:\n  region: nowhere\n'
  try {
    parseConfig('file.yaml', text)
    assert.unreachable()
  } catch (error) {
    const said = inWords(error)
    assert.is(said.length, 4)
    for (const [i, line] of [2, 3, 4, 6].entries()) assert.match(said[i]!, `file.yaml:${line}: `)
  }
})

test('an option comes before the environment, before the file, before the default', () => {
  const inFile = parseConfig('file.yaml', 'proxy:\n  port: 3\n  host: "::1"\naws:\n  profile: work\n')
  const env = { LAMBDA_NAT_PROXY_PROXY_PORT: '2', LAMBDA_NAT_PROXY_PROXY_HOST: '127.0.0.2', AWS_PROFILE: '' }
  const { values, sources } = settle({ port: '1' }, env, inFile)
  assert.is(values['proxy.port'], 1)
  assert.equal(sources['proxy.port'], { kind: 'flag', where: '--port' })
  assert.is(values['proxy.host'], '127.0.0.2')
  assert.equal(sources['proxy.host'], { kind: 'environment', where: 'LAMBDA_NAT_PROXY_PROXY_HOST' })
  assert.is(values['aws.profile'], 'work')
  assert.equal(sources['aws.profile'], { kind: 'file', where: 'file.yaml:5' })
  assert.is(values['deployment.mode'], 'normal')
  assert.equal(sources['deployment.mode'], { kind: 'default', where: '' })
})

test("Terraform's own variable names the processor, which the bundle must be of, too", () => {
  assert.is(settle({}, { TF_VAR_architecture: 'arm64' }).values['deployment.architecture'], 'arm64')
  assert.is(settle({}, {}).values['deployment.architecture'], 'x86_64')
})

test("the SDK's own variables name region and profile, after ours", () => {
  const env = { AWS_DEFAULT_REGION: 'us-east-1', AWS_REGION: 'us-west-2', AWS_PROFILE: 'work' }
  const { values } = settle({}, env)
  assert.equal(values['aws.regions'], ['us-west-2'])
  assert.is(values['aws.profile'], 'work')
  const ours = settle({}, { ...env, LAMBDA_NAT_PROXY_AWS_REGIONS: 'eu-west-1, eu-west-2' })
  assert.equal(ours.values['aws.regions'], ['eu-west-1', 'eu-west-2'])
})

test('a wrong option and a wrong variable are named', () => {
  assert.throws(() => settle({ port: 'x' }, {}), /--port x .*0 to 65535/)
  assert.throws(() => settle({}, { AWS_REGION: 'nowhere' }), /AWS_REGION nowhere/)
})

test("AWS's regions are known, and with another endpoint its own", () => {
  for (const name of ['eu-central-1', 'us-gov-west-1', 'cn-north-1']) assert.is(wrongRegion(name), undefined)
  for (const name of ['local-1', 'aws-global', 'EU-CENTRAL-1', ''])
    assert.type(wrongRegion(name), 'string', name)
  process.env.AWS_ENDPOINT_URL = 'http://127.0.0.1:1'
  assert.is(wrongRegion('local-1'), undefined)
  delete process.env.AWS_ENDPOINT_URL
})

test('a new file sets what it was given, and names all else in comments', () => {
  const given = { 'deployment.stack_name': 'team-proxy', 'aws.regions': ['eu-central-1'], 'proxy.port': 0 }
  const text = configTemplate(given)
  assert.equal(values(text), given)
  for (const key of keys) assert.match(text, `${key.split('.')[1]}:`)
  // With the comment signs gone it is a file that sets everything.
  const all = values(text.replace(/^ {2}# (\w+:)/gm, '  $1'))
  assert.equal(Object.keys(all).sort(), [...keys].sort())
})

test.run()
