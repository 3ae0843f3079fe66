/** The credentials of the Basic scheme (RFC 7617); undefined when there are none that can be read. */
export function readBasic(field: string | null | undefined): { user: string; password: string } | undefined {
  const [, encoded] = /^Basic +([a-z0-9+/_-]+=*) *$/i.exec(field ?? '') ?? []
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
