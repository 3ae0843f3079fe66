import { join } from 'node:path'
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { computedValue, empty } from './computed.ts'
import { readData } from './data-sources.ts'
import { type BlockSchema, schemaOf } from './schema.ts'
import { completed, read, unknown, type Values, write } from './values.ts'

// In the AWS provider's place: Terraform itself reads the module, checks every block against the provider's schema,
// evaluates every expression and makes its plan; what an apply makes is in Terraform's state alone, and no AWS is
// asked. What the real provider refuses by rules of its own (a size, a name's form) is not seen here.
//
// usage: bun server.ts SOCKET TYPE…, where a type is resource:aws_s3_bucket or data:aws_region. It serves until its
// standard input ends.

const [socket = '', ...types] = process.argv.slice(2)
const schemas = new Map<string, BlockSchema>()
for (const each of types) {
  const [kind, type = ''] = each.split(':') as ['resource' | 'data', string]
  const schema = schemaOf(kind, type)
  // A type that is not known is Terraform's to complain of.
  if (schema) schemas.set(each, schema)
}
const provider = schemaOf('provider', '')!
let region = process.env.AWS_REGION ?? 'eu-central-1'

type Message = { [field: string]: never }
const value = (message: Message, field: string): Values | null => read(message[field] ?? null)
const known = (message: Message, kind: 'resource' | 'data') => schemas.get(`${kind}:${message.type_name}`)!

const methods: Record<string, (request: Message) => object | Promise<object>> = {
  GetProviderSchema: () => ({
    provider: asMessage(provider),
    resource_schemas: ofKind('resource'),
    data_source_schemas: ofKind('data'),
  }),
  ValidateProviderConfig: () => ({}),
  ValidateResourceConfig: () => ({}),
  ValidateDataResourceConfig: () => ({}),
  ConfigureProvider: request => {
    const configured = value(request, 'config')?.region
    if (typeof configured === 'string') region = configured
    return {}
  },
  UpgradeResourceState: request => ({
    upgraded_state: write(
      JSON.parse(Buffer.from((request.raw_state as unknown as { json: Uint8Array }).json).toString()),
    ),
  }),
  ReadResource: request => ({ new_state: write(value(request, 'current_state')) }),
  PlanResourceChange: request => {
    const proposed = value(request, 'proposed_new_state')
    // An update keeps what was computed before, which Terraform has proposed already.
    const isUpdate = value(request, 'prior_state') !== null
    const planned =
      proposed && !isUpdate ? completed(proposed, known(request, 'resource'), () => unknown) : proposed
    return { planned_state: write(planned), legacy_type_system: true }
  },
  ApplyResourceChange: async request => {
    const planned = value(request, 'planned_state')
    const type = String(request.type_name)
    const bucket = type.startsWith('aws_s3_bucket')
      ? String((planned ?? value(request, 'prior_state'))?.bucket)
      : undefined
    if (bucket !== undefined && (await isChanging(bucket)))
      return {
        diagnostics: [
          { severity: 1, summary: `changing ${type}: api error OperationAborted (409): ${bucket}` },
        ],
      }
    const made =
      planned &&
      completed(planned, known(request, 'resource'), (name, of) =>
        computedValue(type, planned, { name, of, region }),
      )
    return { new_state: write(made), legacy_type_system: true }
  },
  ReadDataSource: request => {
    const config = value(request, 'config') ?? {}
    const given = readData(String(request.type_name), config, region)
    return { state: write(completed({ ...config, ...given }, known(request, 'data'), (_, of) => empty(of))) }
  },
  StopProvider: () => ({}),
}

const server = new Server({ 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': -1 })
const definition = loadSync(join(import.meta.dir, 'protocol.proto'), {
  keepCase: true,
  longs: Number,
  defaults: true,
})
const { tfplugin6 } = loadPackageDefinition(definition) as unknown as {
  tfplugin6: { Provider: ServiceClientConstructor }
}
server.addService(
  tfplugin6.Provider.service,
  Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      ({ request }: { request: Message }, done: (error: Error | null, response?: object) => void) => {
        Promise.try(method, request).then(response => done(null, response), done)
      },
    ]),
  ),
)
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), error => {
  if (error) throw error
  console.log('ready')
})
process.stdin.on('end', () => process.exit()).resume()

// --- internal ---

const changing = new Set<string>()

/** S3 refuses a change of a bucket while another is under way, which takes it a while: true when one is. */
async function isChanging(bucket: string): Promise<boolean> {
  if (changing.has(bucket)) return true
  changing.add(bucket)
  await new Promise(resolve => setTimeout(resolve, 20))
  changing.delete(bucket)
  return false
}

const ofKind = (kind: string) =>
  Object.fromEntries(
    [...schemas]
      .filter(([key]) => key.startsWith(`${kind}:`))
      .map(([key, schema]) => [key.split(':')[1], asMessage(schema)]),
  )

function asMessage(schema: BlockSchema): object {
  return { block: asBlock(schema) }
}

function asBlock({ attributes, blocks }: BlockSchema): object {
  return {
    attributes: attributes.map(each => ({ ...each, type: Buffer.from(JSON.stringify(each.type)) })),
    block_types: blocks.map(({ name, nesting, single, required, block }) => ({
      type_name: name,
      block: asBlock(block),
      nesting: ['', 'SINGLE', 'LIST', 'SET'].indexOf(nesting),
      ...(nesting !== 'SINGLE' && { min_items: required ? 1 : 0, max_items: single ? 1 : 0 }),
    })),
  }
}
