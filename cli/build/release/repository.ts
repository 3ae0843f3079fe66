import own from '../../../package.json'
import { UsageError } from '../../input/usage-error.ts'

/**
 * URL of the repository that a release belongs to, without a slash at its end: as it was named, or as package.json has
 * it, or as GitHub Actions tells the build that it runs. Undefined when nobody says. Throws a UsageError when it is no https URL.
 */
export function repositoryUrl(
  named?: string,
  env: Record<string, string | undefined> = process.env,
): string | undefined {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = env
  const given = named ?? ofPackage() ?? (server && repository ? `${server}/${repository}` : undefined)
  if (given === undefined) return undefined
  const url = given.replace(/^git\+/, '').replace(/(\.git)?\/*$/, '')
  if (!/^https:\/\/[\w.-]+(:\d+)?(\/[\w.~-]+)+$/.test(url))
    throw new UsageError(
      `the repository '${given}' is not an https URL such as https://github.com/OWNER/NAME`,
    )
  return url
}

/** Throws when GitHub Actions builds for a tag of another version: the installers look for `v` and package.json's. */
export function checkTag(env: Record<string, string | undefined> = process.env): void {
  const { GITHUB_REF_TYPE: type, GITHUB_REF_NAME: name } = env
  if (type === 'tag' && name !== `v${own.version}`)
    throw new Error(`the tag is ${name}, and package.json has the version ${own.version}: they must agree`)
}

// --- internal ---

function ofPackage(): string | undefined {
  const { repository } = own as { repository?: string | { url: string } }
  return typeof repository === 'object' ? repository.url : repository
}
