import { decode, ExtensionCodec, encode } from '@msgpack/msgpack'
import type { BlockSchema, Type } from './schema.ts'

/** What is known only after the apply. */
export class Unknown {}
export const unknown = new Unknown()

export type Known = null | string | number | boolean | Known[] | { [name: string]: Known } | Unknown
export type Values = { [name: string]: Known }

// The protocol marks what is unknown by extension 0; newer Terraforms say more of it by extension 12.
const extensionCodec = new ExtensionCodec()
extensionCodec.register({
  type: 0,
  encode: value => (value instanceof Unknown ? new Uint8Array([0]) : null),
  decode: () => unknown,
})
extensionCodec.register({ type: 12, encode: () => null, decode: () => unknown })

export const read = (value: { msgpack: Uint8Array } | null): Values | null =>
  value && value.msgpack.length > 0 ? (decode(value.msgpack, { extensionCodec }) as Values | null) : null

export const write = (values: Values | null) => ({ msgpack: Buffer.from(encode(values, { extensionCodec })) })

/** A copy in which `fill` has given each argument that the provider computes and nobody set; blocks' too. */
export function completed(
  values: Values,
  schema: BlockSchema,
  fill: (name: string, type: Type) => Known,
): Values {
  const out: Values = {}
  for (const { name, type, computed } of schema.attributes) {
    const value = values[name] ?? null
    out[name] = computed && (value === null || value instanceof Unknown) ? fill(name, type) : value
  }
  for (const { name, block } of schema.blocks) {
    const value = values[name] ?? null
    const below = (each: Known) => (isValues(each) ? completed(each, block, fill) : each)
    out[name] = Array.isArray(value) ? value.map(below) : below(value)
  }
  return out
}

const isValues = (value: Known): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Unknown)
