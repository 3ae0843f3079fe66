'use strict'

// Runs inside a function's process: loads the handler once, then calls it for each event that the runner
// sends over the IPC channel, as Lambda's own runtime does over HTTP.

const { join } = require('node:path')

const { env } = process
const [module_, name] = env._HANDLER.split('.')

// The runner's end closes when it ends, however it ends: nobody would stop this process then.
process.on('disconnect', () => process.exit(0))

const report = error => ({
  errorType: error instanceof Error ? error.name : typeof error,
  errorMessage: error instanceof Error ? error.message : String(error),
  stackTrace: error instanceof Error ? String(error.stack).split('\n') : [],
})

try {
  const handler = require(join(env.LAMBDA_TASK_ROOT, module_))[name]
  if (typeof handler !== 'function') throw new Error(`${env._HANDLER} is not a function`)
  process.on('message', invocation => run(handler, invocation))
  process.send({ status: 'success' })
} catch (error) {
  process.send({ status: 'error', error: report(error) }, () => process.exit(1))
}

async function run(handler, { event, requestId, deadline, functionArn }) {
  const context = {
    awsRequestId: requestId,
    invokedFunctionArn: functionArn,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  }
  try {
    process.send({ status: 'success', result: (await handler(event, context)) ?? null })
  } catch (error) {
    process.send({ status: 'error', error: report(error) })
  }
}
