import * as v from 'valibot'
import { architectures } from '../../function/architectures.ts'
import { modeNames } from '../../function/modes.ts'
import { portMappingModes } from '../../tunnel/nat/port-mapping/router.ts'
import { parseStunServer } from '../../tunnel/nat/stun/server-name.ts'
import { pathModes } from '../../tunnel/nat/turn/source.ts'
import { parseTurnServer } from '../../tunnel/nat/turn/uri.ts'
import { engineNames } from '../../tunnel/quic/engines/engines.ts'
import { auditActions } from '../client/audit/audit.ts'
import { budgetActions } from '../client/budget/spending.ts'
import { policies } from '../client/fleet/select.ts'
import { triggerModes } from '../client/fleet/trigger.ts'
import { readDuration, wrongDuration } from '../input/duration.ts'
import { readSize } from '../input/size.ts'
import { wrongRegion } from './regions.ts'

// What a setting may be. A message completes "proxy.port …" and says what is allowed.

/** TCP or UDP port; 0 is any that is free. */
export const port = v.pipe(
  v.number('must be a port, a number from 0 to 65535'),
  v.check(n => Number.isInteger(n) && n >= 0 && n <= 65535, 'must be a port, a number from 0 to 65535'),
)

export const text = v.pipe(v.string('must be a text'), v.nonEmpty('is empty'))

export const architecture = oneOf(architectures)

export const mode = oneOf(modeNames)

const maxNameLength = 38

/** Buckets are named <name>-<region>-<8 digits>, and a bucket's name has 63 characters at most. */
export const stackName = v.pipe(
  text,
  v.maxLength(
    maxNameLength,
    ({ input }) =>
      `has ${input.length} characters, and ${maxNameLength} is the most: the names of the buckets are made from it`,
  ),
  v.regex(
    /^(?=.{3})[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    'must have 3 to 38 lower-case letters, digits and single dashes, begin with a letter and not end with a dash',
  ),
)

export const regions = list('must be the name of a region, or a list of them', wrongRegion)

/** A whole number between limits. */
export const count = (least: number, most: number) => {
  const message = `must be a number from ${least} to ${most}`
  return v.pipe(v.number(message), v.integer(message), v.minValue(least, message), v.maxValue(most, message))
}

/** `90s`, `5m` or `1h`, kept as it is written. */
export const duration = v.pipe(
  v.union([v.string(), v.number()], 'must be a duration such as 90s, 5m or 1h'),
  v.transform(String),
  v.check(
    value => readDuration(value) !== undefined,
    ({ input }) => wrongDuration(input),
  ),
)

const isShort = (value: string) => readDuration(value)! < 1_000

/** A duration of a second or more. */
export const rotate = v.pipe(
  duration,
  v.check(value => !isShort(value), 'is too short: give 1s or more'),
)

/** `500kB`, `10MB` or `5GB`, kept as it is written. */
export const size = v.pipe(
  text,
  v.check(value => readSize(value) !== undefined, 'must be a size such as 500kB, 10MB or 5GB'),
)

/** A duration of a second or more, or `never`. */
export const idle = v.pipe(
  v.union([v.string(), v.number()], 'must be a duration such as 10m, or never'),
  v.transform(String),
  v.check(
    value => value === 'never' || readDuration(value) !== undefined,
    ({ input }) => `${wrongDuration(input)}, or never`,
  ),
  v.check(value => value === 'never' || !isShort(value), 'is too short: give 1s or more, or never'),
)

/** true or false, as YAML, an option or a variable says it. */
export const yesNo = v.pipe(
  v.union([v.boolean(), v.picklist(['true', 'false', ''])], 'must be true or false'),
  v.transform(value => value === true || value === 'true' || value === ''),
)

export const budgetAction = oneOf(budgetActions)

export const auditAction = oneOf(auditActions)

export const policy = oneOf(policies)

/** Texts that a parser of ours takes, one or a list of them; the parser's error says what is wrong. */
export const parsedBy = (message: string, parse: (item: string) => unknown) =>
  list(message, item => {
    try {
      parse(item)
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  })

export const stunServers = v.pipe(
  parsedBy('must be a STUN server as host:port, or a list of them', parseStunServer),
  v.nonEmpty('names no STUN server'),
)

/** One such text. */
export const oneParsedBy = (parse: (item: string) => unknown) =>
  v.pipe(
    text,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      try {
        parse(dataset.value)
      } catch (error) {
        addIssue({ message: `is wrong: ${(error as Error).message}` })
      }
    }),
  )

export const turnServers = parsedBy(
  'must be a TURN server as turn:host:port, or a list of them',
  parseTurnServer,
)

export const path = oneOf(pathModes)

/** Whether the router is asked for ports. */
export const portMapping = oneOf(portMappingModes)

/** What runs QUIC at this end. */
export const engine = oneOf(['auto', ...engineNames])

export const trigger = oneOf(triggerModes)

const wrongStatus = 'must be a code of HTTP from 400 to 599, or a list of them'
const status = v.pipe(
  v.union(
    [v.number(), v.pipe(v.string(), v.regex(/^\d{3}$/, wrongStatus), v.transform(Number))],
    wrongStatus,
  ),
  v.integer(wrongStatus),
  v.minValue(400, wrongStatus),
  v.maxValue(599, wrongStatus),
)

/** Codes of HTTP answers that are errors. */
export const statuses = v.pipe(
  v.union([v.array(status), status], wrongStatus),
  v.transform(codes => [...new Set([codes].flat())]),
)

// --- internal ---

/** One of these names. */
function oneOf<const Name extends string>(names: readonly Name[]) {
  return v.picklist(names, `must be one of ${names.join(', ')}`)
}

/** One text or several, each checked by `wrong`, none of them twice. */
function list(message: string, wrong: (item: string) => string | undefined) {
  return v.pipe(
    v.union(
      [
        v.pipe(
          v.string(),
          v.transform(one => [one]),
        ),
        v.array(v.string()),
      ],
      message,
    ),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      const problem = dataset.value.map(wrong).find(Boolean)
      if (problem) addIssue({ message: `is wrong: ${problem}` })
    }),
    v.transform(items => [...new Set(items)]),
  )
}
