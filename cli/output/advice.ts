import type { ErrorData } from '../../tunnel/net/coded-error.ts'
import { ListenError, type ListenerName } from '../input/listen-error.ts'
import { explained } from '../input/system-error.ts'
import { errorsIn } from '../input/together.ts'

const deploy = 'Run "lambda-nat-proxy deploy" to repair it.'
const update = 'Update the older end: this program, or the function with "lambda-nat-proxy deploy".'
const network = 'try another network, for example a phone’s hotspot'
const getTerraform =
  'Install Terraform 1.5 or later (https://developer.hashicorp.com/terraform/install) or OpenTofu (https://opentofu.org/docs/intro/install), and put it on PATH or name it with --terraform.'

/**
 * What to do about a code, in terms of this program's own commands and options; it stands in place of the error's
 * hint. No other room names them.
 */
const advice: Partial<Record<string, string>> = {
  E_UNEXPECTED: 'This is a fault of lambda-nat-proxy: run it again with DEBUG=1, and report what it prints.',

  // STUN, signalling, sessions.
  E_STUN_UNREACHABLE: `UDP may be blocked on this network, or the servers may be wrong: ${network}, a TURN server over TLS with --turn, or other servers with --stun.`,
  E_STUN_NAME_NOT_FOUND:
    'There may be no network, or no DNS: check both, or try --stun host:port with another server.',
  E_TURN_UNREACHABLE:
    'Check --turn; where UDP is blocked, name a server over TLS, as in --turn turns:host:443.',
  E_TURN_NAME_NOT_FOUND: 'Check the name in --turn.',
  E_TURN_CERTIFICATE: 'Name the certificate of the authority that signed it with --turn-ca.',
  E_TURN_CREDENTIALS:
    'Check --turn-auth-file or LAMBDA_NAT_PROXY_TURN_AUTH; with a shared secret check the clock, too.',
  E_BUCKET_NOT_FOUND: 'Check --bucket and --region, or run "lambda-nat-proxy deploy".',
  E_BUCKET_FOREIGN:
    'Somebody else has a bucket of that name: do not use it. Run "lambda-nat-proxy deploy" with another --name.',
  E_BUCKET_WRONG_REGION: 'Name its region with --region.',
  E_ANSWER_TIMEOUT:
    'The function may have failed to start: look at its log with "lambda-nat-proxy status --logs", and check that the bucket notifies it of new offers.',
  E_DOCUMENT_VERSION: update,
  E_OFFER_INVALID: update,
  E_OFFER_CANDIDATES: 'Name a STUN server on the public internet with --stun.',
  E_EXIT_SETTINGS: 'Correct the setting that is named, and run "lambda-nat-proxy deploy".',
  E_FUNCTION_NOT_CARRIED:
    'Take another processor with --architecture, or an executable that was built with the native engine for all platforms ("bun run build --all").',
  E_BUILD_NO_ENGINE: 'Build the native engine with "bun run native --all", or take --architecture x86_64.',
  E_EXIT_FAILED: 'Look at the function’s log with "lambda-nat-proxy status --logs".',

  // Configuration.
  E_CONFIG_NOT_FOUND: 'Write it with "lambda-nat-proxy config init".',
  E_CONFIG_UNUSABLE: 'Write a new one with "lambda-nat-proxy config init --force".',

  // What is deployed.
  E_REGION_MISSING: 'Give one with --regions, as aws.regions in the configuration, or in AWS_REGION.',
  E_NOT_DEPLOYED: 'Run "lambda-nat-proxy deploy", or name another stack or region with --name and --regions.',
  E_STACK_INCOMPLETE: deploy,
  E_BUCKET_MISSING: deploy,
  E_FUNCTION_MISSING: deploy,
  E_FUNCTION_STATE: deploy,
  E_FUNCTION_UPDATE: deploy,
  E_FUNCTION_STOPPED: 'Raise its reserved concurrency in AWS, or remove the limit.',
  E_FUNCTION_RETRIES: deploy,
  E_NOTIFICATION_MISSING: deploy,
  E_INVOCATIONS_FAILED: 'Look at the log with "lambda-nat-proxy status --logs".',
  E_INVOCATIONS_THROTTLED: 'Raise the concurrency of the function or of the account.',
  E_STACK_PROBLEMS:
    'Run "lambda-nat-proxy status" for the details, and "lambda-nat-proxy deploy" to repair it.',

  // Deploying.
  E_TERRAFORM_NOT_FOUND: getTerraform,
  E_TERRAFORM_TOO_OLD: getTerraform,
  E_TERRAFORM_UNUSABLE: 'Name Terraform or OpenTofu with --terraform.',
  E_STATE_LOCKED: 'Wait until it has ended.',
  E_STATE_UNWRITABLE: 'Make it writable, or set XDG_STATE_HOME to another place. Nothing was changed.',
  E_DISK_FULL: 'Make room: Terraform could not write its state. Nothing was changed.',
  E_STATE_ELSEWHERE: 'Destroy it where it was deployed from, or name the state in S3 with --backend-config.',
  E_TERRAFORM_DISK_FULL: 'Make room and run this again: what was made is not made twice.',
  E_TERRAFORM_LOCK:
    'Another Terraform works on this stack. If none does, run "terraform force-unlock <ID>" in that folder.',
  E_TERRAFORM_BACKEND:
    'The state is elsewhere than these backend settings say. Run "terraform init -migrate-state" in that folder, then this again.',
  E_TERRAFORM_PROVIDER:
    'The AWS provider cannot be downloaded. Check the network and its proxy settings, or name a mirror in the Terraform CLI configuration (provider_installation), and run this again.',
  E_TERRAFORM_CREDENTIALS: 'Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  E_TERRAFORM_ACCESS_DENIED:
    'These credentials lack a right. To deploy takes the right to make S3 buckets, Lambda functions, log groups and an IAM role; deployer-policy.json in that folder is the least policy for it. Get it and run this again, or give the module in terraform/ to somebody who has it.',
  E_TERRAFORM_CONCURRENCY:
    'The account’s quota of concurrent functions has no room for this reservation. Set TF_VAR_reserved_concurrency to less, or ask for a higher quota (Service Quotas, AWS Lambda, Concurrent executions), and run this again.',
  E_TERRAFORM_NAME_TAKEN:
    'Something of that name exists, and this state does not know it: another machine may have deployed it. Deploy from there, or take another name with --name.',

  E_PROBE_FAILED:
    'Run "lambda-nat-proxy doctor" and "lambda-nat-proxy status --logs"; "deploy --no-probe" leaves this test out.',

  // Measuring.
  E_EXIT_OUTDATED: 'Update the function with "lambda-nat-proxy deploy".',
  E_SPEEDTEST_TIMEOUT: 'Try again, or from another network.',

  // Listening.
  E_BUDGET_SPENT: 'Raise --budget, or let it only warn with --budget-action warn.',
  E_OPEN_DASHBOARD:
    'Ask for a login with --dashboard-auth-file, or leave it on loopback and reach it through SSH (ssh -L 8081:127.0.0.1:8081).',
  E_OPEN_PROXY: 'Ask for a login with --auth-file or --auth, or let anybody use it with --allow-open.',

  // Targets.
  E_TARGET_PRIVATE: 'Set allow_private in the deployment to let its exits reach such addresses.',

  // The doctor's findings.
  E_CHECK_TIMEOUT: 'Check the network, and run this again.',
  E_CLOCK: 'Set this machine’s clock, for example by NTP.',
  E_CLOCK_UNKNOWN: 'Check the network: S3 must be reachable by HTTPS.',
  E_BUCKET_UNTOLD: 'See whether an exit that is launched with it answers.',
  E_STUN_SILENT: 'Name servers that answer with --stun.',
  E_NO_NETWORK: 'Connect to a network, check that names resolve, and run this again.',
  E_UDP_BLOCKED: `Allow outgoing UDP in the firewall, name a TURN server over TLS with --turn, or ${network}.`,
  E_UDP_RELAYED: 'Allow outgoing UDP in the firewall: a direct path is faster.',
  E_NAT_UNKNOWN: 'Name another STUN server with --stun.',
  E_NAT_SYMMETRIC: `If it does not connect, turn on UPnP or NAT-PMP in the router’s settings, name a TURN server with --turn, or ${network}.`,
  E_PORT_MAPPING_REFUSED:
    'Let the router open ports (UPnP or NAT-PMP in its settings). If it has no public address itself, ask the provider for one.',
  E_NAT_DOUBLE: `Ask the provider for a public address, or set the first of two routers to bridge mode; ordinary checks may connect all the same.`,
  E_MTU_BLACK_HOLE:
    'A tunnel or a router on the way drops large packets without saying so. It works, with smaller ones; a VPN may have a setting for its MTU.',
  E_LATENCY: 'Choose a nearer region with --regions, and deploy there.',
  E_THROUGHPUT:
    'Measure again with "lambda-nat-proxy speedtest". A larger function is faster: deploy --mode performance.',
}

/** The same where the exits run on this machine, and nothing is deployed. */
const localAdvice: typeof advice = {
  E_TARGET_PRIVATE: 'Start with --allow-private to let the exits reach such addresses.',
}

/** The advice for an error; undefined where there is none. `local`: the exits run on this machine. */
export const adviceFor = (
  { code, hint }: Pick<ErrorData, 'code' | 'hint'>,
  local = false,
): string | undefined => (local ? localAdvice[code] : undefined) ?? advice[code] ?? hint

/** The error with the advice as its hint. */
export function advised<T extends Pick<ErrorData, 'code' | 'hint'>>(data: T, local = false): T {
  const hint = adviceFor(data, local)
  return hint === undefined ? data : { ...data, hint }
}

/** What happened, and what to do about it. */
export const withAdvice = (data: ErrorData, local = false): string => inOneLine(advised(data, local))

/** A thrown error, or each of several, as data with advice. */
export const inData = (error: unknown): ErrorData[] =>
  errorsIn(error).map(each =>
    each instanceof ListenError
      ? advised({ ...each.toJSON(), hint: listenAdvice(each) })
      : advised(explained(each)),
  )

/** The same in words for a person; a line for each of several. */
export const inWords = (error: unknown): string[] => inData(error).map(inOneLine)

// --- internal ---

const inOneLine = ({ message, hint }: ErrorData) =>
  hint === undefined ? message : `${sentence(message)} ${hint}`

const sentence = (text: string) => (/[.?!]$/.test(text) ? text : `${text}.`)

/** The options that say where something listens, and what to do without it. */
const listenOptions: Record<ListenerName, { port: string; host: string; otherwise?: string }> = {
  proxy: { port: '--port, --http-port or --listen', host: '--host' },
  dashboard: {
    port: '--dashboard-port',
    host: '--dashboard-host',
    otherwise: 'go without the dashboard with --no-dashboard',
  },
  S3: { port: '--s3-port', host: '--host' },
  STUN: { port: '--stun-port', host: '--host' },
}

function listenAdvice({ code, listener }: ListenError): string {
  const { port, host, otherwise } = listenOptions[listener]
  switch (code) {
    case 'E_PORT_IN_USE':
      return `Choose another port with ${port} (0 takes any free one), or ${otherwise ?? 'stop what uses it'}.`
    case 'E_PORT_DENIED':
      return `Choose a port of 1024 or higher with ${port}.`
    case 'E_ADDRESS_NOT_HERE':
      return `Choose an address of this machine with ${host}.`
    default:
      return `Check ${host} and ${port}.`
  }
}
