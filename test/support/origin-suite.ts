import { suite, type Test } from 'uvu'
import { type LocalCloud, startLocalCloud } from './local-cloud.ts'
import { type Origin, startOrigin } from './origin.ts'

export interface OriginContext {
  /** A web server that the tests fetch counted bytes from. */
  origin: Origin
  /** Closes this after the test, before what was kept earlier. */
  keep<T extends { close(): unknown }>(resource: T): T
}

export interface CloudContext extends OriginContext {
  local: LocalCloud
}

/** A suite in which every test has an origin of its own, listening on `host`. */
export function originSuite<T extends OriginContext = OriginContext>(name: string, host?: string): Test<T> {
  const test = suite<T>(name)
  const kept: { close(): unknown }[] = []
  test.before.each(async context => {
    context.keep = resource => {
      kept.push(resource)
      return resource
    }
    context.origin = context.keep(await startOrigin(host))
  })
  test.after.each(async () => {
    for (let resource = kept.pop(); resource; resource = kept.pop()) await resource.close()
  })
  return test
}

/** The same, with an embedded cloud for every test. */
export function cloudSuite(name: string): Test<CloudContext> {
  const test = originSuite<CloudContext>(name)
  test.before.each(async context => {
    context.local = context.keep(await startLocalCloud())
  })
  return test
}
