import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../support/free-port.ts'
import { needNpm } from '../support/need.ts'
import { until } from '../support/until.ts'

/** A registry of npm's on this machine, empty. */
export interface NpmRegistry {
  url: string
  /** Puts an archive into it. Throws what npm says. */
  publish(archive: string): void
  close(): void
}

// The newest 6.x wants Node 22, and none installs with the node-fetch that it asks for.
const verdaccio = 'verdaccio@6.8.0'
const overrides = { 'node-fetch': '2.7.0' }

/** Starts Verdaccio with its files in a folder; undefined where it cannot be had. */
export async function startNpmRegistry(folder: string): Promise<NpmRegistry | undefined> {
  const home = needNpm([verdaccio], overrides)
  if (!home) return undefined
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  const url = `http://${host}/`
  const config = join(folder, 'config.yaml')
  writeFileSync(
    config,
    JSON.stringify({
      storage: join(folder, 'storage'),
      auth: { htpasswd: { file: join(folder, 'htpasswd') } },
      packages: { '**': { access: '$all', publish: '$all' } },
      // An executable, in base64.
      max_body_size: '300mb',
      log: { type: 'stdout', level: 'error' },
    }),
  )
  const program = join(home, 'node_modules/verdaccio/bin/verdaccio')
  const server = spawn('node', [program, '--config', config, '--listen', host], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const close = () => void server.kill('SIGKILL')
  // However this process ends.
  process.once('exit', close)
  const answers = () =>
    fetch(`${url}-/ping`).then(
      ({ ok }) => ok,
      () => false,
    )
  await until(answers, 'Verdaccio')
  // It takes anybody's packages, and npm wants a token all the same.
  const npmrc = join(folder, 'npmrc')
  writeFileSync(npmrc, `registry=${url}\n//${host}/:_authToken=anybody\n`)
  return {
    url,
    publish(archive) {
      const args = ['publish', archive, '--provenance=false', '--userconfig', npmrc]
      const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' })
      if (status !== 0) throw new Error(`${archive} was not published: ${stderr}`)
    },
    close,
  }
}
