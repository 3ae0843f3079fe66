import { defaultDashboardPort } from '../../input/dashboard-port.ts'
import * as schema from '../schema.ts'
import { setting } from './setting.ts'

/** The dashboard of `run`. */
export const dashboardSettings = {
  'dashboard.enabled': setting<boolean>({
    schema: schema.yesNo,
    kind: 'yesNo',
    default: true,
    flag: 'dashboard',
    valueHint: 'true',
    about: 'Serve the dashboard and its metrics',
    aboutNot: 'Serve no dashboard',
  }),
  'dashboard.host': setting<string>({
    schema: schema.text,
    kind: 'text',
    default: '127.0.0.1',
    flag: 'dashboard-host',
    valueHint: 'address',
    about: 'Address of the dashboard; one that other machines reach needs --dashboard-auth-file',
  }),
  'dashboard.auth_file': setting<string | undefined>({
    schema: schema.text,
    kind: 'text',
    default: undefined,
    flag: 'dashboard-auth-file',
    valueHint: 'path',
    about: 'File of logins, as for --auth-file, of those who may see and use the dashboard',
    example: '/etc/lambda-nat-proxy/admins.yaml',
  }),
  'dashboard.port': setting<number | undefined>({
    schema: schema.port,
    kind: 'number',
    default: undefined,
    flag: 'dashboard-port',
    valueHint: 'port',
    about: `TCP port of the dashboard, 0 for any free one (default: ${defaultDashboardPort}, or the next free one)`,
    example: defaultDashboardPort,
  }),
} as const
