/**
 * The environment variables by which programs find a proxy. Some know only the small letters (curl, for http), some
 * only the capitals.
 */
export const proxyVariables = ['ALL_PROXY', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'] as const
export type ProxyVariable = (typeof proxyVariables)[number]

/** Both spellings of each. */
export const spellings = proxyVariables.flatMap(name => [name, name.toLowerCase()])
