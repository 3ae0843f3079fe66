// What IAM would decide of a request, as far as the module's policies go: effects, wildcards, and the conditions that
// they use. (IAM's own policy reference, "Policy evaluation logic": an explicit deny, then an allow, then nothing.)

export interface Request {
  action: string
  resource: string
  /** Condition keys and what the request brings of each. */
  context?: Record<string, string>
}

interface Statement {
  Effect: 'Allow' | 'Deny'
  Action: string | string[]
  Resource: string | string[]
  Condition?: Record<string, Record<string, string | string[]>>
}

export const isAllowed = (policies: string[], request: Request): boolean => {
  const decided = policies
    .flatMap(text => JSON.parse(text).Statement as Statement[])
    .filter(statement => applies(statement, request))
    .map(({ Effect }) => Effect)
  return decided.includes('Allow') && !decided.includes('Deny')
}

/** All actions that policies allow, whatever on. */
export const allowedActions = (policies: string[]): string[] => [
  ...new Set(
    policies
      .flatMap(text => JSON.parse(text).Statement as Statement[])
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap(({ Action }) => Action),
  ),
]

// --- internal ---

function applies(
  { Action, Resource, Condition = {} }: Statement,
  { action, resource, context = {} }: Request,
) {
  return (
    [Action].flat().some(each => isLike(each, action)) &&
    [Resource].flat().some(each => isLike(each, resource)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => holds(operator, [values].flat(), context[key])),
    )
  )
}

function holds(operator: string, values: string[], given: string | undefined): boolean {
  if (given === undefined) return false
  switch (operator) {
    case 'StringEquals':
    case 'Bool':
      return values.includes(given)
    case 'ArnEquals':
    case 'ArnLike':
    case 'StringLike':
      return values.some(each => isLike(each, given))
    default:
      throw new Error(`the condition operator ${operator} is not known here`)
  }
}

const isLike = (pattern: string, text: string) =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(text)
