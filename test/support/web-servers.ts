import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort } from './free-port.ts'
import { need, needPip } from './need.ts'
import { until } from './until.ts'

/** A web server of the world's, in a folder of its own, and the requests that it has read. */
export interface WebServer {
  name: string
  port: number
  /** A line for each request: its request line, as the server understood it. */
  log(): Promise<string>
  close(): Promise<void>
}

type Start = (folder: string, port: number) => Promise<{ program: string; args: string[]; log: string }>

/** Starts nginx, Apache and gunicorn, as far as they can be had. */
export async function webServers(): Promise<WebServer[]> {
  const servers: WebServer[] = []
  if (need(['nginx-light'], ['nginx'])) servers.push(await start('nginx', nginx))
  if (need(['apache2'], ['apache2'])) servers.push(await start('Apache', apache))
  const python = needPip(['gunicorn'])
  if (python) servers.push(await start('gunicorn', gunicorn(python)))
  return servers
}

// --- internal ---

async function start(name: string, how: Start): Promise<WebServer> {
  const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  await mkdir(join(folder, 'www'), { mode: 0o755 })
  const port = await freePort()
  const { program, args, log } = await how(folder, port)
  let said = ''
  const child: ChildProcess = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', chunk => {
      said += chunk
    })
  await until(() => listens(port), `${name} to listen: ${said}`)
  return {
    name,
    port,
    log: () => readFile(log, 'latin1').catch(() => ''),
    async close() {
      if (child.exitCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const listens = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

const nginx: Start = async (folder, port) => {
  const log = join(folder, 'access.log')
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  log_format line '$request'; access_log ${log} line;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${port}; location / { return 200 "ok"; } }
}`,
  )
  return { program: 'nginx', args: ['-p', folder, '-c', join(folder, 'nginx.conf')], log }
}

const apache: Start = async (folder, port) => {
  const log = join(folder, 'access.log')
  const modules = ['mpm_event', 'authz_core', 'dir']
    .map(name => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
    .join('\n')
  await writeFile(join(folder, 'www/index.html'), 'ok')
  await writeFile(
    join(folder, 'httpd.conf'),
    `${modules}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
ErrorLog ${folder}/error.log
LogFormat "%r" line
CustomLog ${log} line
DocumentRoot ${folder}/www
FallbackResource /index.html
User www-data
Group www-data
`,
  )
  // Its workers are of another user.
  spawn('chmod', ['755', folder])
  return { program: 'apache2', args: ['-X', '-f', join(folder, 'httpd.conf')], log }
}

const gunicorn =
  (python: string): Start =>
  async (folder, port) => {
    const log = join(folder, 'access.log')
    await writeFile(
      join(folder, 'app.py'),
      `def app(environ, start_response):
    environ['wsgi.input'].read()
    start_response('200 OK', [('Content-Length', '2')])
    return [b'ok']
`,
    )
    return {
      program: join(dirname(python), 'gunicorn'),
      args: [
        '--bind',
        `127.0.0.1:${port}`,
        '--worker-class=gthread',
        '--threads=32',
        '--access-logfile',
        log,
        '--access-logformat',
        '%(r)s',
        'app:app',
      ],
      log,
    }
  }
