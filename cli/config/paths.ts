import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

const name = 'lambda-nat-proxy'

/** Where the configuration is, unless an option or LAMBDA_NAT_PROXY_CONFIG says otherwise. */
export const defaultConfigPath = () => join(xdg('XDG_CONFIG_HOME', '.config'), name, `${name}.yaml`)

/** Where "login" keeps logins, unless an option or the configuration says otherwise. */
export const defaultLoginsPath = () => join(xdg('XDG_CONFIG_HOME', '.config'), name, 'logins.yaml')

/** What belongs to one deployment: Terraform's files and its state. */
export const stateFolder = (stack: string) => join(xdg('XDG_STATE_HOME', '.local/state'), name, stack)

// --- internal ---

/** The XDG Base Directory Specification has relative paths ignored. */
function xdg(variable: string, fallback: string): string {
  const given = process.env[variable]
  return given && isAbsolute(given) ? given : join(homedir(), fallback)
}
