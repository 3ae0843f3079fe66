import { fileURLToPath } from 'node:url'

/** The committed module. */
export const folder = fileURLToPath(new URL('../../terraform/', import.meta.url))
