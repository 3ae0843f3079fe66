import { basename } from 'node:path'
import page from './page/index.html'

export interface PageFile {
  body: Blob
  type: string
}

/**
 * The files of the page, by the name that they are fetched by; `index.html` is the page itself. The
 * executable has them inside; from the sources they are bundled at the first call.
 */
export function pageFiles(): Promise<Map<string, PageFile>> {
  files ??= page.files ? embedded(page.files) : bundled()
  return files
}

// --- internal ---

let files: Promise<Map<string, PageFile>> | undefined

const entry = 'index.html'

async function embedded(manifest: NonNullable<Bun.HTMLBundle['files']>): Promise<Map<string, PageFile>> {
  return new Map(
    manifest.map(({ path, loader, headers }) => [
      loader === 'html' ? entry : basename(path),
      { body: Bun.file(path), type: headers['content-type'] },
    ]),
  )
}

async function bundled(): Promise<Map<string, PageFile>> {
  const { outputs } = await Bun.build({ entrypoints: [page.index], target: 'browser', minify: true })
  return new Map(outputs.map(output => [basename(output.path), { body: output, type: output.type }]))
}
