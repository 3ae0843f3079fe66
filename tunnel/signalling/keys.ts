/** Where the documents of all sessions are. */
export const sessionsPrefix = 'sessions/'
/** How the key of an offer ends, and that of no other document: a new one starts the function. */
export const offerSuffix = '/offer.json'
const answerSuffix = '/answer.json'

/** An offer's key; with `*` for the session's id, the pattern of all of them in a policy. */
export const offerKey = (id: string): string => sessionsPrefix + id + offerSuffix
/** An answer's key; with `*`, the pattern of all of them. */
export const answerKey = (id: string): string => sessionsPrefix + id + answerSuffix

/** What a session's id is made of. */
export const sessionIdPattern = /^[a-z0-9]{16,32}$/

/** The session's id in an offer's key, or undefined for any other key. */
export function sessionIdOfOfferKey(key: string): string | undefined {
  if (!isOfferKey(key)) return undefined
  const id = key.slice(sessionsPrefix.length, -offerSuffix.length)
  return sessionIdPattern.test(id) ? id : undefined
}

/** The filter of the bucket's notification, which knows prefix and suffix alone. */
export const isOfferKey = (key: string): boolean =>
  key.startsWith(sessionsPrefix) && key.endsWith(offerSuffix)
