import { DefaultTokenResolver, StringConcat, TerraformElement, Tokenization } from 'cdktf'
import type { IConstruct } from 'constructs'
import { type Block, type Body, expression, list, type Value } from './hcl-text.ts'

type Values = { [key: string]: Value }

/**
 * The blocks that a construct and those below it declare, each under its top-level type. An argument's value is the
 * one that JSON synthesis gives; whether it is an argument or a block is what HCL synthesis says.
 */
export function declarations(scope: IConstruct): { type: string; block: Block }[] {
  return scope.node.findAll().flatMap(element => {
    if (!TerraformElement.isTerraformElement(element)) return []
    const resolve = (value: unknown): Values =>
      Tokenization.resolve(value, {
        scope,
        preparing: false,
        resolver: new DefaultTokenResolver(new StringConcat()),
      })
    const json = resolve(element.toTerraform())
    const hcl = resolve((element as unknown as { toHclTerraform(): unknown }).toHclTerraform())
    const comment = element.node.metadata
      .filter(({ type }) => type === COMMENT)
      .map(({ data }) => String(data))
    return Object.entries(json).flatMap(([type, named]) =>
      labelled(type, named as Values, (hcl[type] ?? {}) as Values).map(block => ({
        type,
        block: { ...block, comment },
      })),
    )
  })
}

/** Says, above the block in the module, why it is as it is. */
export const comment = (element: IConstruct, ...lines: string[]) => {
  for (const line of lines) element.node.addMetadata(COMMENT, line)
}

/** A block out of values alone, where no HCL synthesis says which arguments are blocks. */
export const plainBlock = (head: string, values: Values): Block => ({ head, body: body(values, undefined) })

// --- internal ---

const COMMENT = 'comment'

/** How many labels each type of block has; locals are gathered by the caller. */
const LABELS: Record<string, number> = { resource: 2, data: 2, variable: 1, output: 1, locals: 0 }
/** Blocks that every resource may have, and of which HCL synthesis says nothing. */
const META_BLOCKS = ['lifecycle', 'precondition', 'postcondition', 'provisioner', 'required_providers']
/** Arguments that hold names, not values. */
const REFERENCES = ['depends_on', 'replace_triggered_by', 'ignore_changes']
const FIRST = [
  ...['for_each', 'count', 'region', 'sid', 'effect', 'type', 'description', 'value', 'default'],
  ...['condition', 'name', 'actions', 'resources', 'test', 'variable', 'values'],
]
const LAST = ['depends_on']

function labelled(type: string, named: Values, hints: Values, head = type, depth = 0): Block[] {
  if (depth === (LABELS[type] ?? 0)) return [{ head, body: body(named, hints) }]
  return Object.entries(named).flatMap(([label, below]) =>
    labelled(type, below as Values, (hints[label] ?? {}) as Values, `${head} "${label}"`, depth + 1),
  )
}

function body(values: Values, hints: unknown): Body {
  const given = Object.entries(values).filter(([name, value]) => name !== '//' && value !== undefined)
  const out: Body = { arguments: [], blocks: [] }
  for (const [name, value] of given) {
    const hint = hintOf(hints, name)
    if (name === 'dynamic') out.blocks.push(...dynamicBlocks(value as Values))
    else if (name === 'provisioner') out.blocks.push(...provisioners(value as Values[]))
    else if (hint.isBlock || META_BLOCKS.includes(name))
      out.blocks.push(
        ...[value].flat().map((each, at) => ({
          head: name,
          body: body(each as Values, Array.isArray(hint.value) ? hint.value[at] : hint.value),
        })),
      )
    else out.arguments.push([name, argument(name, value)])
  }
  const rank = (name: string) =>
    LAST.includes(name) ? FIRST.length + 1 : (FIRST.indexOf(name) + 1 || FIRST.length + 1) - 1
  out.arguments.sort(([a], [b]) => rank(a) - rank(b))
  out.blocks.sort((a, b) => Number(a.head === 'lifecycle') - Number(b.head === 'lifecycle'))
  return out
}

function argument(name: string, value: Value): string {
  if (REFERENCES.includes(name) && Array.isArray(value)) return list(value.map(String))
  // A variable's type is written in a language of its own.
  if (name === 'type' && typeof value === 'string' && /^(string|number|bool|any|\w+\(.*\))$/s.test(value))
    return value
  return expression(value)
}

const dynamicBlocks = (dynamic: Values): Block[] =>
  Object.entries(dynamic).flatMap(([label, bodies]) =>
    [bodies].flat().map(each => {
      const { content, ...rest } = each as Values
      return {
        head: `dynamic "${label}"`,
        body: {
          ...body(rest, undefined),
          blocks: [{ head: 'content', body: body(content as Values, contentHints(content as Values)) }],
        },
      }
    }),
  )

/** Within an override everything that is a list of maps is a block. */
const contentHints = (content: Values): Values =>
  Object.fromEntries(
    Object.entries(content).map(([name, value]) => [
      name,
      { isBlock: Array.isArray(value) && value.some(each => typeof each === 'object'), value },
    ]),
  )

const provisioners = (all: Values[]): Block[] =>
  all.flatMap(each =>
    Object.entries(each).map(([type, values]) => ({
      head: `provisioner "${type}"`,
      body: body(values as Values, undefined),
    })),
  )

interface Hint {
  isBlock: boolean
  value: unknown
}

/** CDKTF spells a hint's names in two ways. */
function hintOf(hints: unknown, name: string): Hint {
  const hint = (hints as Record<string, unknown> | undefined)?.[name]
  if (typeof hint !== 'object' || hint === null) return { isBlock: false, value: undefined }
  const { isBlock, is_block, value } = hint as { isBlock?: boolean; is_block?: boolean; value?: unknown }
  return { isBlock: isBlock ?? is_block ?? false, value }
}
