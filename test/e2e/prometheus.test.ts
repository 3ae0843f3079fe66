import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse, stringify } from 'yaml'
import { freePort } from '../support/free-port.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { need } from '../support/need.ts'
import { fetchBytes, type Origin, startOrigin } from '../support/origin.ts'
import { socksConnect } from '../support/socks-client.ts'
import { until } from '../support/until.ts'

// The dashboard and the alert rules, asked of a Prometheus that scrapes a running proxy.

interface Context {
  folder: string
  local: LocalCloud
  origin: Origin
  proxy: LocalProxy
  prometheus: ChildProcess
  url: string
}

interface Panel {
  id: number
  title: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { expr: string }[]
}

const job = 'lambda-nat-proxy'
const grafana = join(import.meta.dir, '../../docs/grafana')
const alertsFile = join(grafana, 'alerts.yaml')
const { panels } = JSON.parse(await readFile(join(grafana, 'dashboard.json'), 'utf8')) as { panels: Panel[] }
const alerts = parse(await readFile(alertsFile, 'utf8')).groups[0].rules as { alert: string; expr: string }[]
const queries = [
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => inTest(expr))),
  ...alerts.map(({ expr }) => expr),
]

/** As Grafana asks it. */
function inTest(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', job).replaceAll('$instance', '.*')
}
const test = suite<Context>('Grafana and Prometheus')

if (need(['prometheus'], ['prometheus', 'promtool'])) {
  test.before(async context => {
    context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
    context.origin = await startOrigin()
    context.local = await startLocalCloud()
    const logins = join(context.folder, 'logins.yaml')
    const admins = join(context.folder, 'admins')
    await writeFile(logins, 'alice:\n  password: x\n  quota: 1GB/month\n')
    await writeFile(admins, 'prometheus:scrape\n')
    context.proxy = await context.local.proxy({
      args: [
        ...['--auth-file', logins, '--budget', '100/month', '--dashboard-port', '0'],
        ...['--dashboard-auth-file', admins, '--verbose'],
      ],
    })
    const { port } = new URL((await context.proxy.event('dashboard.ready')).url)
    const listen = `127.0.0.1:${await freePort()}`
    const config = join(context.folder, 'prometheus.yaml')
    await writeFile(
      config,
      `global: { scrape_interval: 1s, evaluation_interval: 1s }
scrape_configs:
  - job_name: ${job}
    static_configs: [{ targets: ['127.0.0.1:${port}'] }]
    basic_auth: { username: prometheus, password: scrape }
rule_files: ['${alertsFile}']
`,
    )
    context.prometheus = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(context.folder, 'data')}`,
        `--web.listen-address=${listen}`,
      ],
      { stdio: 'ignore' },
    )
    context.url = `http://${listen}/api/v1`
  })
  test.after(async ({ prometheus, proxy, local, origin, folder }) => {
    const ended = once(prometheus, 'exit')
    prometheus.kill()
    await ended
    await proxy.close()
    await local.close()
    origin.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('a Prometheus finds every metric that dashboard and rules name, and answers all that they ask', async ({
    proxy,
    origin,
    url,
  }) => {
    const use = async () => {
      await fetchBytes({ proxy: proxy.port, origin, user: 'alice', bytes: 100_000 })
      // Nothing listens there, and nobody has that login.
      const refused = { proxy: proxy.port, host: '127.0.0.1', port: 1, user: 'alice' }
      await socksConnect(refused).catch(() => {})
      await socksConnect({ ...refused, user: 'mallory' }).catch(() => {})
    }
    await use()
    const query = async (expr: string) => {
      const response = await fetch(`${url}/query`, {
        method: 'POST',
        body: new URLSearchParams({ query: expr }),
      })
      const { status, data, error } = (await response.json()) as {
        status: string
        error?: string
        data: { result: { value: [number, string] }[] }
      }
      assert.is(status, 'success', `${expr}: ${error}`)
      return data.result
    }
    const isUp = async () => {
      const result = await query(`count_over_time(up{job="${job}"}[1m]) > 3`).catch(() => [])
      return result.length > 0
    }
    await until(isUp, 'some scrapes')
    await use()
    const names = new Set(queries.flatMap(expr => expr.match(/\b(?:lambda_nat_proxy|process)_\w+/g) ?? []))
    assert.ok(names.size > 25)
    for (const name of names) await until(async () => (await query(name)).length > 0, `samples of ${name}`)
    for (const expr of queries) await query(expr)
    // Prometheus has the rules, and can evaluate them.
    const health = async () => {
      const { data } = (await (await fetch(`${url}/rules`)).json()) as {
        data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
      }
      return data.groups.flatMap(({ rules }) => rules)
    }
    await until(
      async () => (await health()).every(rule => rule.health !== 'unknown'),
      'the rules to be evaluated',
    )
    for (const rule of await health()) assert.is(rule.health, 'ok', `${rule.name}: ${rule.lastError}`)
  })

  test('promtool takes the files, and the rules fire when they should', async ({ folder }) => {
    const promtool = (...args: string[]) => {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: grafana, encoding: 'utf8' })
      assert.is(status, 0, stdout + stderr)
    }
    promtool('check', 'rules', 'alerts.yaml')
    promtool('check', 'config', 'prometheus.yaml')
    // What they say to people is not compared.
    const bare = {
      groups: [{ name: job, rules: alerts.map(alert => ({ ...alert, annotations: undefined })) }],
    }
    await writeFile(join(folder, 'bare.yaml'), stringify(bare))
    const tests = join(folder, 'alerts.test.yaml')
    await writeFile(tests, ruleTests)
    promtool('test', 'rules', tests)
  })
}

test('the dashboard is well laid out', () => {
  assert.is(new Set(panels.map(({ id }) => id)).size, panels.length)
  for (const [i, a] of panels.entries()) {
    const { x, y, w, h } = a.gridPos
    assert.ok(x >= 0 && x + w <= 24, a.title)
    for (const b of panels.slice(i + 1)) {
      const apart =
        x + w <= b.gridPos.x ||
        b.gridPos.x + b.gridPos.w <= x ||
        y + h <= b.gridPos.y ||
        b.gridPos.y + b.gridPos.h <= y
      assert.ok(apart, `${a.title} and ${b.title} overlap`)
    }
  }
})

const series = (name: string, labels: string, values: string) =>
  `      - { series: 'lambda_nat_proxy_${name}{job="${job}",instance="a"${labels && `,${labels}`}}', values: '${values}' }\n`

/** A moment at which these alerts of a group of series are expected, and no others of the named rules. */
const expecting = (name: string, at: string, fires: string | undefined, labels = '') =>
  `      - eval_time: ${at}\n        alertname: ${name}\n        exp_alerts: ${
    fires === undefined
      ? '[]'
      : `\n          - exp_labels: { severity: ${fires}, job: ${job}, instance: a${labels} }`
  }\n`

const ruleTests = `rule_files: [bare.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
${series('asleep', '', '0x20')}${series('exits', 'state="active",region="r"', '1 1 1 _x17')}
    alert_rule_test:
${expecting('LambdaNatProxyNoExit', '2m', undefined)}${expecting('LambdaNatProxyNoExit', '15m', 'critical')}
  - interval: 1m
    input_series:
${series('asleep', '', '1x20')}${series('launch_failures_total', '', '0x5 1x15')}
    alert_rule_test:
${expecting('LambdaNatProxyNoExit', '15m', undefined)}${expecting('LambdaNatProxyLaunchesFail', '15m', undefined)}
  - interval: 1m
    input_series:
${series('connections_total', 'outcome="opened"', '0+80x20')}${series('connections_total', 'outcome="failed"', '0+20x20')}${series('launch_failures_total', '', '0+2x20')}${series('clients_rejected_total', 'code="E_LOGIN_WRONG"', '0+30x20')}
    alert_rule_test:
${expecting('LambdaNatProxyConnectionsFail', '4m', undefined)}${expecting('LambdaNatProxyConnectionsFail', '15m', 'warning')}${expecting('LambdaNatProxyLaunchesFail', '15m', 'warning')}${expecting('LambdaNatProxyGuesses', '15m', 'warning')}
  - interval: 1m
    input_series:
${series('budget_dollars', 'period="month"', '5x20')}${series('budget_spent_dollars', 'period="month"', '3x5 4.5x5 5.1x8')}${series('user_quota_bytes', 'user="u"', '100x20')}${series('user_used_bytes', 'user="u"', '50x9 100x10')}
    alert_rule_test:
${expecting('LambdaNatProxyBudgetLow', '3m', undefined)}${expecting('LambdaNatProxyBudgetLow', '9m', 'warning', ', period: month')}${expecting('LambdaNatProxyBudgetSpent', '9m', undefined)}${expecting('LambdaNatProxyBudgetSpent', '15m', 'critical', ', period: month')}${expecting('LambdaNatProxyQuotaUsed', '5m', undefined)}${expecting('LambdaNatProxyQuotaUsed', '15m', 'info', ', user: u')}
`

test.run()
