import { version } from '../../../package.json'
import type { Target } from '../targets.ts'

/** What stands before each archive's name, and is the folder inside it: `lambda-nat-proxy_0.1.0_linux_x64`. */
export const stem = ({ name }: Pick<Target, 'name'>): string =>
  `lambda-nat-proxy_${version}_${name.replace('-', '_')}`

/** The archive with a platform's executable. */
export const archiveName = (target: Target): string =>
  `${stem(target)}${target.platform.startsWith('win32') ? '.zip' : '.tar.gz'}`

export const moduleArchive = `lambda-nat-proxy_${version}_terraform.tar.gz`
export const sbomFile = `lambda-nat-proxy_${version}.cdx.json`
