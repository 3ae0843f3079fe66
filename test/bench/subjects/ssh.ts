import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Endpoint, formatEndpoint } from '../../../tunnel/net/endpoint.ts'
import { need } from '../../support/need.ts'
import { drive, nearby } from '../load.ts'
import { descendants } from '../measure.ts'
import { freePort } from '../processes.ts'
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
  async start(place) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-ssh-'))
    const file = (name: string) => join(folder, name)
    const server = { address: place.address.far, port: await freePort() }
    const socks = nearby(await freePort())
    for (const name of ['host', 'user'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)])
    copyFileSync(file('user.pub'), file('authorized'))
    writeFileSync(file('sshd_config'), serverSettings(server, file('host'), file('authorized')))

    const exit = place.start('far', [sshd, '-D', '-e', '-f', file('sshd_config')])
    await reachable(place, 'far', server)
    const options = clientOptions(server, socks, file('user'), file('known'))
    const client = place.start('near', ['ssh', ...options])
    await reachable(place, 'near', socks)
    return {
      parts: () => ({ exit: [exit.pid, ...descendants(exit.pid)], client: [client.pid] }),
      run: load => drive(place, load, socks),
      async stop() {
        await client.stop()
        await exit.stop()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
}

// --- internal ---

const userName = () => execFileSync('id', ['-un'], { encoding: 'utf8' }).trim()

const serverSettings = ({ address, port }: Endpoint, hostKey: string, authorizedKeys: string) => `
ListenAddress ${address}
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

const clientOptions = (server: Endpoint, socks: Endpoint, key: string, knownHosts: string) => [
  ...['-F', 'none', '-N', '-D', formatEndpoint(socks), '-p', String(server.port), '-i', key],
  ...['-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR'],
  ...['-o', 'StrictHostKeyChecking=no', '-o', `UserKnownHostsFile=${knownHosts}`],
  `${userName()}@${server.address}`,
]
