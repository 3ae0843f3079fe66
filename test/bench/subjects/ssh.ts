import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { need } from '../../support/need.ts'
import { drive } from '../load.ts'
import { descendants } from '../measure.ts'
import { freePort, start } from '../processes.ts'
import { reachable } from './reachable.ts'
import type { Subject } from './subject.ts'

const sshd = '/usr/sbin/sshd'
/** Where sshd's unprivileged half lives; the service's own start makes it, and nobody has started that here. */
const privilegeSeparation = '/run/sshd'

/** What many use today: `ssh -D` to a server of its own, keys and settings in a folder of their own. */
export const ssh: Subject = {
  name: 'ssh',
  title: '`ssh -D`',
  async prepare() {
    if (!need(['openssh-client', 'openssh-server'], ['ssh', 'ssh-keygen', 'sshd']))
      throw new Error('OpenSSH is not to be had')
    if (process.getuid?.() === 0) mkdirSync(privilegeSeparation, { recursive: true, mode: 0o755 })
  },
  async start(origin) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-ssh-'))
    const file = (name: string) => join(folder, name)
    const [port, socks] = [await freePort(), await freePort()]
    for (const name of ['host', 'user'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)])
    copyFileSync(file('user.pub'), file('authorized'))
    writeFileSync(file('sshd_config'), serverSettings(port, file('host'), file('authorized')))

    const server = start([sshd, '-D', '-e', '-f', file('sshd_config')])
    await reachable(port)
    const client = start(['ssh', ...clientOptions(port, socks, file('user'), file('known'))])
    await reachable(socks)
    return {
      parts: () => ({ exit: [server.pid, ...descendants(server.pid)], client: [client.pid] }),
      run: load => drive({ ...load, origin, socks }),
      async stop() {
        await client.stop()
        await server.stop()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}

// --- internal ---

const userName = () => execFileSync('id', ['-un'], { encoding: 'utf8' }).trim()

const serverSettings = (port: number, hostKey: string, authorizedKeys: string) => `
ListenAddress 127.0.0.1
Port ${port}
HostKey ${hostKey}
AuthorizedKeysFile ${authorizedKeys}
PidFile none
PasswordAuthentication no
KbdInteractiveAuthentication no
# The keys lie in a temporary folder, which sshd would not trust; nobody else can write there.
StrictModes no
AllowUsers ${userName()}
`

const clientOptions = (port: number, socks: number, key: string, knownHosts: string) => [
  ...['-F', 'none', '-N', '-D', `127.0.0.1:${socks}`, '-p', String(port), '-i', key],
  ...['-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR'],
  ...['-o', 'StrictHostKeyChecking=no', '-o', `UserKnownHostsFile=${knownHosts}`],
  `${userName()}@127.0.0.1`,
]
