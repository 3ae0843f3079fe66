import { createInterface } from 'node:readline'
import { askSecrets } from '../input/prompt.ts'

/**
 * What is asked for at a terminal, where it is not seen, an answer a question; elsewhere the first line of the standard
 * input alone, and nothing where that is empty.
 */
export async function readSecrets(...questions: string[]): Promise<string[]> {
  if (process.stdin.isTTY) return askSecrets(...questions)
  for await (const line of createInterface({ input: process.stdin })) return [line]
  return []
}
