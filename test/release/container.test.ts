import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { version } from '../../package.json'
import { need } from '../support/need.ts'
import { firstPage } from './first-page.ts'
import { staged } from './staged.ts'

// The container image, built by Buildah from a release's archive. Its base comes from a registry that a test should
// not lean on: the same libraries from Debian's packages, without a shell as there, stand in for it.

const container = join(import.meta.dir, '../../cli/build/container')
const dockerfile = readFileSync(join(container, 'Dockerfile'), 'utf8')
const base = /^FROM (gcr\.io\S+)$/m.exec(dockerfile)![1]!
const packages = ['libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates']
/** User and group `nonroot` of the base. */
const user = '65532'
const limitMs = 240_000

interface Context {
  folder: string
  /** Runs Buildah on a store of its own; gives its output. Throws what it says when it fails. */
  buildah(...args: string[]): string
  command: string[]
}

const test = suite<Context>('the container image')

test.before(context => {
  const folder = mkdtempSync(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const store = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs']
  context.folder = folder
  context.buildah = (...args) => run('buildah', [...store, ...args])
  const { buildah } = context

  const blank = buildah('from', 'scratch')
  buildah('add', '--quiet', blank, standIn(folder), '/')
  buildah('config', '--user', user, '--workingdir', '/home/nonroot', '--env', 'HOME=/home/nonroot', blank)
  buildah('commit', '--quiet', blank, base)

  // Buildah before 1.30 finds no stage whose name is an argument.
  const file = join(folder, 'Dockerfile')
  writeFileSync(file, dockerfile.replaceAll(/\$\{TARGETARCH\}/g, 'amd64'))
  const build = ['bud', '--isolation', 'chroot', '--pull-never', '--format', 'docker', '--tag', 'image']
  buildah(...build, '--file', file, staged().folder)
  const files = buildah('mount', buildah('from', '--pull-never', 'localhost/image'))
  // As a runtime would, but for the signals: Buildah hands none on. The mounts end with the process.
  const mounts = ['proc', 'dev'].map(name => `mount --bind /${name} "$0/${name}"`)
  const script = `${mounts.join(' && ')} && exec chroot --userspec=${user}:${user} "$0" "$@"`
  const program = '/opt/lambda-nat-proxy/lambda-nat-proxy'
  context.command = ['unshare', '--mount', 'sh', '-c', script, files, program]
})
test.after(({ folder, buildah }) => {
  buildah('rm', '--all')
  rmSync(folder, { recursive: true, force: true })
})

test('it runs the proxy as a user of its own, and says how it is', ({ buildah, command }) => {
  const { Docker } = JSON.parse(buildah('inspect', '--type', 'image', 'localhost/image'))
  const { config } = Docker
  assert.is(config.User, 'nonroot')
  assert.equal([...config.Entrypoint, ...config.Cmd], ['lambda-nat-proxy', 'run'])
  assert.equal(config.Healthcheck.Test, ['CMD', 'lambda-nat-proxy', 'exits', '--json'])
  const [program, ...args] = command
  assert.is(run(program!, [...args, '--version']), version)
})

test('a page comes through it', async ({ command, folder }) => {
  const { ms } = await firstPage(command, { PATH: process.env.PATH!, HOME: '/home/nonroot' }, folder)
  console.log(`the first page after ${Math.round(ms)} ms`)
})

test('the example for Compose builds this file, on a network and with rights that suffice', () => {
  const { services } = parse(readFileSync(join(container, 'compose.yaml'), 'utf8'))
  const { build, network_mode, read_only, cap_drop, tmpfs } = services.proxy
  assert.is(join(container, build.context, build.dockerfile), join(container, 'Dockerfile'))
  assert.is(network_mode, 'host')
  assert.ok(read_only)
  assert.equal(cap_drop, ['ALL'])
  assert.match(tmpfs[0], `:exec,uid=${user},gid=${user}`)
})

/** An archive of a root file system with what the base has and the program needs. */
function standIn(folder: string): string {
  const root = join(folder, 'base')
  const debs = join(folder, 'debs')
  for (const path of [debs, ...['etc', 'tmp', 'proc', 'dev', 'home/nonroot'].map(name => join(root, name))])
    mkdirSync(path, { recursive: true })
  const unpack = 'apt-get -qq download "$@" && for deb in *.deb; do dpkg -x "$deb" ../base; done'
  run('sh', ['-c', unpack, 'sh', ...packages], debs)
  writeFileSync(join(root, 'etc/passwd'), `nonroot:x:${user}:${user}::/home/nonroot:/sbin/nologin\n`)
  writeFileSync(join(root, 'etc/group'), `nonroot:x:${user}:\n`)
  chmodSync(join(root, 'tmp'), 0o1777)
  run('chown', ['-R', `${user}:${user}`, join(root, 'home/nonroot')])
  const archive = join(folder, 'base.tar')
  run('tar', ['cf', archive, '-C', root, '.'])
  return archive
}

function run(program: string, args: string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: limitMs,
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? ''}${stdout}${stderr}`)
  return stdout.trim()
}

if (need(['buildah', 'curl'], ['buildah', 'curl', 'dpkg']) && process.getuid?.() === 0) test.run()
