import { defineCommand } from 'citty'
import { loadConfig } from '../config/load.ts'
import { optionsFor } from '../config/options.ts'
import { type LogLine, recentLogs } from '../deploy/logs.ts'
import { type Health, type RegionStatus, type StackStatus, stackStatus } from '../deploy/status.ts'
import { advised, withAdvice } from '../output/advice.ts'
import { exitCodes } from '../output/exit-codes.ts'
import { describe } from '../output/help.ts'
import { logLine } from '../output/log-line.ts'
import { columns, formatOf, formatOptions, print } from '../output/print.ts'
import { type SpendReport, spendLine, spendReport } from './spend-report.ts'

const healthCodes: Record<Health, number> = {
  HEALTHY: exitCodes.done,
  DEGRADED: exitCodes.degraded,
  'NOT DEPLOYED': exitCodes.notDeployed,
}

export default defineCommand({
  meta: describe({
    name: 'status',
    description: 'Show the state of the deployment in AWS.',
    exits: {
      done: 'HEALTHY',
      failed: 'the state could not be found out',
      degraded: 'DEGRADED',
      notDeployed: 'NOT DEPLOYED',
    },
    examples: [['status --logs', "With the end of the function's log"]],
  }),
  args: {
    ...optionsFor('deployment.stack_name', 'aws.regions', 'aws.profile'),
    ...formatOptions,
    logs: {
      type: 'boolean',
      default: false,
      description: "Show the newest lines of the function's log, of the last day",
    },
  },
  async run({ args }) {
    const format = formatOf(args)
    const config = await loadConfig({ flags: args })
    const found = await stackStatus(config)
    const spend = spendReport(config)
    const status = { ...found, regions: found.regions.map(withHints), ...(spend && { spend }) }
    const report = args.logs
      ? { ...status, regions: await Promise.all(status.regions.map(withLogs)) }
      : status
    print<Report>(report, format, human)
    process.exitCode = healthCodes[status.health]
  },
})

// --- internal ---

type RegionReport = RegionStatus & { logs?: LogLine[] }
type Report = Omit<StackStatus, 'regions'> & { regions: RegionReport[]; spend?: SpendReport }

const withHints = (status: RegionStatus): RegionStatus => ({
  ...status,
  problems: status.problems.map(problem => advised(problem)),
})

async function withLogs(status: RegionStatus): Promise<RegionReport> {
  return { ...status, logs: status.function ? await recentLogs(status.region, status.function.name) : [] }
}

function human({ stack, health, regions, spend }: Report): string {
  if (health === 'NOT DEPLOYED')
    return regions
      .flatMap(({ problems }) => problems)
      .map(problem => `NOT DEPLOYED: ${withAdvice(problem)}`)
      .join('\n')
  return [
    `Stack ${stack}: ${health}`,
    ...regions.map(humanRegion),
    ...(spend ? [spendLine(spend)] : []),
  ].join('\n\n')
}

function humanRegion({ region, health, problems, function: it, bucket, recent, logs }: RegionReport): string {
  const rows = [
    [
      '  function',
      it
        ? `${it.name}, ${it.state}, ${it.runtime}, ${it.memoryMb} MB, ${it.timeoutS} s, ${megabytes(it.codeBytes)} of code, changed ${it.lastModified}`
        : '-',
    ],
    [
      '  bucket',
      bucket
        ? `${bucket.name}, ${bucket.objects}${bucket.more ? ' or more' : ''} ${bucket.objects === 1 ? 'object' : 'objects'}, last activity ${bucket.lastActivity ?? 'none'}`
        : '-',
    ],
    ['  notification', bucket ? (bucket.notifies.includes(it?.arn ?? '') ? 'in place' : 'missing') : '-'],
    [
      '  invocations',
      recent
        ? `${recent.invocations} in ${recent.hours} hours, ${recent.errors} failed, ${recent.throttles} throttled`
        : '-',
    ],
  ]
  return [
    `${region}: ${health}`,
    ...(it || bucket ? [columns(rows)] : []),
    ...problems.map(problem => `  ! ${withAdvice(problem)}`),
    ...(logs ? [`  log${logs.length === 0 ? ': nothing in the last day' : ''}`] : []),
    ...(logs ?? []).map(
      ({ time, message }) => `    ${time} ${message.split('\n').map(logLine).join('\n      ')}`,
    ),
  ].join('\n')
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
