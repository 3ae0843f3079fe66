import { defineCommand } from 'citty'
import { printable } from '../../tunnel/net/printable.ts'
import { readSignalling, signallingOptions } from '../deploy/signalling-options.ts'
import { awsChecks } from '../doctor/aws-checks.ts'
import { type Check, examine, type Result } from '../doctor/check.ts'
import { clockCheck } from '../doctor/clock-check.ts'
import { type Context, createContext } from '../doctor/context.ts'
import { exitsCheck } from '../doctor/exits-check.ts'
import { networkChecks, stunChecks } from '../doctor/network-checks.ts'
import { pathChecks } from '../doctor/path-checks.ts'
import { portMappingCheck } from '../doctor/port-mapping-check.ts'
import { formatResult, formatVerdict, oneChange } from '../doctor/report.ts'
import { checkReport, gatherReport, writeReport } from '../doctor/report-file.ts'
import { tunnelChecks } from '../doctor/tunnel-checks.ts'
import { turnCheck } from '../doctor/turn-check.ts'
import { adviceFor } from '../output/advice.ts'
import { exitCodeMeanings } from '../output/exit-codes.ts'
import { describe } from '../output/help.ts'
import { formatOf, formatOptions, print } from '../output/print.ts'
import { interruptible } from './interrupt.ts'

export default defineCommand({
  meta: describe({
    name: 'doctor',
    description:
      'Check whether this works here, and say what to do if not: AWS account, deployment, clock, network, NAT, and an exit that is launched to try it.',
    exits: { done: 'nothing failed', failed: 'a check failed', interrupted: exitCodeMeanings.interrupted },
    examples: [
      ['doctor', 'All checks, with an exit in AWS'],
      ['doctor --network', 'The network alone; needs no AWS account'],
    ],
  }),
  args: {
    ...signallingOptions,
    punch: {
      type: 'boolean',
      default: true,
      description: 'Launch an exit and measure the path to it; the function is billed for some seconds',
      negativeDescription: 'Launch nothing',
    },
    network: {
      type: 'boolean',
      default: false,
      description: 'Look at this network alone: NAT, router, UDP; needs no AWS account',
    },
    report: {
      type: 'string',
      valueHint: 'path',
      description:
        'Write what an issue needs to this file: versions, what was found, the NAT, the launch; without accounts, names of buckets and whole addresses',
    },
    ...formatOptions,
  },
  async run({ args }) {
    const format = formatOf(args)
    const signalling = await readSignalling(args)
    // Before a minute of checks.
    if (args.report !== undefined) await checkReport(args.report)
    const isReport = format !== 'human'
    const results = await interruptible(async signal => {
      const context = createContext(signalling, signal)
      try {
        const results = await consult(context, args, isReport ? () => {} : show)
        if (args.report !== undefined) await writeReport(args.report, await gatherReport(results, context))
        return results
      } finally {
        await context.close()
      }
    })
    const works = results.every(({ status }) => status !== 'fail')
    if (isReport) print({ works, change: oneChange(results) ?? null, findings: results }, format, () => '')
    else process.stdout.write(`\n${formatVerdict(results, process.stdout.columns)}\n`)
    if (args.report !== undefined && !isReport)
      process.stdout.write(
        `The report is in ${printable(args.report)}. Read it before you attach it to an issue.\n`,
      )
    if (!works) process.exitCode = 1
  },
})

// --- internal ---

async function consult(
  context: Context,
  { punch, network }: { punch: boolean; network: boolean },
  onResult: (result: Result, nameWidth: number) => void,
): Promise<Result[]> {
  const checks: Check<Context>[] = [
    ...(network ? [] : [...awsChecks, clockCheck]),
    ...stunChecks(await context.stunServers()),
    turnCheck,
    ...networkChecks,
    portMappingCheck,
    exitsCheck,
    ...(punch && !network ? [...tunnelChecks, ...pathChecks] : []),
  ]
  const nameWidth = Math.max(...checks.map(({ name }) => name.length))
  const results: Result[] = []
  for await (const result of examine(checks, context)) {
    context.signal.throwIfAborted()
    const advised = withHint(result)
    onResult(advised, nameWidth)
    results.push(advised)
  }
  return results
}

/** What is not as it should be has what to do about it, always. */
function withHint(result: Result): Result {
  if (result.status !== 'warn' && result.status !== 'fail') return result
  const { code = 'E_UNEXPECTED', hint } = result
  return { ...result, code, hint: adviceFor({ code, ...(hint !== undefined && { hint }) }) ?? again }
}

const again = 'Correct this, and run the doctor again.'

const show = (result: Result, nameWidth: number) =>
  process.stdout.write(`${formatResult(result, nameWidth, process.stdout.columns)}\n`)
