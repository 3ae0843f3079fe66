import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

// What the AWS provider's types look like, read out of the bindings that cdktf/ is written with: they are generated
// from the provider's own schema, and say of each argument its type, whether it is a block, and who may set it.

/** A type as the plugin protocol has it, in the JSON of cty: "string", ["list", "string"], ["object", {…}]. */
export type Type = string | [string, Type] | ['object', Record<string, Type>]

export interface Attribute {
  name: string
  type: Type
  required: boolean
  optional: boolean
  computed: boolean
}

export interface NestedBlock {
  name: string
  nesting: 'SINGLE' | 'LIST' | 'SET'
  required: boolean
  /** One at most. */
  single: boolean
  block: BlockSchema
}

export interface BlockSchema {
  attributes: Attribute[]
  blocks: NestedBlock[]
}

const bindings = join(import.meta.dir, '../../../node_modules/@cdktf/provider-aws/lib')

/** The schema of a resource or a data source by its type's name; undefined when the provider knows none of it. */
export function schemaOf(kind: 'resource' | 'data' | 'provider', type: string): BlockSchema | undefined {
  const folder =
    kind === 'provider'
      ? 'provider'
      : `${kind === 'data' ? 'data-' : ''}${(kind === 'data' ? type : type.replace(/^aws_/, '')).replaceAll('_', '-')}`
  const path = join(bindings, folder, 'index.js')
  if (!existsSync(path)) return undefined
  const source = readFileSync(path, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '')
  const classes = classesOf(source)
  const main = [...classes.values()].find(each =>
    /^cdktn\.Terraform(Resource|DataSource|Provider)$/.test(each.base),
  )
  if (!main) throw new Error(`no class of Terraform's in ${path}`)
  return read(main, hintsOf(main.text.split('synthesizeHclAttributes()')[1] ?? ''), source, classes)
}

// --- internal ---

interface Class {
  base: string
  text: string
}

interface Hint {
  isBlock: boolean
  shape: string
  of: string
}

function classesOf(source: string): Map<string, Class> {
  const parts = source.split(/^class (\w+) extends ([\w.]+) \{$/m)
  const classes = new Map<string, Class>()
  for (let at = 1; at < parts.length; at += 3)
    classes.set(parts[at]!, { base: parts[at + 1]!, text: parts[at + 2]! })
  return classes
}

/** What HCL synthesis says of each argument. */
function hintsOf(text: string): Map<string, Hint> {
  const entries = text.matchAll(
    /^ +(\w+): \{\s+value: .*,\s+isBlock: (true|false),\s+type: "(\w+)",\s+storageClassType: "(\w*)",/gm,
  )
  return new Map(
    [...entries].map(([, name = '', isBlock, shape = '', of = '']) => [
      name,
      { isBlock: isBlock === 'true', shape, of },
    ]),
  )
}

const functionHints = (struct: string, source: string) => {
  const name = `${struct[0]!.toLowerCase()}${struct.slice(1)}ToHclTerraform`
  return hintsOf(source.split(`\nfunction ${name}(struct) {`)[1]?.split('\n}\n')[0] ?? '')
}

function read(
  from: Class,
  hints: Map<string, Hint>,
  source: string,
  classes: Map<string, Class>,
): BlockSchema {
  const schema: BlockSchema = { attributes: [], blocks: [] }
  const members = from.text.split(/^ +\/\/ (\w+) - computed: (\w+), optional: (\w+), required: (\w+)$/m)
  for (let at = 1; at < members.length; at += 5) {
    const [name = '', computed, optional, required, text = ''] = members.slice(at, at + 5)
    const hint = hints.get(name)
    const made = new RegExp(`= new (\\w+)\\(this, "${name}"(?:, (true|false))?`).exec(text)
    if (hint?.isBlock) {
      const struct = (made?.[1] ?? hint.of).replace(/(List|OutputReference)$/, '')
      const below = classes.get(`${struct}OutputReference`)
      schema.blocks.push({
        name,
        nesting: hint.shape === 'struct' ? 'SINGLE' : made?.[2] === 'true' ? 'SET' : 'LIST',
        required: required === 'true',
        single: made?.[1]?.endsWith('OutputReference') === true,
        block: below
          ? read(below, functionHints(struct, source), source, classes)
          : { attributes: [], blocks: [] },
      })
    } else
      schema.attributes.push({
        name,
        type: made ? computedType(made[1]!, made[2] === 'true', source, classes) : attributeType(text, hint),
        required: required === 'true',
        optional: optional === 'true',
        computed: computed === 'true',
      })
  }
  return schema
}

/** The type of a list of objects that only the provider writes. */
function computedType(list: string, isSet: boolean, source: string, classes: Map<string, Class>): Type {
  const below = classes.get(`${list.replace(/(List|OutputReference)$/, '')}OutputReference`)
  const { attributes } = below ? read(below, new Map(), source, classes) : { attributes: [] }
  const object: Type = ['object', Object.fromEntries(attributes.map(({ name, type }) => [name, type]))]
  return list.endsWith('OutputReference') ? object : [isSet ? 'set' : 'list', object]
}

const simple: Record<string, string> = { string: 'string', number: 'number', boolean: 'bool' }

function attributeType(text: string, hint: Hint | undefined): Type {
  const of = hint && simple[hint.of.replace(/(List|Map|Set)$/, '')]
  if (hint && of) return hint.shape === 'simple' ? of : [hint.shape, of]
  const [, set, getter = ''] = /return (cdktn\.Fn\.tolist\()?this\.get(\w*)Attribute\(/.exec(text) ?? []
  const [, item = '', collection] = /^(String|Number|Boolean)?(List|Map)?$/.exec(getter) ?? []
  const element = simple[item.toLowerCase()] ?? (getter === '' ? 'dynamic' : 'string')
  return collection ? [set ? 'set' : collection.toLowerCase(), element] : element
}
