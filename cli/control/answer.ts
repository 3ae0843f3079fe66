import * as v from 'valibot'
import { errorData } from '../../tunnel/net/coded-error.ts'
import { byMethod } from './by-method.ts'
import { ControlError } from './control-error.ts'
import { type Controlled, isOperation, type Operation, type OperationName, operations } from './operations.ts'

/** What an operation may be told at most, such as the longest site in any script. Bytes. */
export const maxBodyBytes = 8_192

/**
 * Answers a request for `/api/<operation>`, wherever it came in: what the operation gives, or an error as data, both
 * JSON. `refused`: why this one may not have it done.
 */
export async function answer(
  name: string,
  request: Request,
  proxy: Controlled,
  refused?: ControlError,
): Promise<Response> {
  if (!isOperation(name)) return asResponse(noOperation)
  return byMethod({
    async POST() {
      try {
        if (refused) throw refused
        return Response.json(await perform(name, await request.text(), proxy))
      } catch (error) {
        return asResponse(error)
      }
    },
  })(request)
}

// --- internal ---

const noOperation = new ControlError('E_CONTROL_OPERATION', 'there is no such operation', {
  hint: `Operations are ${Object.keys(operations).join(', ')}.`,
})

function asResponse(error: unknown): Response {
  const data = errorData(error)
  return Response.json(data, { status: statuses[data.code] ?? 500 })
}

const statuses: Record<string, number> = {
  E_CONTROL_REQUEST: 400,
  E_CONTROL_TOKEN: 403,
  E_SITE_INVALID: 400,
  E_CONTROL_OPERATION: 404,
  E_EXIT_NOT_FOUND: 404,
  E_REGION_NOT_DEPLOYED: 404,
  E_SITE_NOT_SERVED: 404,
  E_EXIT_NOT_ACTIVE: 409,
  E_RELOAD_FAILED: 409,
  E_CONTROL_STARTING: 503,
}

function perform<Name extends OperationName>(name: Name, body: string, proxy: Controlled): unknown {
  const { schema, example, run }: Operation<Name> = operations[name]
  const { success, output } = v.safeParse(schema, parseJson(body || '{}'))
  if (success) return run(output, proxy)
  throw new ControlError('E_CONTROL_REQUEST', 'the body of the request is not what the operation takes', {
    hint: `Give JSON as ${example}.`,
  })
}

/** Undefined, which no operation takes, for what is no JSON, and for a list, which could pass for an empty object. */
function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? undefined : value
  } catch {
    return undefined
  }
}
