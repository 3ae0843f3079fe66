import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { synth } from './synth.ts'

const committed = fileURLToPath(new URL('../terraform', import.meta.url))
const { values } = parseArgs({ options: { out: { type: 'string', default: committed } } })
synth(values.out)
