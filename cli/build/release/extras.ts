import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { version } from '../../../package.json'
import { bashCompletion } from '../../commands/completion/bash.ts'
import { fishCompletion } from '../../commands/completion/fish.ts'
import { commandTree } from '../../commands/completion/tree.ts'
import { zshCompletion } from '../../commands/completion/zsh.ts'
import { program } from '../../commands/program.ts'
import { root } from '../root.ts'
import type { Entry } from './archive.ts'
import { manPage } from './man.ts'

const name = 'lambda-nat-proxy'

/** What goes into every archive beside the executable. */
export async function extras(date: Date, thirdParty: string): Promise<Entry[]> {
  const tree = await commandTree(program)
  const texts = {
    'THIRD_PARTY_LICENSES.txt': thirdParty,
    [`man/${name}.1`]: await manPage({ words: [name], command: program }, { version, date }),
    [`completions/${name}.bash`]: bashCompletion(name, tree),
    [`completions/_${name}`]: zshCompletion(name, tree),
    [`completions/${name}.fish`]: fishCompletion(name, tree),
  }
  return [
    { path: 'LICENSE', content: await readFile(join(root, 'LICENSE')) },
    ...Object.entries(texts).map(([path, text]) => ({ path, content: Buffer.from(text) })),
  ]
}
