import type { Known, Values } from './values.ts'

// What the data sources give that the module and its examples read: an account, a region, and policies as JSON.

export const ACCOUNT = '123456789012'
const PARTITION = 'aws'

/** What a data source gives, beyond what it was asked with. */
export function readData(type: string, config: Values, region: string): Values {
  switch (type) {
    case 'aws_caller_identity':
      return {
        account_id: ACCOUNT,
        arn: `arn:aws:iam::${ACCOUNT}:user/tester`,
        user_id: 'tester',
        id: ACCOUNT,
      }
    case 'aws_partition':
      return { partition: PARTITION, dns_suffix: 'amazonaws.com', id: PARTITION }
    case 'aws_region':
      return { region: config.region ?? region, id: config.region ?? region, name: config.region ?? region }
    case 'aws_iam_policy_document': {
      const json = JSON.stringify(policyDocument(config), null, 2)
      return { json, minified_json: JSON.stringify(JSON.parse(json)), id: 'policy' }
    }
    case 'aws_availability_zones':
      return { names: ['a', 'b', 'c'].map(zone => `${config.region ?? region}${zone}`), id: region }
    default:
      return {}
  }
}

// --- internal ---

const strings = (value: Known | undefined): string[] => (Array.isArray(value) ? value.map(String) : [])
/** IAM's JSON has one value bare. */
const one = (values: string[]) => (values.length === 1 ? values[0]! : values.toSorted())

function policyDocument(config: Values): object {
  const own = (config.statement as Values[] | null) ?? []
  const sources = strings(config.source_policy_documents).flatMap(
    (text): object[] => JSON.parse(text).Statement,
  )
  return { Version: '2012-10-17', Statement: [...sources, ...own.map(statement)] }
}

function statement(values: Values): object {
  const list = (argument: string, name: string) => {
    const given = strings(values[argument])
    return given.length > 0 && { [name]: one(given) }
  }
  const principals = (values.principals as Values[] | null) ?? []
  const conditions = (values.condition as Values[] | null) ?? []
  const condition: Record<string, Record<string, string | string[]>> = {}
  for (const { test, variable, values: wanted } of conditions)
    condition[String(test)] = { ...condition[String(test)], [String(variable)]: one(strings(wanted)) }
  return {
    ...(typeof values.sid === 'string' && { Sid: values.sid }),
    Effect: values.effect ?? 'Allow',
    ...list('actions', 'Action'),
    ...list('not_actions', 'NotAction'),
    ...list('resources', 'Resource'),
    ...list('not_resources', 'NotResource'),
    ...(principals.length > 0 && { Principal: principal(principals) }),
    ...(conditions.length > 0 && { Condition: condition }),
  }
}

const principal = (principals: Values[]) =>
  principals.some(({ type }) => type === '*')
    ? '*'
    : Object.fromEntries(principals.map(({ type, identifiers }) => [String(type), one(strings(identifiers))]))
