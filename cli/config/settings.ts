import { auditSettings } from './settings/audit.ts'
import { awsSettings } from './settings/aws.ts'
import { dashboardSettings } from './settings/dashboard.ts'
import { deploymentSettings } from './settings/deployment.ts'
import { fleetSettings } from './settings/fleet.ts'
import { proxySettings } from './settings/proxy.ts'
import type { Setting } from './settings/setting.ts'

/** All settings, by section and key. A new entry here appears in the file, the environment, the options and help. */
export const settings = {
  ...awsSettings,
  ...deploymentSettings,
  ...proxySettings,
  ...fleetSettings,
  ...auditSettings,
  ...dashboardSettings,
} as const

export type Key = keyof typeof settings
export type Values = { [K in Key]: (typeof settings)[K]['default'] }

export const keys = Object.keys(settings) as Key[]

/** Sections of the file, and what each is for. */
export const sections: Record<string, string> = {
  aws: 'Where in AWS',
  deployment: 'What "deploy" deploys',
  proxy: 'Where "run" listens, and what goes where',
  fleet: 'The exits of "run"',
  audit: 'The audit file of "run"',
  dashboard: 'The dashboard of "run"',
}

/** The environment variables that a setting is read from; the first that is set counts. */
export const environmentOf = (key: Key): string[] => [
  `LAMBDA_NAT_PROXY_${key.toUpperCase().replace('.', '_')}`,
  ...(entry(key).environment ?? []),
]

/** A setting by its key, where the type of its value does not matter. */
export const entry = (key: Key): Setting<unknown> => settings[key] as Setting<unknown>
