import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { labAvailable } from './available.ts'
import { inLab, type Kinds, type Lab } from './lab.ts'
import { startPortMapping } from './port-mapping.ts'
import { startStunServers, startTurn } from './services.ts'

// What doctor shows on these networks, for docs/nat.md.
//
//     bun test/lab/doctor-screens.ts     writes it there

interface Network {
  title: string
  kinds: Kinds
  prepare?: (lab: Lab) => Promise<unknown>
  /** doctor gets a TURN server, over TLS. */
  turn?: boolean
}

const exit = { function: 'none' } as const

const networks: readonly Network[] = [
  { title: 'A public address', kinds: { ...exit, client: 'none' } },
  { title: 'A home router', kinds: { ...exit, client: 'port-restricted' } },
  { title: 'A symmetric NAT', kinds: { ...exit, client: 'symmetric' } },
  {
    title: 'A symmetric NAT whose router opens ports',
    kinds: { ...exit, client: 'symmetric' },
    prepare: lab => startPortMapping(lab),
  },
  {
    title: 'A home router behind the NAT of a provider',
    kinds: { ...exit, client: 'port-restricted', carrier: 'symmetric' },
    prepare: lab => startPortMapping(lab),
  },
  {
    title: 'A network that drops UDP',
    kinds: { ...exit, client: 'port-restricted' },
    prepare: lab => lab.block('client'),
  },
  {
    title: 'A network that drops UDP, and a TURN server',
    kinds: { ...exit, client: 'port-restricted' },
    prepare: lab => lab.block('client'),
    turn: true,
  },
]

const main = join(import.meta.dir, '../../cli/main.ts')
const document = join(import.meta.dir, '../../docs/nat.md')

/** The part of docs/nat.md that has the screens; what stands around it is kept. */
const part = /(?<=\n## Networks, as doctor sees them\n\n[^#]*\n)### .*?(?=\n## |$)/s

/** The screens as docs/nat.md has them. */
export async function screensInDocument(): Promise<string> {
  return part.exec(await readFile(document, 'utf8'))?.[0].trim() ?? ''
}

/** The screens as doctor shows them now. */
export async function screensNow(): Promise<string> {
  const screens: string[] = []
  for (const network of networks) screens.push(await screenOf(network))
  return screens.join('\n\n')
}

// --- internal ---

const screenOf = ({ title, kinds, prepare, turn }: Network): Promise<string> =>
  inLab(kinds, async lab => {
    const servers = await startStunServers(lab, 'coturn')
    await prepare?.(lab)
    const server = turn ? await startTurn(lab) : undefined
    const more = server?.use(server.tls)
    const args = [main, 'doctor', '--network', '--stun', servers.join(','), ...(more?.args ?? [])]
    const program = lab.run('client', process.execPath, args, {
      env: { HOME: lab.folder, NO_COLOR: '1', ...more?.environment },
    })
    await program.exit
    return `### ${title}\n\n\`\`\`text\n${asInDocument(program.said())}\n\`\`\``
  })

/** Times and ports are others every time; the lab's public addresses are somebody's, and given as examples. */
const asInDocument = (screen: string): string =>
  screen
    .replaceAll(/in \d+ ms/g, 'in 1 ms')
    .replaceAll(/\b(11\.0\.\d+\.\d+|lends [\d.]+):\d{4,5}\b/g, '$1:40000')
    .replaceAll(/\b11\.0\.(\d+\.\d+)/g, '203.0.$1')
    .trim()

if (import.meta.main) {
  if (!labAvailable()) process.exit(1)
  const screens = await screensNow()
  const text = await readFile(document, 'utf8')
  await writeFile(
    document,
    text.replace(part, () => `${screens}\n`),
  )
}
