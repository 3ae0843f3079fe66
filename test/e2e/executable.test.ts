import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { unzipSync } from 'fflate'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildAll } from '../../cli/build/build.ts'
import { thisPlatform } from '../../cli/build/targets.ts'
import { terraformModule } from '../../cli/deploy/assets.ts'
import { version } from '../../package.json'
import { makeHome } from '../support/command.ts'
import { leftBehind } from '../support/left-behind.ts'
import { startMoto } from '../support/moto.ts'
import { need } from '../support/need.ts'
import { patient } from '../support/patience.ts'
import { motoEnvironment } from '../support/stack.ts'
import { putTerraform } from '../support/terraform-stand-in.ts'

const root = join(import.meta.dir, '../..')
const limitMs = patient(30_000)

interface Context {
  /** What the build wrote. */
  dist: string
  /** Where the executable was copied: it is all that lies there. */
  folder: string
  /** What it takes for the user's home, and in it for the folder of temporary files. */
  home: string
  temporary: string
  executable: string
  environment: Record<string, string>
}

const native = thisPlatform()
const test = suite<Context>('the executable, alone in a folder, without node, bun or node_modules')

test.before(async context => {
  context.dist = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  await buildAll({ outdir: context.dist, native })
})

test.before.each(async context => {
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.home = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.temporary = join(context.home, 'tmp')
  await mkdir(context.temporary)
  const name = `lambda-nat-proxy${native!.suffix}`
  context.executable = join(context.folder, name)
  await copyFile(join(context.dist, name), context.executable)
  const { home, temporary } = context
  context.environment = { PATH: join(home, 'none'), HOME: home, TMPDIR: temporary, NO_COLOR: '1' }
})

test.after.each(async ({ folder, home }) => {
  await rm(folder, { recursive: true, force: true })
  await rm(home, { recursive: true, force: true })
})

test.after(({ dist }) => rm(dist, { recursive: true, force: true }))

/** Runs a command that ends by itself. */
const execute = ({ executable, folder, environment }: Context, ...args: string[]) =>
  spawnSync(executable, args, { cwd: folder, env: environment, encoding: 'utf8', timeout: limitMs })

/** What a command that succeeds prints. */
function output(context: Context, ...args: string[]): string {
  const { status, stdout, stderr } = execute(context, ...args)
  assert.is(status, 0, `${args.join(' ')}: ${stderr}`)
  return stdout
}

test('it knows its version', context => {
  assert.is(output(context, '--version'), `${version}\n`)
})

test('it has every command of the sources, each with its options', context => {
  const fromSources = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'cli/main.ts'), ...args], {
      env: { ...process.env, NO_COLOR: '1' },
      encoding: 'utf8',
    }).stdout
  const help = output(context, '--help')
  assert.is(help, fromSources('--help'))
  const commands = [
    ...help
      .split('COMMANDS')[1]!
      .split('OPTIONS')[0]!
      .matchAll(/^ {2}(\S+)/gm),
  ].map(([, name]) => name!)
  assert.ok(commands.includes('run'))
  for (const command of commands)
    assert.is(output(context, command, '--help'), fromSources(command, '--help'))
})

test('what is typed at its questions is in the file', async ({ executable }) => {
  const home = await makeHome()
  home.command = [executable]
  try {
    const { code, said } = await home.onTerminal('AWS regions', 'eu-west-1\r3\r', 'config', 'init')
    assert.is(code, 0, said)
    const settings = JSON.parse((await home.run('config', 'show', '--json')).stdout).settings
    assert.equal(settings['aws.regions'].value, ['eu-west-1'])
    assert.is(settings['deployment.mode'].value, 'performance')
  } finally {
    await home.remove()
  }
})

test('files of the folder that it is started in have no say in it', async context => {
  const settings = () => output(context, 'config', 'show', '--json')
  const before = settings()
  await writeFile(join(context.folder, '.env'), 'LAMBDA_NAT_PROXY_PROXY_PORT=4242\n')
  await writeFile(join(context.folder, 'bunfig.toml'), 'preload = ["./preload.ts"]\n')
  await writeFile(join(context.folder, 'preload.ts'), 'process.stdout.write("preloaded")\n')
  assert.is(settings(), before)
  context.environment.LAMBDA_NAT_PROXY_PROXY_PORT = '4242'
  assert.match(settings(), '4242')
  delete context.environment.LAMBDA_NAT_PROXY_PROXY_PORT
})

test('it proxies a download by an exit that runs in itself, and ends without a trace', async context => {
  if (!need(['curl'], ['curl'])) return
  const { executable, folder, home, temporary, environment, dist } = context
  const content = randomBytes(20_000_000)
  const web = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(content) })
  const args = ['run', '--local', '--allow-private', '--port', '0', '--json']
  const proxy = spawn(executable, args, {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  })
  try {
    const exit = once(proxy, 'close')
    const { port, functions } = await ready(proxy)
    const curl = spawn('curl', ['-sS', '--socks5-hostname', `127.0.0.1:${port}`, web.url.href])
    const hash = createHash('sha256')
    for await (const chunk of curl.stdout) hash.update(chunk)
    assert.is(hash.digest('hex'), createHash('sha256').update(content).digest('hex'))

    // Its commands reach it.
    const [listed] = JSON.parse(execute(context, 'exits', '--json').stdout)
    assert.is(listed.phase, 'active')

    // What runs is what would be deployed.
    const [cloud] = leftBehind(temporary, home)
    const zip = unzipSync(await readFile(join(dist, 'function.zip')))
    assert.equal((await readdir(join(cloud!, 'function'))).sort(), Object.keys(zip).sort())
    for (const [name, bytes] of Object.entries(zip))
      assert.ok(Buffer.from(bytes).equals(await readFile(join(cloud!, 'function', name))), name)

    proxy.kill('SIGINT')
    assert.equal(await exit, [0, null])
    assert.ok(functions.size > 0)
    for (const pid of functions) assert.throws(() => process.kill(pid, 0), /ESRCH/)
    assert.equal(await readdir(folder), ['lambda-nat-proxy'])
    assert.equal(leftBehind(temporary, home), [])
    assert.equal(await readdir(temporary), [])
  } finally {
    proxy.kill('SIGKILL')
    await web.stop(true)
  }
})

test('it writes a configuration and reads it back', async context => {
  const path = join(context.home, '.config/lambda-nat-proxy/lambda-nat-proxy.yaml')
  assert.is(output(context, 'config', 'path').trim(), path)
  output(context, 'config', 'init')
  const name = /^ *stack_name: *(\S+)/m.exec(await readFile(path, 'utf8'))![1]!
  assert.match(output(context, 'config', 'show'), name)
})

test('without Terraform a deployment says how to get it', context => {
  const { status, stderr } = execute(context, 'deploy', '--plan')
  assert.is(status, 1)
  assert.match(stderr, 'neither terraform nor tofu was found on PATH. Install Terraform')
})

test('it plans a deployment of the module and the function that it carries', async context => {
  const moto = await startMoto()
  if (!moto) return
  try {
    Object.assign(context.environment, motoEnvironment(moto.endpoint))
    await putTerraform(context.home)
    const terraform = join(context.home, 'terraform')
    const name = 'from-executable'
    assert.match(output(context, 'deploy', '--plan', '--name', name, '--terraform', terraform), '1 to add')
    const state = join(context.home, '.local/state/lambda-nat-proxy', name)
    // The policy is for this stack by name: it is not the module's very bytes.
    const { 'README.md': _, 'deployer-policy.json': __, ...module } = await terraformModule()
    const files = { ...module, 'function.zip': await readFile(join(context.dist, 'function.zip')) }
    for (const [file, content] of Object.entries(files))
      assert.ok((await readFile(join(state, file))).equals(content), file)
  } finally {
    await moto.close()
  }
})

/** Waits for the proxy; gives its port and the processes of its functions. */
async function ready(proxy: ChildProcess): Promise<{ port: number; functions: Set<number> }> {
  let errors = ''
  proxy.stderr!.on('data', chunk => {
    errors += chunk
  })
  const functions = new Set<number>()
  return new Promise((resolve, reject) => {
    createInterface({ input: proxy.stdout! })
      .on('line', line => {
        const event = JSON.parse(line)
        if (event.type === 'function.log') functions.add(event.fields.pid)
        if (event.type === 'proxy.ready') resolve({ port: event.port, functions })
      })
      .on('close', () => reject(new Error(`the proxy ended before it was ready: ${errors}`)))
  })
}

if (native) test.run()
else console.error(`*** LEFT OUT: there is no executable for ${process.platform}-${process.arch}`)
