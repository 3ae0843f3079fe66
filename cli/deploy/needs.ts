import type { Config } from '../config/load.ts'
import { together } from '../input/together.ts'
import { anyRegion, findCredentials, regionsOf, useProfile, whoAmI } from './aws.ts'
import { findTerraform, type Terraform } from './terraform.ts'

/** What a stack is deployed with. */
export interface Needs {
  program: Terraform
  regions: string[]
  account: string
  /** The ARN of who deploys. */
  arn: string
}

/** Finds everything that a deploy needs. Throws all that is missing at once: see `together`. */
export async function findNeeds(config: Config): Promise<Needs> {
  useProfile(config)
  const regions = regionsOf(config)
  const [program, found, { account, arn }] = await together(
    () => findTerraform(config.values['deployment.terraform']),
    () => regions,
    async () => {
      const asked = await regions.catch(() => [])
      const [first = anyRegion, ...others] = asked
      const caller = await whoAmI(first)
      // One that is not enabled shows here, before anything is made in the others.
      await Promise.all(others.map(whoAmI))
      return caller
    },
  )
  return { program, regions: found, account, arn }
}

/** What is missing to deploy, as errors, as far as this machine knows: AWS is not asked. */
export async function missingNeeds(config: Config): Promise<Error[]> {
  useProfile(config)
  const settled = await Promise.allSettled([
    findTerraform(config.values['deployment.terraform']),
    regionsOf(config),
    findCredentials(),
  ])
  return settled.flatMap(each => (each.status === 'rejected' ? [each.reason as Error] : []))
}
