import { ACCOUNT } from './data-sources.ts'
import type { Type } from './schema.ts'
import type { Known, Values } from './values.ts'

// What AWS would have given a resource: an ARN and an id that can be told apart, and values that say nothing.

/** The value of an attribute that the provider computes, once the resource is made in a region. */
export function computedValue(
  type: string,
  planned: Values,
  { name, of, region }: { name: string; of: Type; region: string },
): Known {
  const own = [planned.bucket, planned.function_name, planned.name, type].find(
    each => typeof each === 'string',
  )
  switch (name) {
    case 'id':
      return own ?? type
    case 'arn':
      return arnOf(type, String(own), planned, region)
    case 'region':
      return region
    case 'tags_all':
      return planned.tags ?? null
    default:
      return empty(of)
  }
}

/** A value of a type that says nothing. */
export function empty(type: Type): Known {
  if (Array.isArray(type)) return type[0] === 'object' ? null : type[0] === 'map' ? {} : []
  const simple: Record<string, Known> = { string: '', number: 0, bool: false }
  return simple[type] ?? null
}

// --- internal ---

function arnOf(type: string, own: string, planned: Values, region: string): string {
  switch (type) {
    case 'aws_s3_bucket':
      return `arn:aws:s3:::${own}`
    case 'aws_lambda_function':
      return `arn:aws:lambda:${planned.region}:${ACCOUNT}:function:${own}`
    case 'aws_iam_role':
      return `arn:aws:iam::${ACCOUNT}:role${typeof planned.path === 'string' ? planned.path : '/'}${own}`
    case 'aws_iam_policy':
      return `arn:aws:iam::${ACCOUNT}:policy/${own}`
    default:
      return `arn:aws:${type.split('_')[1]}:${planned.region ?? region}:${ACCOUNT}:${own}`
  }
}
