import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Home, makeHome } from './command.ts'
import { motoEnvironment } from './stack.ts'
import { putTerraform } from './terraform-stand-in.ts'

/** A home from which a stack of this name is deployed to moto's AWS, by the stand-in for Terraform. */
export interface DeployHome {
  home: Home
  name: string
  /** The stack's state folder. */
  folder: string
  /** The commands that the stand-in was given. */
  calls: () => Promise<string[]>
}

export async function deployHome(endpoint: string, name: string): Promise<DeployHome> {
  const home = await makeHome(motoEnvironment(endpoint))
  const log = join(home.folder, 'calls')
  const programs = join(home.folder, 'programs')
  await putTerraform(programs)
  Object.assign(home.environment, {
    PATH: `${programs}:/usr/bin:/bin`,
    STAND_IN_LOG: log,
    LAMBDA_NAT_PROXY_DEPLOYMENT_STACK_NAME: name,
    // Nothing answers offers on moto's AWS.
    LAMBDA_NAT_PROXY_DEPLOYMENT_PROBE: 'false',
  })
  return {
    home,
    name,
    folder: join(home.folder, 'home/.local/state/lambda-nat-proxy', name),
    calls: async () => (existsSync(log) ? (await readFile(log, 'utf8')).trim().split('\n') : []),
  }
}
