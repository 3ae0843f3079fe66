import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { tarGz } from '../../cli/build/release/archive.ts'
import { archiveName, stem } from '../../cli/build/release/names.ts'
import { version } from '../../package.json'
import { need } from '../support/need.ts'
import { firstPage } from './first-page.ts'
import { staged, target } from './staged.ts'

// install.sh of a release, from a web server on this machine, in an empty home.

interface Context {
  folder: string
  script: string
  home: string
  environment: Record<string, string>
  /** Path below the releases → what the server gives in place of what was staged. */
  instead: Map<string, Uint8Array>
  server: ReturnType<typeof Bun.serve>
}

const test = suite<Context>('installed by install.sh')

test.before(context => {
  const { folder } = staged()
  context.folder = folder
  context.script = join(folder, 'install.sh')
  context.instead = new Map()
  context.server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: request => {
      const path = new URL(request.url).pathname
      const given = context.instead.get(path)
      if (given) return new Response(given)
      const file = join(folder, path.replace(`/v${version}/`, ''))
      return path.startsWith(`/v${version}/`) && existsSync(file)
        ? new Response(Bun.file(file))
        : new Response('', { status: 404 })
    },
  })
})
test.before.each(context => {
  const { server } = context
  context.instead.clear()
  context.home = mkdtempSync(join(tmpdir(), 'lambda-nat-proxy-test-'))
  context.environment = {
    PATH: '/usr/bin:/bin',
    HOME: context.home,
    LAMBDA_NAT_PROXY_RELEASES: server.url.href.replace(/\/$/, ''),
  }
})
test.after.each(({ home }) => rmSync(home, { recursive: true, force: true }))
test.after(({ server }) => server.stop(true))

interface Ended {
  status: number | null
  said: string
}

/** Runs a script as a person does; not by spawnSync: its server is in this process. */
async function sh({ home, environment }: Context, script: string, ...args: string[]): Promise<Ended> {
  const child = spawn('sh', ['-c', script, 'sh', ...args], { cwd: home, env: environment })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      said += chunk
    })
  const [status] = await once(child, 'close')
  return { status, said }
}

const install = (context: Context, ...args: string[]) =>
  sh(context, 'script=$1; shift; sh "$script" "$@"', context.script, ...args)

async function installed(context: Context, ...args: string[]): Promise<string> {
  const { status, said } = await install(context, ...args)
  assert.is(status, 0, said)
  return said
}

async function refused(context: Context, what: string, ...args: string[]): Promise<void> {
  const { status, said } = await install(context, ...args)
  assert.is(status, 1, said)
  assert.match(said, what)
  assert.equal(readdirSync(context.home), [])
}

test('it carries a page, and goes without a trace', async context => {
  const { home, script, environment } = context
  const began = performance.now()
  const { status, said } = await sh(context, 'cat "$1" | sh', script)
  assert.is(status, 0, said)
  assert.match(said, `Installed lambda-nat-proxy ${version}: ${home}/.local/bin/lambda-nat-proxy`)
  assert.match(said, `export PATH="${home}/.local/bin:$PATH"`)
  await firstPage([join(home, '.local/bin/lambda-nat-proxy')], environment, home)
  console.log(`figure: install.sh and first page ${Math.round(performance.now() - began)} ms`)
  const share = join(home, '.local/share')
  for (const file of [
    'man/man1/lambda-nat-proxy.1',
    'bash-completion/completions/lambda-nat-proxy',
    'doc/lambda-nat-proxy/LICENSE',
  ])
    assert.is(statSync(join(share, file)).mode & 0o777, 0o644)

  const removed = await installed(context, '--uninstall')
  const [, left] = /Yours to delete: (.*)/.exec(removed) ?? []
  if (left) rmSync(left, { recursive: true })
  const others = readdirSync(home, { recursive: true, withFileTypes: true }).filter(
    each => !each.isDirectory(),
  )
  assert.equal(others, [])
  assert.not(existsSync(join(home, '.local/bin')))
  assert.not(existsSync(join(home, '.local/share')))
})

test('a prefix may be anywhere, and other files of it stay', async context => {
  const prefix = join(context.home, 'my tools')
  mkdirSync(join(prefix, 'bin'), { recursive: true })
  writeFileSync(join(prefix, 'bin/other'), '')
  await installed(context, '--prefix', 'my tools')
  const program = join(prefix, 'bin/lambda-nat-proxy')
  assert.is(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout, `${version}\n`)
  // Once more, over one that runs.
  const running = spawn(program, ['cloud', '--s3-port', '0', '--stun-port', '0'], {
    env: context.environment,
  })
  try {
    await once(running.stdout, 'data')
    await installed(context, '--prefix', prefix)
  } finally {
    running.kill('SIGKILL')
  }
  await installed(context, '--prefix', prefix, '--uninstall')
  assert.equal(readdirSync(prefix, { recursive: true }).sort(), ['bin', 'bin/other'])
  await refused(
    { ...context, home: mkdtempSync(join(context.home, 'empty-')) },
    'name its folder with --prefix',
    '--uninstall',
  )
})

test('another file than the released one is not installed', async context => {
  const archive = readFileSync(join(context.folder, archiveName(target)))
  for (const wrong of [
    archive.subarray(0, -1),
    Buffer.concat([archive, Buffer.from('x')]),
    Buffer.from(''),
  ]) {
    context.instead.set(`/v${version}/${archiveName(target)}`, wrong)
    await refused(context, 'nothing was installed')
  }
})

test('what cannot be had is said', async context => {
  await refused(context, `v9.9.9/SHA256SUMS could not be downloaded`, '--version', '9.9.9')
  await refused(context, `"../9" is no version`, '--version', '../9')
  await refused(context, '--prefix needs a value', '--prefix')
  await refused(context, 'there is no option --force', '--force')
  context.environment.LAMBDA_NAT_PROXY_RELEASES = 'http://example.com'
  await refused(context, 'is no https URL')
})

test('another version is checked by its own checksums', async context => {
  const name = stem(target).replace(version, '9.9.9')
  const program = Buffer.from('#!/bin/sh\necho 9.9.9\n')
  const texts = [
    'LICENSE',
    'THIRD_PARTY_LICENSES.txt',
    'man/lambda-nat-proxy.1',
    'completions/lambda-nat-proxy.bash',
    'completions/_lambda-nat-proxy',
    'completions/lambda-nat-proxy.fish',
  ]
  const archive = await tarGz(
    [
      { path: `${name}/lambda-nat-proxy`, content: program, executable: true },
      ...texts.map(path => ({ path: `${name}/${path}`, content: Buffer.from(path) })),
    ],
    new Date(),
  )
  const sum = new Bun.CryptoHasher('sha256').update(archive).digest('hex')
  const sums = (of: string) => Buffer.from(`${'0'.repeat(64)}  function.zip\n${of}  ${name}.tar.gz\n`)
  context.instead.set(`/v9.9.9/${name}.tar.gz`, archive)
  context.instead.set('/v9.9.9/SHA256SUMS', sums('1'.repeat(64)))
  await refused(context, 'nothing was installed', '--version', '9.9.9')
  context.instead.set('/v9.9.9/SHA256SUMS', sums(sum))
  await installed(context, '--version', 'v9.9.9')
  const { stdout } = spawnSync(join(context.home, '.local/bin/lambda-nat-proxy'), { encoding: 'utf8' })
  assert.is(stdout, '9.9.9\n')
})

/** A folder for PATH with these programs alone, and some of the test's own. */
function onlyPrograms({ home }: Context, names: readonly string[], own: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(home, '..', 'lambda-nat-proxy-test-path-'))
  const common = [
    'sh',
    'cat',
    'cut',
    'sed',
    'tar',
    'gzip',
    'mktemp',
    'rm',
    'rmdir',
    'mkdir',
    'cp',
    'mv',
    'chmod',
  ]
  const wanted = [...common, 'uname', 'getconf', ...names].filter(name => !(name in own))
  for (const name of wanted) {
    const found = Bun.which(name)
    if (found) symlinkSync(found, join(folder, name))
  }
  for (const [name, script] of Object.entries(own)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}

test('whatever the machine has to download and to check with will do', async context => {
  if (!need(['curl', 'wget', 'perl', 'openssl'], ['curl', 'wget', 'shasum', 'openssl'])) return
  const pairs = [
    ['wget', 'sha256sum'],
    ['curl', 'shasum', 'perl'],
    ['curl', 'openssl'],
  ]
  for (const names of pairs) {
    const path = onlyPrograms(context, names)
    context.environment.PATH = path
    await installed(context, '--prefix', join(context.home, names.join('-')))
    rmSync(path, { recursive: true })
  }
})

test('on a machine that there is nothing for it says so', async context => {
  const machines: [says: string, programs: string[], own: Record<string, string>][] = [
    [
      'there is no executable for Linux on riscv64',
      ['curl'],
      { uname: '[ "$1" = -m ] && echo riscv64 || echo Linux' },
    ],
    ['there is no executable for FreeBSD', ['curl'], { uname: 'echo FreeBSD' }],
    ['use Scoop or the zip', ['curl'], { uname: 'echo MINGW64_NT-10.0' }],
    ['another C library than glibc', ['curl'], { getconf: 'exit 1' }],
    [
      `version ${version} has no executable for darwin_arm64`,
      ['curl'],
      {
        uname: '[ "$1" = -m ] && echo x86_64 || echo Darwin',
        sysctl: 'echo 1',
      },
    ],
    ['neither curl nor wget', [], {}],
  ]
  for (const [says, programs, own] of machines) {
    const path = onlyPrograms(context, programs, own)
    context.environment.PATH = path
    await refused(context, says)
    rmSync(path, { recursive: true })
  }
})

test('a script that was cut off does nothing', context => {
  const script = readFileSync(context.script)
  const { length } = script
  const lines = [...script.keys()].filter(i => script[i] === 0x0a)
  const last = Array.from({ length: 40 }, (_, i) => length - 2 - i)
  const path = onlyPrograms(context, ['head'], {
    uname: 'echo x >>"$HOME/ran"; echo Linux',
    mktemp: 'echo x >>"$HOME/ran"',
  })
  const runFirst = (bytes: number) =>
    spawnSync('sh', ['-c', 'head -c "$1" "$2" | sh', 'sh', String(bytes), context.script], {
      env: { ...context.environment, PATH: path },
    })
  for (const at of [...lines.filter(i => i < length - 1), ...last]) runFirst(at)
  assert.equal(readdirSync(context.home), [])
  runFirst(length)
  assert.equal(readdirSync(context.home), ['ran'])
  rmSync(path, { recursive: true })
})

test('it keeps to what every shell knows', context => {
  if (!need(['shellcheck', 'dash', 'busybox', 'bash'], ['shellcheck', 'dash', 'busybox', 'bash'])) return
  const checked = spawnSync('shellcheck', ['--shell', 'sh', context.script], { encoding: 'utf8' })
  assert.is(checked.status, 0, checked.stdout)
  for (const shell of [['dash'], ['bash', '--posix'], ['busybox', 'sh']]) {
    const [program, ...args] = shell
    const { status, stdout } = spawnSync(program!, [...args, context.script, '--help'], {
      env: context.environment,
      encoding: 'utf8',
    })
    assert.is(status, 0)
    assert.match(stdout, `install that version (default: ${version})`)
  }
})

test('a step that cannot be done ends it', async context => {
  mkdirSync(join(context.home, '.local'))
  writeFileSync(join(context.home, '.local/bin'), '')
  const { status, said } = await install(context)
  assert.is(status, 1)
  assert.match(said, `${context.home}/.local/bin cannot be made`)
  // The work folder is gone.
  cpSync(context.script, join(context.home, 'install.sh'))
  context.environment.TMPDIR = mkdtempSync(join(context.home, 'tmp-'))
  await install(context)
  assert.equal(readdirSync(context.environment.TMPDIR), [])
})

if (need(['curl', 'tar', 'gzip'], ['curl', 'tar', 'gzip'])) test.run()
