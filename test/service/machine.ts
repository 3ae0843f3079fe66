import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../support/until.ts'

/** A machine with systemd as its first process, in namespaces of its own; its network is this machine's. */
export interface Machine {
  /** Runs a command on it. */
  run(command: readonly string[], env?: Record<string, string>): Promise<Ended>
  /** The same, which must succeed; gives what it printed. */
  must(command: readonly string[], env?: Record<string, string>): Promise<string>
  /** The program, by the paths that it has there. */
  program: readonly string[]
  close(): Promise<void>
}

export interface Ended {
  code: number
  stdout: string
  /** Both outputs, in one line. */
  said: string
}

const root = join(import.meta.dir, '../..')

export async function startMachine(): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const own = ['--mount', '--pid', '--ipc', '--uts', '--cgroup', '--fork', '--kill-child']
  const script = join(import.meta.dir, 'machine.sh')
  const child = spawn('unshare', [...own, 'sh', script, folder, process.execPath, root], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const output of [child.stdout, child.stderr])
    output.on('data', chunk => {
      said += chunk
    })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const first = () => childOf(child.pid!)
  const enter = () => [
    'nsenter',
    '--target',
    String(first()),
    '--mount',
    '--pid',
    '--ipc',
    '--uts',
    '--cgroup',
  ]
  const run = async (command: readonly string[], env: Record<string, string> = {}): Promise<Ended> => {
    const inside = Bun.spawn([...enter(), '--', ...command], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: '/run', ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [stdout, stderr, code] = await Promise.all([
      new Response(inside.stdout).text(),
      new Response(inside.stderr).text(),
      inside.exited,
    ])
    return { code, stdout, said: `${stdout} ${stderr}`.replace(/\s+/g, ' ') }
  }
  const machine: Machine = {
    run,
    async must(command, env) {
      const { code, stdout, said } = await run(command, env)
      if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${said}`)
      return stdout
    },
    program: ['/opt/program/bun', '/opt/program/source/cli/main.ts'],
    async close() {
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
  try {
    const isUp = async () =>
      first() !== undefined && (await run(['systemctl', 'is-active', 'multi-user.target'])).code === 0
    await until(isUp, 'systemd to come up')
    return machine
  } catch (error) {
    await machine.close()
    throw new Error(`${error}: ${said}`)
  }
}

// --- internal ---

/** The first child of a process. */
function childOf(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return children === '' ? undefined : Number(children.split(' ')[0])
}
