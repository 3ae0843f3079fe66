import { type ServicePlan, serviceName } from './manager.ts'
import { xmlText } from './xml.ts'

export const launchdLabel = `io.github.${serviceName}`
export const plistMark = `<!-- Written by "${serviceName} service install". -->`

export interface PlistOptions extends ServicePlan {
  /** Where standard output and error go. */
  log: string
}

type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value }

/** A property list for launchd (launchd.plist(5)). */
export function launchdPlist({ command, runAs, log, scope }: PlistOptions): string {
  const job: Record<string, Value> = {
    Label: launchdLabel,
    ProgramArguments: command,
    EnvironmentVariables: { LAMBDA_NAT_PROXY_SERVICE: 'launchd' },
    RunAtLoad: true,
    // Again after a failure, no sooner than this many seconds after its last start.
    KeepAlive: { SuccessfulExit: false },
    ThrottleInterval: 15,
    // Seconds between SIGTERM and SIGKILL.
    ExitTimeOut: 10,
    ProcessType: 'Adaptive',
    Umask: 0o077,
    SoftResourceLimits: { NumberOfFiles: 8_192 },
    StandardOutPath: log,
    StandardErrorPath: log,
    ...(scope === 'system' && runAs !== undefined && { UserName: runAs }),
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    plistMark,
    '<plist version="1.0">',
    element(job),
    '</plist>',
    '',
  ].join('\n')
}

// --- internal ---

function element(value: Value, indent = ''): string {
  if (typeof value === 'boolean') return `${indent}<${value}/>`
  if (typeof value === 'number') return `${indent}<integer>${value}</integer>`
  if (typeof value === 'string') return `${indent}<string>${xmlText(value)}</string>`
  const inner = `${indent}  `
  if (Array.isArray(value))
    return [`${indent}<array>`, ...value.map(each => element(each, inner)), `${indent}</array>`].join('\n')
  const entries = Object.entries(value).flatMap(([key, each]) => [
    `${inner}<key>${xmlText(key)}</key>`,
    element(each, inner),
  ])
  return [`${indent}<dict>`, ...entries, `${indent}</dict>`].join('\n')
}
