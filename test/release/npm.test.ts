import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cliName, engineName } from '../../cli/build/npm/packages.ts'
import { version } from '../../package.json'
import { need } from '../support/need.ts'
import { firstPage } from './first-page.ts'
import { type NpmRegistry, startNpmRegistry } from './npm-registry.ts'
import { staged, target } from './staged.ts'

// The packages of a release, published to a registry on this machine and installed from it on Node alone.

interface Context {
  folder: string
  registry: NpmRegistry
  home: string
  environment: Record<string, string>
}

const test = suite<Context>('installed by npm')
const programs = need(['nodejs', 'npm', 'curl'], ['node', 'npm', 'npx', 'curl'])
const folder = mkdtempSync(join(tmpdir(), 'lambda-nat-proxy-test-'))
const registry = programs ? await startNpmRegistry(folder) : undefined

test.before(context => {
  Object.assign(context, { folder, registry })
  const packages = join(staged().folder, 'npm')
  for (const file of readdirSync(packages).sort()) registry!.publish(join(packages, file))
})
test.before.each(context => {
  context.home = mkdtempSync(join(folder, 'home-'))
  const { home } = context
  mkdirSync(join(home, 'tmp'))
  context.environment = {
    PATH: `${home}/.local/bin:${process.env.PATH}`,
    HOME: home,
    TMPDIR: join(home, 'tmp'),
    npm_config_registry: registry!.url,
    npm_config_prefix: join(home, '.local'),
    npm_config_update_notifier: 'false',
  }
})
test.after(() => {
  registry?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** npx waits for the program, and then ends by the signal that it was sent. */
const byNpx = [null, 'SIGINT']

const npm = ({ environment, home }: Context, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: home, env: environment, encoding: 'utf8' })
  assert.is(status, 0, `${stdout}${stderr}`)
  return stdout
}
/** Files in a home, but for npm's caches and what the README has one delete. */
const filesIn = (home: string) =>
  readdirSync(home, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(home.length + 1))
    .filter(
      path =>
        !/^(\.npm|tmp\/node-compile-cache|\.cache\/lambda-nat-proxy|\.local\/state\/lambda-nat-proxy)\//.test(
          path,
        ),
    )

test('installed with npm it carries a page, and is uninstalled without a trace', async context => {
  const { home, environment } = context
  npm(context, 'install', '--global', 'lambda-nat-proxy')
  const program = join(home, '.local/bin/lambda-nat-proxy')
  const { ms } = await firstPage([program], environment, home)
  console.log(`figure: npm install -g, first page ${Math.round(ms)} ms after the command`)
  const modules = join(home, '.local/lib/node_modules/lambda-nat-proxy/node_modules/@lambda-nat-proxy')
  assert.equal(readdirSync(modules), [`cli-${target.platform}`])
  npm(context, 'uninstall', '--global', 'lambda-nat-proxy')
  assert.equal(filesIn(home), [])
})

test('run once by npx it carries a page', async ({ home, environment }) => {
  const { ms } = await firstPage(['npx', '--yes', 'lambda-nat-proxy'], environment, home, byNpx)
  console.log(`figure: npx, download and first page ${Math.round(ms)} ms after the command`)
  const again = await firstPage(['npx', '--yes', 'lambda-nat-proxy'], environment, home, byNpx)
  console.log(`figure: npx once more, first page ${Math.round(again.ms)} ms after the command`)
  assert.equal(filesIn(home), [])
})

test('arguments, exit codes and signals pass through', async context => {
  const { home, environment } = context
  npm(context, 'install', '--global', 'lambda-nat-proxy')
  const program = join(home, '.local/bin/lambda-nat-proxy')
  const run = (...args: string[]) =>
    spawnSync(program, args, { env: environment, encoding: 'utf8', timeout: 20_000 })
  assert.is(run('--version').stdout, `${version}\n`)
  assert.is(run('help', 'no such').status, 2)
  assert.match(run('help', 'no such').stderr, "'no such'")
  // An executable that tells what it is given, and one that a signal ends.
  const inside = join(home, '.local/lib/node_modules/lambda-nat-proxy/node_modules/@lambda-nat-proxy')
  const replaced = join(inside, `cli-${target.platform}/bin/lambda-nat-proxy`)
  const replace = (script: string) => writeFileSync(replaced, `#!/bin/sh\n${script}\n`)
  replace('printf "<%s>" "$@"; exit 42')
  const { stdout, status } = run('a b', '', '*')
  assert.equal([stdout, status], ['<a b><><*>', 42])
  replace('kill -TERM $$')
  assert.is(run().signal, 'SIGTERM')
  for (const signal of ['INT', 'TERM', 'HUP', 'QUIT']) {
    replace(`trap 'exit 7' ${signal}; kill -${signal} $PPID; while :; do sleep 0.1; done`)
    assert.is(run().status, 7, signal)
  }
  chmodSync(replaced, 0o644)
  assert.is(run().status, 126)
  assert.match(run().stderr, 'cannot be run (EACCES)')
})

test('without the package of the platform it says what to do', context => {
  const { home, environment } = context
  npm(context, 'install', '--global', 'lambda-nat-proxy')
  rmSync(join(home, '.local/lib/node_modules/lambda-nat-proxy/node_modules'), { recursive: true })
  const { status, stderr } = spawnSync('lambda-nat-proxy', ['run'], {
    env: environment,
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.is(status, 127)
  assert.match(stderr, `the package ${cliName(target)} is not installed`)
  assert.not(existsSync(join(home, '.cache/lambda-nat-proxy')))
})

test('the engine of its package is the one that runs from the sources', context => {
  const { home } = context
  const root = join(import.meta.dir, '../..')
  // As a checkout without Rust has it.
  for (const path of [
    'tunnel/quic/engines/native/binding.ts',
    ...['file.ts', 'index.d.ts'].map(name => `native/engine/${name}`),
  ])
    spawnSync('cp', ['--parents', path, home], { cwd: root })
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }')
  const look = () =>
    spawnSync(
      process.execPath,
      [
        '-e',
        'console.log((await import("./tunnel/quic/engines/native/binding.ts")).loadBinding()?.version())',
      ],
      { cwd: home, encoding: 'utf8' },
    ).stdout.trim()
  assert.is(look(), 'undefined')
  npm(context, 'install', engineName(target))
  assert.is(look(), version)
})

if (registry) test.run()
