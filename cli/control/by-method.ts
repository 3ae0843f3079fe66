import { ControlError } from './control-error.ts'

export type Handle<Rest extends unknown[] = []> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>

/**
 * What a path answers to each method: HEAD as GET, whose content the server leaves out (RFC 9110, section 9.3.2), OPTIONS
 * with those that are allowed (section 9.3.7), and any other with 405 and the same (section 15.5.6).
 */
export function byMethod<Rest extends unknown[]>({
  GET,
  POST,
}: Partial<Record<'GET' | 'POST', Handle<Rest>>>): Handle<Rest> {
  const handles = new Map<string, Handle<Rest>>()
  if (GET) handles.set('GET', GET).set('HEAD', GET)
  if (POST) handles.set('POST', POST)
  const methods = [...handles.keys()]
  const allow = [...methods, 'OPTIONS'].join(', ')
  return (request, ...rest) => {
    const { method } = request
    const handle = handles.get(method)
    if (handle) return handle(request, ...rest)
    if (method === 'OPTIONS') return new Response(undefined, { status: 204, headers: { allow } })
    const error = new ControlError('E_CONTROL_METHOD', `${method} is no method of this path`, {
      hint: `Send ${methods.join(' or ')}.`,
    })
    return Response.json(error, { status: 405, headers: { allow } })
  }
}
