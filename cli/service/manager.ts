import { ServiceError } from './service-error.ts'

/** Whose service it is: this user's, or the machine's. */
export type Scope = 'user' | 'system'

/** What is to be run. */
export interface ServicePlan {
  scope: Scope
  /** Program and arguments, with absolute paths. */
  command: readonly string[]
  /** The account that a system service runs as; one of its own by default. */
  runAs?: string | undefined
}

export interface ServiceStatus {
  scope: Scope
  /** The file that defines it. */
  file: string
  installed: boolean
  /** It comes up with the machine, or with the user's session. */
  enabled: boolean
  running: boolean
  pid?: number
  /** In the manager's own words, for a person. */
  detail: string
}

export interface LogOptions {
  lines: number
  follow: boolean
}

/** A service manager, for the one service of this program. All methods reject with a ServiceError. */
export interface ServiceManager {
  /** Writes the definition, has it come up with the machine or session, and starts it. Gives notes for the person. */
  install(plan: ServicePlan): Promise<string[]>
  /** Stops it and takes its definition away. */
  uninstall(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
  status(): Promise<ServiceStatus>
  /** Shows its log on this process's standard output. */
  logs(options: LogOptions): Promise<void>
}

/** The name of the service, whoever manages it. */
export const serviceName = 'lambda-nat-proxy'

/** There is nothing to start, stop or take away; `missing` says what was looked for. */
export const notInstalled = (missing: string, scope: Scope): ServiceError =>
  new ServiceError('E_SERVICE_NOT_INSTALLED', `no ${missing}`, {
    hint: `Run "${serviceName} service install${scope === 'system' ? ' --system' : ''}".`,
  })
