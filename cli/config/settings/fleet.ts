import { parseBudget } from '../../client/budget/parse-budget.ts'
import type { BudgetAction } from '../../client/budget/spending.ts'
import { type Policy, policies } from '../../client/fleet/select.ts'
import { defaultFleetSettings } from '../../client/fleet/state.ts'
import { type TriggerMode, triggerModes } from '../../client/fleet/trigger.ts'
import * as schema from '../schema.ts'
import { setting } from './setting.ts'

/** The exits of `run`. */
export const fleetSettings = {
  'fleet.sessions': setting<number>({
    schema: schema.count(1, 64),
    kind: 'number',
    default: defaultFleetSettings.sessions,
    flag: 'sessions',
    live: true,
    valueHint: 'n',
    about: 'Number of exits in use at once',
  }),
  'fleet.standby': setting<number>({
    schema: schema.count(0, 16),
    kind: 'number',
    default: defaultFleetSettings.standby,
    flag: 'standby',
    live: true,
    valueHint: 'n',
    about: 'Number of further exits kept ready; each is billed like one in use',
  }),
  'fleet.rotate': setting<string | undefined>({
    schema: schema.rotate,
    kind: 'text',
    default: undefined,
    flag: 'rotate',
    live: true,
    valueHint: 'duration',
    about:
      'Replace each exit after this time, as in 90s, 5m or 1h (default: shortly before its function must end)',
    example: '5m',
  }),
  'fleet.idle': setting<string>({
    schema: schema.idle,
    kind: 'text',
    default: '15m',
    flag: 'idle',
    live: true,
    valueHint: 'duration',
    about:
      'Stop the exits after this long without a connection; the next one waits while an exit starts. never keeps them',
  }),
  'fleet.connections_per_exit': setting<number | undefined>({
    schema: schema.count(1, 100_000),
    kind: 'number',
    default: undefined,
    flag: 'connections-per-exit',
    live: true,
    valueHint: 'n',
    about: 'Replace an exit after this many connections (default: 10 with --exit fresh, else never)',
    example: 100,
  }),
  'fleet.distinct': setting<boolean>({
    schema: schema.yesNo,
    kind: 'yesNo',
    default: false,
    flag: 'distinct',
    live: true,
    valueHint: 'true',
    about:
      'Replace an exit whose public address another exit of this run has or had, three times in a row at most',
  }),
  'fleet.exit': setting<Policy>({
    schema: schema.policy,
    kind: 'text',
    default: 'sticky',
    flag: 'exit',
    live: true,
    valueHint: 'policy',
    about: `How connections are spread over the exits: ${policies.join(', ')}; with sticky a site keeps its exit, with fresh each connection gets one that its site has not seen`,
  }),
  'fleet.launches_per_minute': setting<number>({
    schema: schema.count(1, 1000),
    kind: 'number',
    default: defaultFleetSettings.launchesPerMinute,
    flag: 'launches-per-minute',
    live: true,
    valueHint: 'n',
    about: 'Maximum launches per minute, so that a crash loop cannot run up costs',
  }),
  'fleet.rotate_on': setting<number[]>({
    schema: schema.statuses,
    kind: 'list',
    default: [],
    flag: 'rotate-on',
    live: true,
    valueHint: '403,429',
    about: 'Use another exit for a site whose plain HTTP answers have one of these codes',
    example: [403, 429],
  }),
  'fleet.budget': setting<string | undefined>({
    schema: schema.oneParsedBy(parseBudget),
    kind: 'text',
    default: undefined,
    flag: 'budget',
    live: true,
    valueHint: '5/month',
    about: 'US dollars that all runs on this machine may spend in a day or month (UTC), by list prices',
    example: '5/month',
  }),
  'fleet.budget_action': setting<BudgetAction>({
    schema: schema.budgetAction,
    kind: 'text',
    default: 'stop',
    flag: 'budget-action',
    live: true,
    valueHint: 'action',
    about: 'When the budget is used up: stop (stop exits, refuse connections) or warn',
  }),
  'fleet.trigger': setting<TriggerMode>({
    schema: schema.trigger,
    kind: 'text',
    default: 'auto',
    flag: 'trigger',
    valueHint: 'how',
    about: `What starts the function: ${triggerModes.join(', ')}; auto invokes it when the event of S3 takes over 2 s`,
  }),
  'fleet.answer_timeout': setting<string>({
    schema: schema.duration,
    kind: 'text',
    default: '30s',
    flag: 'answer-timeout',
    valueHint: 'duration',
    about: 'How long the function may take to answer an offer',
  }),
} as const
