import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { stateFolder } from '../places/folders.ts'

/** The module's outputs that are used here. */
export interface Outputs {
  /** Region → name of the bucket. */
  buckets: Record<string, string>
  functions: Record<string, { name: string; arn?: string | undefined; log_group: string }>
  /** When the state was written last, milliseconds since 1970. */
  changedAt: number
}

/**
 * The outputs of a stack that this machine deployed, out of the state that Terraform keeps in its folder; undefined
 * where there is none, where the state is kept elsewhere, or where nothing is left of the stack.
 */
export async function readOutputs(stack: string): Promise<Outputs | undefined> {
  try {
    const path = join(stateFolder(stack), 'terraform.tfstate')
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)])
    const state = JSON.parse(text)
    const { success, output } = v.safeParse(stateSchema, state)
    if (!success) return undefined
    const { buckets, functions } = output.outputs
    return { buckets: buckets.value, functions: functions.value, changedAt: mtimeMs }
  } catch {
    return undefined
  }
}

// --- internal ---

const stateSchema = v.object({
  version: v.literal(4),
  outputs: v.object({
    buckets: v.object({ value: v.record(v.string(), v.string()) }),
    functions: v.object({
      value: v.record(
        v.string(),
        v.object({ name: v.string(), arn: v.optional(v.string()), log_group: v.string() }),
      ),
    }),
  }),
})
