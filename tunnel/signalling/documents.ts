import { randomBytes } from 'node:crypto'
import * as v from 'valibot'
import { type Candidate, type CandidateKind, priorityOf } from '../nat/ice/candidate.ts'
import type { IceCredentials } from '../nat/ice/credentials.ts'
import { type Behaviour, behaviours } from '../nat/stun/mapping.ts'
import { CodedError } from '../net/coded-error.ts'
import { isDnsServer } from '../net/dns-server.ts'
import { printable } from '../net/printable.ts'
import type { Identity } from '../quic/identity.ts'
import { sessionIdPattern } from './keys.ts'
import { starters } from './offer-record.ts'

/** The version of offer and answer. Ends of different versions refuse each other and say so. */
export const signalVersion = 1

/** An offer older than this, or from a clock that is this far off, is refused. Milliseconds. */
export const offerLifetimeMs = 60_000

/** Larger than this no document is, whatever its fields. Bytes. */
export const documentLimit = 8 * 1024

/** A new session's id: 80 random bits, so that nobody guesses a key in the bucket. */
export const newSessionId = (): string => randomBytes(10).toString('hex')

const sessionId = v.pipe(
  v.string(),
  v.regex(sessionIdPattern, 'must be 16 to 32 lower-case letters or digits'),
)
const address = v.pipe(v.string(), v.maxLength(15), v.ipv4('must be an IPv4 address'))
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535))
const timestamp = v.pipe(v.number(), v.integer(), v.minValue(0))
const fingerprint = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'))
/** RFC 8445, section 5.3: fragments have at least 24 bits, passwords at least 128. */
const ufrag = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{4,32}$/))
const password = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{22,64}$/))

/** Candidates' kinds as the documents write them (RFC 8839, section 5.1, and `mapped` by a router). */
const candidateTypes = ['host', 'srflx', 'mapped', 'relay'] as const
const kinds: Record<(typeof candidateTypes)[number], CandidateKind> = {
  host: 'host',
  srflx: 'server-reflexive',
  mapped: 'mapped',
  relay: 'relayed',
}

const candidate = v.object({
  type: v.picklist(candidateTypes),
  address,
  port,
  /** RFC 8445, section 5.1.2: the higher, the sooner it should be used. */
  priority: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1))),
})

/** A candidate in a document. */
export type CandidateEntry = v.InferOutput<typeof candidate>

/** Candidates as a document writes them. What was learnt from a check (peer-reflexive) is nothing to name. */
export const candidateEntries = (candidates: readonly Candidate[]): CandidateEntry[] =>
  candidates.flatMap(({ address, port, kind = 'host' }) => {
    const type = candidateTypes.find(type => kinds[type] === kind)
    return type ? { type, address, port, priority: priorityOf(kind) } : []
  })

/** What a document's candidates say. */
export const readCandidates = (entries: readonly CandidateEntry[]): Candidate[] =>
  entries.map(({ type, address, port }) => ({ address, port, kind: kinds[type] }))

const side = {
  version: v.literal(
    signalVersion,
    issue => `is version ${String(issue.input)}, this end speaks ${signalVersion}: update the older end`,
  ),
  session_id: sessionId,
  /** Milliseconds since 1970 on the writer's clock. */
  timestamp,
  candidates: v.pipe(v.array(candidate), v.minLength(1), v.maxLength(8)),
  /** How the writer's NAT maps, which decides how the two are to find each other. */
  mapping: v.picklist(behaviours),
  ice_ufrag: ufrag,
  ice_password: password,
  certificate_sha256: fingerprint,
}

/** What offer and answer have in common. */
export type Side = v.InferOutput<v.ObjectSchema<typeof side, undefined>>

/** The part of an offer or answer that says who its writer is and how it is reached. */
export const sideOf = (
  session: string,
  about: {
    candidates: readonly Candidate[]
    mapping: Behaviour
    credentials: IceCredentials
    identity: Identity
  },
): Side => ({
  version: signalVersion,
  session_id: session,
  timestamp: Date.now(),
  candidates: candidateEntries(about.candidates),
  mapping: about.mapping,
  ice_ufrag: about.credentials.ufrag,
  ice_password: about.credentials.password,
  certificate_sha256: about.identity.fingerprint,
})

/** What the client writes: where it is, how to check it, which certificate it will show. */
const offerSchema = v.object({
  ...side,
  client_ip: address,
  client_port: port,
  /** Where the exit is to look names up, in place of its own resolver: an IP address or an https URL. */
  dns: v.optional(
    v.pipe(v.string(), v.maxLength(255), v.check(isDnsServer, 'must be an IP address or an https URL')),
  ),
})
export type Offer = v.InferOutput<typeof offerSchema>

/** What the function writes back. */
const answerSchema = v.object({
  ...side,
  function_ip: address,
  function_port: port,
  /** Milliseconds since 1970, on the function's clock, at which it began to handle the event. */
  started_at: timestamp,
  /** True when this invocation started the function's process (a cold start). */
  cold: v.boolean(),
  /** No STUN server answered: the address is from another service, and the port is the local one. */
  guessed: v.boolean(),
  /** The port that the function's socket has on its own side of the NAT. */
  local_port: port,
  /** What each STUN server saw, in order of arrival. */
  stun_views: v.pipe(
    v.array(
      v.object({
        server: v.pipe(v.string(), v.maxLength(255)),
        address,
        port,
        rtt_ms: v.pipe(v.number(), v.minValue(0)),
      }),
    ),
    v.maxLength(8),
  ),
  /** Milliseconds from S3's time of the event to `started_at`: two clocks. */
  event_age_ms: v.optional(v.number()),
  /** What started the function. */
  started_by: v.optional(v.picklist(starters)),
  /** What a cold start found itself on. */
  runtime: v.optional(
    v.object({
      node: v.pipe(v.string(), v.maxLength(32)),
      memory_total_mb: v.number(),
      heap_limit_mb: v.number(),
      descriptors: v.optional(v.number()),
      /** Of the session's socket, as the system granted it. */
      receive_buffer_bytes: v.optional(v.number()),
    }),
  ),
})
export type Answer = v.InferOutput<typeof answerSchema>

/** What the function writes when it will not answer, so that the client need not wait to be told. */
const refusalSchema = v.object({
  version: side.version,
  session_id: sessionId,
  /** For programs: a RefusalCode, or one of a later release. */
  code: v.pipe(v.string(), v.regex(/^E_[A-Z0-9_]{1,60}$/)),
  /** The same for a person. Unicode characters. */
  refused: v.pipe(v.string(), v.maxLength(500)),
})
export type Refusal = v.InferOutput<typeof refusalSchema>

export type DocumentErrorCode =
  /** No JSON, or larger than any document. */
  | 'E_DOCUMENT_MALFORMED'
  /** A field that is missing or is not what it should be. */
  | 'E_DOCUMENT_INVALID'
  | 'E_DOCUMENT_VERSION'
  /** It is of another session than its key says. */
  | 'E_DOCUMENT_FOREIGN'

/** A document that is not what it should be; the message names the field. */
export class DocumentError extends CodedError<DocumentErrorCode> {
  override name = 'DocumentError'
}

/** Reads an offer; throws a DocumentError that names what is wrong. */
export const parseOffer = (text: string): Offer => parse('offer', offerSchema, text)

/** Reads an answer or a refusal; throws a DocumentError that names what is wrong. */
export function parseAnswer(text: string): Answer | Refusal {
  const json = parseJson('answer', text)
  const refused = typeof json === 'object' && json !== null && 'refused' in json
  return refused ? check('answer', refusalSchema, json) : check('answer', answerSchema, json)
}

/** `what` is "answer", or a key of the bucket. */
export const tooLarge = (what: string): DocumentError =>
  new DocumentError('E_DOCUMENT_MALFORMED', `the ${what} is larger than ${documentLimit} bytes`)

// --- internal ---

type Schema = v.GenericSchema

function parse<S extends Schema>(what: string, schema: S, text: string): v.InferOutput<S> {
  return check(what, schema, parseJson(what, text))
}

function parseJson(what: string, text: string): unknown {
  if (Buffer.byteLength(text) > documentLimit) throw tooLarge(what)
  try {
    return JSON.parse(text)
  } catch {
    throw new DocumentError('E_DOCUMENT_MALFORMED', `the ${what} is not JSON`)
  }
}

function check<S extends Schema>(what: string, schema: S, json: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, json, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const field = issue ? v.getDotPath(issue) : null
  // What is wrong repeats what the other end wrote.
  const wrong = printable(issue?.message ?? 'unknown', 200)
  throw new DocumentError(
    field === 'version' ? 'E_DOCUMENT_VERSION' : 'E_DOCUMENT_INVALID',
    `the ${what}${field ? `'s ${printable(field, 100)}` : ''} is not valid: ${wrong}`,
  )
}
